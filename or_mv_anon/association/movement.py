"""Notices that a camera was moved: from some instant on a geometry no longer explains the people, and another does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.geometry import Matrix
from or_mv_anon.association.pair_estimate import CLOSE, MATCHED, Estimate, PairData, estimate, mutually_best
from or_mv_anon.association.progress import Progress
from or_mv_anon.association.views import PairGeometry, View, ViewNames

Span = tuple[int, int]
SHORTEST_S = 20.0  # between two movements; a shorter failure may be people who hide each other
SUSPECT = 0.75  # of the share explained on the better side of an instant, below which a movement is looked for
LOST = 0.4  # the same, below which it is believed even if nothing new can be estimated
GAIN = 1.3  # times what the other side's geometry explains that each side's own must, for a movement to be believed


def estimate_stretches(
    names: ViewNames,
    data: PairData,
    span: Span,
    random: np.random.Generator,
    *,
    instant_s: float,
    turns: NDArray[np.int64] | None = None,
    progress: Progress | None = None,
) -> tuple[PairGeometry, ...]:
    """The geometry of two views over the instants `span` (the latter exclusive), split where it changes.

    People alone are poor witnesses of a movement: where they stand, and whom they hide, changes too. Where it is known
    when either camera was turned, in `turns`, a change is believed only within `SHORTEST_S` of such an instant.
    """
    shortest = max(round(SHORTEST_S / instant_s), 1)
    whole = estimate(data.between(*span), random, progress=progress)
    if turns is not None and not len(turns):
        return (_geometry(names, whole, span),)
    return _split(names, data, whole, span, random, shortest, turns)


def moved_cameras(geometry: Mapping[ViewNames, Sequence[PairGeometry]], *, instant_s: float) -> tuple[str, ...]:
    """Sentences for the report: which cameras moved, and about when.

    The geometry of all pairs of a camera that moves changes; the camera that most changed pairs have in common is it.
    """
    changes = [(part.start, names) for names, parts in geometry.items() for part in parts[1:]]
    notes = []
    while changes:
        first = min(changes)[0]
        near = [change for change in changes if change[0] - first <= 2 * SHORTEST_S / instant_s]
        cameras = [name for _, names in near for name in names]
        moved = max(sorted(set(cameras)), key=cameras.count)
        its = [change for change in near if moved in change[1]]
        when = float(np.median([instant for instant, _ in its])) * instant_s
        notes.append(f"{moved} seems to have been moved about {when:.0f} s after the start.")
        changes = [change for change in changes if change not in its]
    return tuple(notes)


def turned_cameras(
    views: Sequence[View], geometry: Mapping[ViewNames, Sequence[PairGeometry]], *, instant_s: float
) -> tuple[str, ...]:
    """Sentences about cameras whose picture changed as if they had been turned, while no geometry tells of it."""
    reach = 2 * SHORTEST_S / instant_s
    notes = []
    for view in views:
        told = [part.start for names, parts in geometry.items() if view.name in names for part in parts[1:]]
        for turn in () if view.turns is None else view.turns.tolist():
            if not any(abs(turn - start) <= reach for start in told):
                notes.append(
                    f"What stands still in {view.name} changed about {turn * instant_s:.0f} s after the start; "
                    "it may have been turned."
                )
    return tuple(notes)


def _split(
    names: ViewNames,
    data: PairData,
    whole: Estimate,
    span: Span,
    random: np.random.Generator,
    shortest: int,
    turns: NDArray[np.int64] | None,
) -> tuple[PairGeometry, ...]:
    unsplit = (_geometry(names, whole, span),)
    if whole.best is None or span[1] - span[0] < 2 * shortest:
        return unsplit
    explained = _explained(data, whole.best, span)
    at, drop = _change(explained, _possible(data, span), shortest)
    if drop > SUSPECT or (turns is not None and np.abs(turns - span[0] - at).min() > shortest):
        return unsplit
    halves = ((span[0], at + span[0]), (at + span[0], span[1]))
    known = [whole.best]
    found = [estimate(data.between(*half), random, known=known) for half in halves]
    before, after = (each.matrix for each in found)
    if before is None or after is None:
        if drop > LOST or before is after:
            return unsplit
        return tuple(_geometry(names, each, half) for each, half in zip(found, halves, strict=True))
    gain = _explained(data, before, span) - _explained(data, after, span)
    if not _both_gain(data, (before, after), halves):
        return unsplit
    middle = span[0] + shortest + int(np.cumsum(gain)[shortest - 1 : -shortest].argmax()) + 1
    parts = ((span[0], middle), (middle, span[1]))
    found = [
        estimate(data.between(*part), random, known=[each]) for each, part in zip((before, after), parts, strict=True)
    ]
    return tuple(
        stretch
        for each, part in zip(found, parts, strict=True)
        for stretch in _split(names, data, each, part, random, shortest, turns)
    )


def _both_gain(data: PairData, matrices: tuple[Matrix, Matrix], halves: tuple[Span, Span]) -> bool:
    """Whether either side's own geometry explains it much better than the other side's."""
    for own, other, half in zip(matrices, matrices[::-1], halves, strict=True):
        if _explained(data, own, half).sum() < GAIN * _explained(data, other, half).sum():
            return False
    return True


def _explained(data: PairData, matrix: Matrix, span: Span) -> NDArray[np.float64]:
    """How many people match at each instant of `span`, each from 0 to 1 by how well."""
    rows = data.between(*span).rows
    distance = rows.distances(matrix)
    fit = np.clip(1 - distance / CLOSE, 0, 1) * mutually_best(rows, distance, limit=MATCHED)
    return np.bincount(rows.instant - span[0], fit, span[1] - span[0]).astype(np.float64)


def _possible(data: PairData, span: Span) -> NDArray[np.float64]:
    """How many people could match at each instant of `span`."""
    rows = data.between(*span).rows
    length = span[1] - span[0]
    counts = []
    for side in (rows.first, rows.second):
        seen = np.unique(np.stack([rows.instant - span[0], side], axis=1), axis=0)
        counts.append(np.bincount(seen[:, 0], minlength=length))
    return np.minimum(*counts).astype(np.float64)


def _change(explained: NDArray[np.float64], possible: NDArray[np.float64], shortest: int) -> tuple[int, float]:
    """The likeliest instant of a change (CUSUM, Page 1954), and the lower of the shares explained over the higher."""
    excess = np.cumsum(explained - possible * explained.sum() / max(possible.sum(), 1))
    at = shortest + int(np.abs(excess[shortest - 1 : -shortest]).argmax())
    shares = [explained[side].sum() / max(possible[side].sum(), 1) for side in (slice(None, at), slice(at, None))]
    return at, min(shares) / max(*shares, 1e-9)


def _geometry(names: ViewNames, found: Estimate, span: Span) -> PairGeometry:
    return PairGeometry(
        views=names,
        matrix=found.matrix,
        start=span[0],
        stop=span[1],
        inliers=found.inliers,
        points=found.points,
        residual=found.residual,
        problem=found.problem,
    )
