"""Pairs two cameras' people at the instants that both show: what every comparison of two views starts from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.geometry import Matrix, distance_of_columns
from or_mv_anon.association.views import BodyPoint, Observations, View
from or_mv_anon.core.rows import numbered

ROWS_AT_ONCE = 200_000  # pairs of observations held at a time, about 100 MB
TOGETHER = 16_000  # distances that are counted at once, few enough for the processor's cache


@dataclass(frozen=True, eq=False)
class CommonRows:
    """Every observation of the first view with every one of the second at the same instant, in order of time.

    Attributes:
        instant: (R,).
        first, second: (R,) rows of `tracks` of the views.
        points: (2, R, 10, 2) pixels in either view.
        weight: (R, 10) the lesser of both views' trust in a point, 0 where one of them has none.
        head: (R,) mean of both head heights in pixels.
    """

    instant: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    points: NDArray[np.float32]
    weight: NDArray[np.float32]
    head: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.instant)

    @classmethod
    def concat(cls, parts: Sequence[CommonRows]) -> CommonRows:
        """The rows of `parts`, one after another."""
        return cls(
            np.concatenate([np.zeros(0, np.int64), *(part.instant for part in parts)]),
            np.concatenate([np.zeros(0, np.int64), *(part.first for part in parts)]),
            np.concatenate([np.zeros(0, np.int64), *(part.second for part in parts)]),
            np.concatenate([np.zeros((2, 0, len(BodyPoint), 2), np.float32), *(part.points for part in parts)], axis=1),
            np.concatenate([np.zeros((0, len(BodyPoint)), np.float32), *(part.weight for part in parts)]),
            np.concatenate([np.zeros(0), *(part.head for part in parts)]),
        )

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> CommonRows:
        """Some of the rows, by mask or number."""
        return CommonRows(
            self.instant[rows],
            self.first[rows],
            self.second[rows],
            self.points[:, rows],
            self.weight[rows],
            self.head[rows],
        )

    def distances(self, matrix: Matrix) -> NDArray[np.float64]:
        """Median symmetric epipolar distance over the common points, (R,) in head heights; infinite without any."""
        columns, there, middle = self._common
        each = np.empty(columns.shape[-1])
        for start in range(0, len(each), TOGETHER):
            part = slice(start, start + TOGETHER)
            each[part] = distance_of_columns(matrix, columns[..., part])
        off = np.full(there.shape, np.inf)
        off[there] = each
        off.sort(axis=1)
        return np.asarray(np.take_along_axis(off, middle[:, None], axis=1)[:, 0] / self.head)

    @cached_property
    def _common(self) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
        """The points that both views have (2, 2, P), which of the rows' (R, 10) they are, and each row's median."""
        there = self.weight > 0
        columns = np.ascontiguousarray(np.moveaxis(self.points[:, there].astype(np.float64), -1, 1))
        return columns, there, np.maximum(there.sum(axis=1) - 1, 0) // 2

    @cached_property
    def people(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Numbers (R,) of each row's person of the first and of the second view at its instant."""
        sides = (self.first, self.second)
        return tuple(  # type: ignore[return-value]
            np.unique(self.instant * (side.max(initial=0) + 1) + side, return_inverse=True)[1] for side in sides
        )


def pair_rows(first: View, second: View, instants: NDArray[np.int64]) -> Iterator[CommonRows]:
    """The common rows at `instants` (ascending), in parts that fit in memory.

    Yields:
        Parts of at most `ROWS_AT_ONCE` rows, or of one instant if that has more.
    """
    one, other = first.observations, second.observations
    begin, count = _extent(one, instants)
    other_begin, other_count = _extent(other, instants)
    total = np.cumsum(count * other_count)
    start = 0
    while start < len(instants):
        done = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, done + ROWS_AT_ONCE, side="right")), start + 1)
        part = slice(start, stop)
        rows, others = _product(begin[part], count[part], other_begin[part], other_count[part])
        if len(rows):
            yield CommonRows(
                np.asarray(one.instant[rows], np.int64),
                np.searchsorted(first.tracks, one.track[rows]),
                np.searchsorted(second.tracks, other.track[others]),
                np.stack([one.points[rows], other.points[others]]),
                np.minimum(one.weight[rows], other.weight[others]),
                (one.head[rows] + other.head[others]) / 2.0,
            )
        start = stop


def _extent(seen: Observations, instants: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    begin = np.searchsorted(seen.instant, instants)
    return begin, np.searchsorted(seen.instant, instants, side="right") - begin


def _product(
    begin: NDArray[np.intp], count: NDArray[np.intp], other_begin: NDArray[np.intp], other_count: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row numbers of all combinations within each instant."""
    size = count * other_count
    within = numbered(size)
    width = np.repeat(other_count, size)
    return np.repeat(begin, size) + within // width, np.repeat(other_begin, size) + within % width
