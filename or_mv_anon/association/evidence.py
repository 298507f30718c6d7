"""What speaks for two cameras' tracks being one person, all kinds of evidence on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.appearance import AppearanceEvidence
from or_mv_anon.association.distances import pair_distances, plane_distances
from or_mv_anon.association.head_plane import HeadPlane
from or_mv_anon.association.likelihood_ratio import learn_ratio
from or_mv_anon.association.views import PairGeometry, TrackPairs, View, ViewNames
from or_mv_anon.core.rows import pair_key, rows_of

Floats = NDArray[np.float64]
Geometry = Mapping[ViewNames, Sequence[PairGeometry]]
Planes = Mapping[ViewNames, Sequence[HeadPlane | None]]

SHIFTS = (0.25, 0.5, 0.75)  # of the session, by which views are shifted to compare people of different times
STRANGERS_S = 1800.0  # seconds of the session that strangers are taken from
MIXED_UP = 0.05  # share of true pairs that are as far apart as strangers: mixed-up tracks, wrong keypoints
OFF_LEVEL = 0.2  # share of people who sit, bend or lie, so that the level of heads says nothing of them
NEAR = 1.0  # head heights from the epipolar line within which the place on it matters
SYNCHRONY_UNIT = 0.5  # distances learned from synchrony are divided by this, so that the bins suit them


class LearnedDistance(Protocol):
    """A distance of tracks that was learned from synchrony."""

    def pair_distances(self, first: View, second: View) -> TrackPairs:
        """The distances in the column `synchrony`."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything about two views' pairs of tracks that are seen together.

    Attributes:
        pairs: with their probability.
        log_ratio: (P,) logarithm of how many times likelier all this is for one person than for two.
        prior: log-odds that two tracks are one person, before anything is known of them.
    """

    pairs: TrackPairs
    log_ratio: Floats
    prior: float


@dataclass(frozen=True, eq=False)
class Distances:
    """One kind of distance of all pairs of tracks of two views, and of strangers."""

    distance: Floats
    strange: Floats
    strange_instants: NDArray[np.int64]


def compare_lines(views: Sequence[View], geometry: Geometry, *, instant_s: float) -> dict[ViewNames, Distances]:
    """Epipolar distances of all pairs of views that have a geometry."""
    return {
        (first.name, second.name): _line_distances(
            first, second, geometry[first.name, second.name], _common(first, second), instant_s
        )
        for first, second in combinations(views, 2)
        if any(stretch.matrix is not None for stretch in geometry.get((first.name, second.name), ()))
    }


def gather(
    views: Sequence[View],
    geometry: Geometry,
    *,
    instant_s: float,
    lines: Mapping[ViewNames, Distances],
    planes: Planes | None = None,
    appearance: AppearanceEvidence | None = None,
    synchrony: LearnedDistance | None = None,
) -> dict[ViewNames, Evidence]:
    """The evidence about all pairs of views, each kind calibrated on the whole session without labels.

    Args:
        views: of one session.
        geometry: may be empty.
        instant_s: seconds between instants.
        lines: see `compare_lines`.
        planes: by pair of views, one per stretch of its geometry.
        appearance: of the tracks.
        synchrony: of the tracks.
    """
    named = {(first.name, second.name): (first, second) for first, second in combinations(views, 2)}
    common = {names: _common(*pair) for names, pair in named.items()}
    most_same = _most_same(views)
    levels, learned = {}, {}
    for names, (first, second) in named.items():
        if names in lines and planes and any(plane is not None for plane in planes.get(names, ())):
            levels[names] = _level_distances(
                first, second, geometry[names], planes[names], common[names], lines[names], instant_s
            )
        if synchrony is not None:
            learned[names] = _learned_distances(first, second, synchrony, common[names], instant_s)
    ratio = {names: np.zeros(len(pairs)) for names, pairs in common.items()}
    for kind, astray in ((lines, MIXED_UP), (levels, MIXED_UP + OFF_LEVEL), (learned, MIXED_UP)):
        for names, values in _log_ratios(kind, common, most_same, astray, instant_s).items():
            ratio[names] += values
    found = {}
    for names, pairs in common.items():
        cosine, looks = np.full(len(pairs), np.nan, np.float32), np.zeros(len(pairs), np.float32)
        if appearance is not None and all(name in appearance.vectors for name in names):
            cosine, looks = appearance.of_pairs(*names, pairs.first, pairs.second)
        prior = float(np.log(most_same[names] / (1 - most_same[names])))
        total = ratio[names] + looks
        pairs = pairs.replace(
            distance=lines[names].distance if names in lines else pairs.distance,
            synchrony=learned[names].distance * SYNCHRONY_UNIT if names in learned else pairs.synchrony,
            appearance=cosine,
            probability=1 / (1 + np.exp(-total - prior)),
        )
        found[names] = Evidence(pairs, total, prior)
    return found


def _log_ratios(
    kind: Mapping[ViewNames, Distances],
    common: Mapping[ViewNames, TrackPairs],
    most_same: Mapping[ViewNames, float],
    astray: float,
    instant_s: float,
) -> dict[ViewNames, Floats]:
    """Learned on all pairs of views together."""
    if not kind:
        return {}
    weight = np.array([len(common[names]) for names in kind], np.float64)
    ratio = learn_ratio(
        np.concatenate([each.distance for each in kind.values()]),
        np.concatenate([common[names].instants for names in kind]),
        np.concatenate([each.strange for each in kind.values()]),
        np.concatenate([each.strange_instants for each in kind.values()]),
        most_same=float(np.average([most_same[names] for names in kind], weights=np.maximum(weight, 1))),
        astray=astray,
        instant_s=instant_s,
    )
    return {names: ratio.of(each.distance, common[names].instants) for names, each in kind.items()}


def _common(first: View, second: View) -> TrackPairs:
    """All pairs of tracks that are seen together, ordered by both."""
    stop = 1 + max(int(view.observations.instant.max(initial=-1)) for view in (first, second))
    one, two = (view.presence(stop) for view in (first, second))
    together = (one @ two.T).tocoo()
    order = np.lexsort((together.col, together.row))
    missing = np.full(len(order), np.nan)
    return TrackPairs(
        first=first.tracks[together.row[order]],
        second=second.tracks[together.col[order]],
        instants=together.data[order],
        distance=missing,
        appearance=missing,
        synchrony=missing,
        probability=missing,
    )


def _most_same(views: Sequence[View]) -> dict[ViewNames, float]:
    """The share of the pairs of people at an instant who are one person, were everybody in both pictures."""
    stop = 1 + max((int(view.observations.instant.max(initial=-1)) for view in views), default=-1)
    counts = {view.name: np.bincount(view.observations.instant, minlength=stop) for view in views}
    shares = {}
    for first, second in combinations(counts, 2):
        product = float((counts[first] * counts[second]).sum())
        same = float(np.minimum(counts[first], counts[second]).sum())
        shares[first, second] = min(max(same / product, 1e-3), 0.5) if product else 0.5
    return shares


def _line_distances(
    first: View, second: View, stretches: Sequence[PairGeometry], common: TrackPairs, instant_s: float
) -> Distances:
    own = _aligned(pair_distances(first, second, stretches), common, "distance")
    strange = TrackPairs.concat([pair_distances(*shifted, stretches) for shifted in _shifted(first, second, instant_s)])
    return Distances(own, strange.distance.astype(np.float64), strange.instants.astype(np.int64))


def _level_distances(
    first: View,
    second: View,
    stretches: Sequence[PairGeometry],
    planes: Sequence[HeadPlane | None],
    common: TrackPairs,
    lines: Distances,
    instant_s: float,
) -> Distances:
    """Of pairs that lie near each other's epipolar lines; the others have said enough."""
    own = _aligned(plane_distances(first, second, stretches, planes), common, "distance")
    strange = TrackPairs.concat(
        [plane_distances(*shifted, stretches, planes) for shifted in _shifted(first, second, instant_s)]
    )
    far = ~(lines.distance <= NEAR)
    return Distances(np.where(far, np.nan, own), strange.distance.astype(np.float64), strange.instants.astype(np.int64))


