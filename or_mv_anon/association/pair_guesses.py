"""Guesses the geometry of two views from nothing: small random sets of track pairs, judged by what else they explain.

A few people who are paired rightly fix a geometry that then explains the others too; wrong pairs do not. What a
geometry explains of everybody else is therefore its score, less what it explains as well with the wrong partners.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.common_instants import CommonRows
from or_mv_anon.association.geometry import SHORTEST_NORMAL, Matrix, eight_point, homogeneous
from or_mv_anon.association.progress import Progress
from or_mv_anon.association.views import BodyPoint

STEADY = (BodyPoint.HEAD, BodyPoint.NECK, BodyPoint.LEFT_SHOULDER, BodyPoint.RIGHT_SHOULDER,
          BodyPoint.LEFT_HIP, BodyPoint.RIGHT_HIP)  # fmt: skip
SAMPLES = 6  # instants that stand for a pair of tracks
LEAST_INSTANTS = 5  # of a pair of tracks that may begin a guess
MOST_PAIRS = 400  # pairs of tracks that guesses are made from and judged by
GUESSES = 2400
AT_ONCE = 100
TOGETHER = 32_000  # distances that are counted at once, few enough for the processor's cache
SIZES = (1, 2, 3, 4)  # pairs of tracks in a guess; one is enough of a person who walks
EXPLAINED = 0.6  # head heights within which a guess explains a pair; its noise is that of few points
KEPT = 12  # guesses that are worth improving

Columns = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs of tracks over a piece of time, each by a few of its instants.

    Attributes:
        first, second: (P,) numbers of the pieces of tracks in either view.
        points: (2, P, N, 2) pixels.
        weight: (P, N), 0 where a point is not there.
        head: (P, N) pixels.
        instants: (P,) how many instants they have in common.
        prior: (P,) log-odds that they are one person.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    points: NDArray[np.float64]
    weight: NDArray[np.float64]
    head: NDArray[np.float64]
    instants: NDArray[np.int64]
    prior: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    @cached_property
    def by_count(self) -> list[tuple[NDArray[np.intp], Columns, Columns]]:
        """For every number C of points that are there: the candidates (G,) with so many, these points (2, 3, G * C),
        homogeneous, and twice their head heights (G, C).

        In 32-bit floats, which put a point off by a thousandth of a pixel: guesses are only sorted by it.
        """
        there = self.weight > 0
        count = there.sum(axis=1)
        found = []
        for number in np.unique(count[count > 0]):
            rows = np.flatnonzero(count == number)
            own = there[rows]
            columns = np.moveaxis(homogeneous(self.points[:, rows][:, own]), -1, 1)
            head = 2 * self.head[rows][own].reshape(len(rows), number)
            found.append((rows, np.ascontiguousarray(columns, np.float32), head.astype(np.float32)))
        return found


def candidates(
    rows: CommonRows, pair: NDArray[np.int64], prior: NDArray[np.float64], random: np.random.Generator
) -> Candidates:
    """The pairs of pieces of tracks that have enough instants in common; a random part of the time if there are many.

    Args:
        rows: of two views.
        pair: (R, 2) numbers of the pieces of tracks of each row.
        prior: (R,) log-odds of each row's pair.
        random: chooses.
    """
    key, pair_of_row, instants = np.unique(pair, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(pair_of_row, kind="stable")
    begin = np.cumsum(instants) - instants
    kept = np.flatnonzero(instants >= LEAST_INSTANTS)
    if len(kept) > MOST_PAIRS:
        kept = _some_neighbours(kept, rows.instant[order[begin[kept]]], random)
    share = (np.arange(SAMPLES) + 0.5) / SAMPLES
    chosen = order[begin[kept, None] + (share * instants[kept, None]).astype(int)]
    each = SAMPLES * len(STEADY)
    points = rows.points[:, chosen][:, :, :, STEADY].reshape(2, len(kept), each, 2).astype(np.float64)
    weight = rows.weight[chosen][:, :, STEADY].reshape(len(kept), each).astype(np.float64)
    return Candidates(
        key[kept, 0],
        key[kept, 1],
        points,
        weight,
        np.repeat(rows.head[chosen], len(STEADY), axis=1),
        instants[kept],
        prior[order[begin[kept]]],
    )


def guess(known: Candidates, random: np.random.Generator, *, progress: Progress) -> list[Matrix]:
    """The most promising geometries, best first."""
    if not len(known):
        return []
    rivals = _rivals(known)
    matrices, scores = [], []
    for _ in range(GUESSES // AT_ONCE):
        sets = _draw(known, rivals, random)
        weight = np.where(sets[..., None] >= 0, known.weight[sets], 0).reshape(AT_ONCE, -1)
        points = known.points[:, sets].reshape(2, AT_ONCE, -1, 2)
        found = eight_point(points[0], points[1], weight)
        matrices.append(found)
        scores.append(score(known, found))
        progress.advance(AT_ONCE / GUESSES)
    score_of, found = np.concatenate(scores), np.concatenate(matrices)
    best = np.argsort(-score_of, kind="stable")[:KEPT]
    return [found[row] for row in best]


def score(known: Candidates, matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """The `margin` of each geometry (S, 3, 3) over the candidates, (S,)."""
    return margin(
        _medians(known, matrices), known.first, known.second, known.instants, known.prior, tolerance=EXPLAINED
    )


def margin(
    distance: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    instants: NDArray[np.int64],
    prior: NDArray[np.float64],
    *,
    tolerance: float,
) -> NDArray[np.float64]:
    """By how much geometries tell people's best partners from their next best, (S,).

    A pair counts with the square root of its instants, because what happens in a row is seldom independent.

    Args:
        distance: (S, P) of the pairs in head heights.
        first, second: (P,) the pieces of tracks that the pairs consist of.
        instants: (P,) that they have in common.
        prior: (P,) log-odds that they are one person.
        tolerance: head heights from which on a pair is not explained at all.
    """
    fit = np.clip(1 - distance / tolerance, 0, 1) * np.sqrt(instants) * (1 + np.tanh(prior))
    return _margin(fit, first) + _margin(fit, second)


def _medians(known: Candidates, matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median distance of the points of each candidate from the lines of each geometry (S, P), in head heights."""
    found = np.full((len(matrices), len(known)), np.inf)
    geometries = matrices.astype(np.float32)
    for rows, columns, head in known.by_count:
        middle, step = (head.shape[1] - 1) // 2, max(1, TOGETHER // head.size)
        for start in range(0, len(matrices), step):
            part = slice(start, start + step)
            off = _distances(geometries[part], columns).reshape(-1, *head.shape)
            off /= head
            off.partition(middle, axis=-1)
            found[part, rows] = off[..., middle]
    return found


