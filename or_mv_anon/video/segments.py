"""Cutting a recording into pieces that are encoded and resumed independently."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError


@dataclass(frozen=True)
class Segment:
    """Frames ``first`` to ``stop - 1`` of a source, in display order."""

    number: int  # 0, 1, 2, ...
    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first


class Timeline(Protocol):
    """What planning needs to know of a source or its index."""

    @property
    def pts(self) -> NDArray[np.int64]: ...
    @property
    def times(self) -> NDArray[np.float64]: ...
    @property
    def keyframes(self) -> NDArray[np.int64]: ...
    @property
    def seekable(self) -> bool: ...


def plan_segments(
    index: Timeline, *, seconds: float, start: float | None = None, end: float | None = None
) -> list[Segment]:
    """Segments that cover every frame with ``start <= time < end`` exactly once.

    A boundary falls on the last keyframe within `seconds` of the segment's start, or on the first keyframe within
    another `seconds`, so that no frame is decoded twice; where there is none it falls after `seconds`. A source that
    cannot be sought is one segment.

    Args:
        index: the source's timestamps.
        seconds: wished length of a segment, more than 0.
        start: seconds on the stream's own clock; None for the beginning.
        end: seconds on the stream's own clock, exclusive; None for the end.

    Raises:
        UserError: no frame lies in the asked interval.
    """
    times = index.times
    first = 0 if start is None else int(np.searchsorted(times, start))
    stop = len(times) if end is None else int(np.searchsorted(times, end))
    if first >= stop:
        interval = (
            f"{'the beginning' if start is None else f'{start:g} s'} and {'the end' if end is None else f'{end:g} s'}"
        )
        raise UserError(
            f"No frame lies between {interval}; the recording runs from {times[0]:.3f} s to {times[-1]:.3f} s."
        )
    if not index.seekable:
        return [Segment(0, first, stop)]
    entries = np.searchsorted(index.pts, index.keyframes)
    bounds = [first]
    while bounds[-1] < stop:
        bounds.append(min(stop, _next_bound(times, entries, bounds[-1], stop, seconds)))
    return [Segment(n, a, b) for n, (a, b) in enumerate(pairwise(bounds))]


def _next_bound(times: NDArray[np.float64], entries: NDArray[np.intp], first: int, stop: int, seconds: float) -> int:
    target = int(np.searchsorted(times, times[first] + seconds))
    if target >= stop:
        return stop
    within = int(np.searchsorted(entries, target, side="right")) - 1
    if within >= 0 and entries[within] > first:
        return int(entries[within])
    following = int(np.searchsorted(entries, target))
    if following < len(entries) and times[entries[following]] <= times[first] + 2 * seconds:
        return int(entries[following])
    return max(first + 1, target)