def _learned_distances(
    first: View, second: View, synchrony: LearnedDistance, common: TrackPairs, instant_s: float
) -> Distances:
    own = _aligned(synchrony.pair_distances(first, second), common, "synchrony") / SYNCHRONY_UNIT
    strange = TrackPairs.concat([synchrony.pair_distances(*shifted) for shifted in _shifted(first, second, instant_s)])
    return Distances(own, strange.synchrony / SYNCHRONY_UNIT, strange.instants.astype(np.int64))


def _aligned(pairs: TrackPairs, common: TrackPairs, column: str) -> Floats:
    """A column of `pairs` by the rows of `common`, NaN where it has none."""
    row = rows_of(*(pair_key(each.first, each.second) for each in (pairs, common)))
    return np.append(getattr(pairs, column).astype(np.float64), np.nan)[row]


def _shifted(first: View, second: View, instant_s: float) -> list[tuple[View, View]]:
    """The two views with the second's clock turned by parts of the session."""
    stop = 1 + max(int(view.observations.instant.max(initial=-1)) for view in (first, second))
    span = max(min(round(STRANGERS_S / instant_s), stop), 1)
    start = (stop - span) // 2
    found = []
    for share in SHIFTS:
        moved = _between(second, start, start + span)
        seen = moved.observations
        turned = start + (seen.instant - start + round(share * span)) % span
        order = np.lexsort((seen.track, turned))
        found.append(
            (_between(first, start, start + span), replace(moved, observations=seen.replace(instant=turned)[order]))
        )
    return found


def _between(view: View, start: int, stop: int) -> View:
    seen = view.observations
    return replace(view, observations=seen[(seen.instant >= start) & (seen.instant < stop)])