def _distances(matrices: Columns, columns: Columns) -> Columns:
    """Twice the symmetric epipolar distances (S, N) of homogeneous points (2, 3, N), in pixels."""
    count = len(matrices)
    line = (matrices.reshape(-1, 3) @ columns[0]).reshape(count, 3, -1)
    other = (matrices[:, :, :2].swapaxes(1, 2).reshape(-1, 3) @ columns[1]).reshape(count, 2, -1)
    lengths = [np.einsum("skn,skn->sn", each, each) for each in (line[:, :2], other)]
    inverse = sum(1 / np.maximum(np.sqrt(each), SHORTEST_NORMAL) for each in lengths)
    line *= columns[1]
    return np.asarray(np.abs(line.sum(axis=1)) * inverse)


def _margin(fit: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum over owners of their best fit less the next best, (S,)."""
    order = np.argsort(owner, kind="stable")
    begin = np.flatnonzero(np.r_[True, np.diff(owner[order]) != 0])
    fit = fit[:, order]
    best = np.maximum.reduceat(fit, begin, axis=1)
    sizes = np.diff(np.r_[begin, len(owner)])
    second = np.maximum.reduceat(np.where(fit == np.repeat(best, sizes, axis=1), 0, fit), begin, axis=1)
    return np.asarray((best - second).sum(axis=1))


def _rivals(known: Candidates) -> NDArray[np.bool_]:
    """Which pairs cannot both be true: they share one piece of a track (P, P)."""
    return (known.first[:, None] == known.first) ^ (known.second[:, None] == known.second)


def _draw(known: Candidates, rivals: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.int64]:
    """Sets of compatible pairs (AT_ONCE, longest size), filled up with -1; likelier pairs are drawn more often."""
    sets = np.full((AT_ONCE, max(SIZES)), -1)
    size = random.choice(SIZES, AT_ONCE)
    worth = known.prior + 0.5 * np.log(known.instants)
    excluded = np.zeros((AT_ONCE, len(known)), bool)
    for place in range(max(SIZES)):
        gumbel = worth + random.gumbel(size=(AT_ONCE, len(known)))
        chosen = np.where(excluded, -np.inf, gumbel).argmax(axis=1)
        drawn = (size > place) & ~excluded[np.arange(AT_ONCE), chosen]
        sets[drawn, place] = chosen[drawn]
        excluded |= rivals[chosen]
        excluded[np.arange(AT_ONCE), chosen] = True
    return sets


def _some_neighbours(kept: NDArray[np.intp], begin: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.intp]:
    """About MOST_PAIRS of the pairs: all that begin in some moments, so that everybody's rivals stay in."""
    moment = np.argsort(np.argsort(begin, kind="stable")) * (len(begin) // 50 + 1) // len(begin)
    moments = random.permutation(moment.max() + 1)[: max(MOST_PAIRS // 50, 1)]
    return kept[np.isin(moment, moments)]
