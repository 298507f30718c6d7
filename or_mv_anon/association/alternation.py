"""Improves a guessed geometry: match tracks by it, fit it to the matched people's points, and again, more strictly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.common_instants import CommonRows
from or_mv_anon.association.fundamental_fit import LEAST_CORRESPONDENCES, polish, robust_fit
from or_mv_anon.association.geometry import Matrix

LIMITS = (0.8, 0.6, 0.45, 0.4)  # head heights within which two tracks match, by round
SIGMA = 0.15  # head heights by which points of one person are off: keypoints differ between directions of view
CELLS = 12  # along each side of a picture; correspondences are balanced over pairs of cells
MOST_PER_CELL = 12
MOST_CORRESPONDENCES = 3000


@dataclass(frozen=True, eq=False)
class Correspondences:
    """Points of matched people, balanced over both pictures.

    Attributes:
        points: (2, N, 2) pixels in either view.
        head: (N,) head heights in pixels.
        weight: (N,) how far each is trusted.
    """

    points: NDArray[np.float64]
    head: NDArray[np.float64]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.head)


def pair_medians(distance: NDArray[np.float64], pair: NDArray[np.int64]) -> NDArray[np.float64]:
    """Median distance of the rows of each pair, (pairs,); `pair` numbers them from 0 without gaps."""
    order = np.lexsort((distance, pair))
    size = np.bincount(pair)
    return np.asarray(distance[order[np.cumsum(size) - size + (size - 1) // 2]])


def mutually_best(rows: CommonRows, distance: NDArray[np.float64], *, limit: float) -> NDArray[np.bool_]:
    """Rows of an instant that are each other's nearest and nearer than `limit`.

    Args:
        rows: of two views.
        distance: (R,) of the rows' pairs of tracks.
        limit: in the unit of `distance`.
    """
    best = distance < limit
    for side in (rows.first, rows.second):
        owner = rows.instant * (side.max(initial=0) + 1) + side
        _, group = np.unique(owner, return_inverse=True)
        least = np.full(group.max(initial=-1) + 1, np.inf)
        np.minimum.at(least, group, distance)
        best &= distance <= least[group]
    return np.asarray(best)


def balanced(
    rows: CommonRows, sizes: tuple[tuple[int, int], tuple[int, int]], random: np.random.Generator
) -> Correspondences:
    """The rows' common points, few from each pair of cells of the two pictures: people who stand do not dominate."""
    row, point = np.nonzero(rows.weight > 0)
    points = rows.points[:, row, point].astype(np.float64)
    cell = np.zeros(len(row), np.int64)
    for side, size in zip(points, sizes, strict=True):
        place = np.clip((side / size * CELLS).astype(np.int64), 0, CELLS - 1)
        cell = (cell * CELLS + place[:, 0]) * CELLS + place[:, 1]
    order = random.permutation(len(cell))
    order = order[np.argsort(cell[order], kind="stable")]
    fresh = np.r_[True, np.diff(cell[order]) != 0][: len(order)]
    begin = np.flatnonzero(fresh)
    nth = np.arange(len(order)) - np.repeat(begin, np.diff(np.r_[begin, len(order)]))
    kept = order[nth < MOST_PER_CELL]
    if len(kept) > MOST_CORRESPONDENCES:
        kept = random.choice(kept, MOST_CORRESPONDENCES, replace=False)
    kept.sort()
    return Correspondences(
        points[:, kept], rows.head[row[kept]], rows.weight[row[kept], point[kept]].astype(np.float64)
    )


def alternate(
    matrix: Matrix,
    rows: CommonRows,
    pair: NDArray[np.int64],
    sizes: tuple[tuple[int, int], tuple[int, int]],
    random: np.random.Generator,
    *,
    robust: bool,
) -> Matrix:
    """The geometry that `matrix` leads to.

    Args:
        matrix: to begin with.
        rows: of the two views.
        pair: (R,) number of each row's pair of (pieces of) tracks.
        sizes: width and height of both pictures.
        random: thins out correspondences.
        robust: fit by MAGSAC++ from scratch in each round, instead of moving the matrix a little.
    """
    for limit in LIMITS:
        distance = pair_medians(rows.distances(matrix), pair)[pair]
        found = balanced(rows.select(mutually_best(rows, distance, limit=limit)), sizes, random)
        sigma = 2 * SIGMA * float(np.median(found.head)) if len(found) else 0.0
        fitted = robust_fit(found.points[0], found.points[1], sigma=sigma)[0] if robust else matrix
        if fitted is None or len(found) < LEAST_CORRESPONDENCES:
            return matrix
        matrix = polish(fitted, found.points[0], found.points[1], found.head, found.weight, sigma=SIGMA)
    return matrix
