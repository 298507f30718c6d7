"""Stretches of time: the clock that maps frames to seconds, and the joining of flagged rows into runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.reasons import Reason
from or_mv_anon.core.records import Frames

ONLY_FRAME_S = 0.04  # seconds that a video of a single frame is taken to last
ROUNDING_S = 1e-6


@dataclass(frozen=True)
class RiskInterval:
    """One stretch of one camera's video that deserves a look.

    Attributes:
        start_s: start of the first frame, seconds of the camera's own timestamps.
        end_s: end of the last frame, same clock.
        first_frame: first frame, counted from 0.
        last_frame: last frame, included.
        reason: key into `or_mv_anon.audit.reasons.REASONS`.
        track: the person concerned, or -1.
        severity: [0, 1], by the tool's own ordering of reasons; not a probability.
        detail: one sentence with the figures.
    """

    start_s: float
    end_s: float
    first_frame: int
    last_frame: int
    reason: Reason
    track: int
    severity: float
    detail: str

    @property
    def duration_s(self) -> float:
        """Seconds from the start of the first frame to the end of the last."""
        return self.end_s - self.start_s

    @property
    def priority(self) -> float:
        """What intervals are ranked by: severity × seconds."""
        return self.severity * self.duration_s


@dataclass(frozen=True)
class Clock:
    """When each frame is on screen: ``(F,)`` frame numbers, ascending, with start and end seconds.

    A frame lasts until the next one's timestamp; the last one lasts the median duration.
    """

    frame: NDArray[np.int32]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]

    @classmethod
    def of(cls, frames: Frames) -> Clock:
        """The clock of a camera; timestamps that run backwards are held."""
        order = np.argsort(frames.frame, kind="stable")
        starts = np.maximum.accumulate(frames.time[order])
        steps = np.diff(starts)
        last = float(np.median(steps)) if len(steps) else ONLY_FRAME_S
        return cls(frames.frame[order], starts, np.append(starts[1:], starts[-1:] + last))

    @property
    def first(self) -> int:
        """The first frame's number; -1 without any frame."""
        return int(self.frame[0]) if len(self.frame) else -1

    @property
    def last(self) -> int:
        """The last frame's number; -1 without any frame."""
        return int(self.frame[-1]) if len(self.frame) else -1

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame's start to the last frame's end."""
        return float(self.ends[-1] - self.starts[0]) if len(self.frame) else 0.0

    def start(self, frame: NDArray[np.integer]) -> NDArray[np.float64]:
        """Start seconds of known frames."""
        return self.starts[np.searchsorted(self.frame, frame)]

    def end(self, frame: NDArray[np.integer]) -> NDArray[np.float64]:
        """End seconds of known frames."""
        return self.ends[np.searchsorted(self.frame, frame)]

    def span(self, first: int, last: int) -> tuple[float, float]:
        """Start of frame `first` and end of frame `last`, in seconds."""
        low, high = np.searchsorted(self.frame, [first, last])
        return float(self.starts[low]), float(self.ends[high])

    def after(self, frame: int, *, seconds: float) -> tuple[int, int]:
        """First and last of the frames that start within `seconds` after `frame` (not the last one) ended."""
        row = int(np.searchsorted(self.frame, frame))
        stop = int(np.searchsorted(self.starts, self.ends[row] + seconds - ROUNDING_S))
        return int(self.frame[row + 1]), int(self.frame[max(stop - 1, row + 1)])

    def before(self, frame: int, *, seconds: float) -> tuple[int, int]:
        """First and last of the frames that end within `seconds` before `frame` (not the first one) starts."""
        row = int(np.searchsorted(self.frame, frame))
        begin = int(np.searchsorted(self.ends, self.starts[row] - seconds + ROUNDING_S, side="right"))
        return int(self.frame[min(begin, row - 1)]), int(self.frame[row - 1])


@dataclass(frozen=True)
class Run:
    """Flagged rows of one key that lie close together in time."""

    key: int
    first_frame: int
    last_frame: int
    rows: int
    mean: float


def group_runs(
    frame: NDArray[np.integer],
    key: NDArray[np.integer],
    measure: NDArray[np.floating],
    clock: Clock,
    *,
    gap_s: float,
) -> list[Run]:
    """Joins rows of the same key whose frames are at most `gap_s` seconds apart.

    Args:
        frame: ``(N,)`` frame numbers known to the clock, in any order, repeated or not.
        key: ``(N,)`` rows of different keys are never joined.
        measure: ``(N,)`` averaged over each run's rows.
        clock: the camera's clock.
        gap_s: longest time between the end of one row's frame and the start of the next one's.

    Returns:
        Runs ordered by key, then time. Two runs of one key are always more than `gap_s` apart.
    """
    if not len(frame):
        return []
    order = np.lexsort((frame, key))
    frame, key = frame[order], key[order]
    apart = clock.start(frame[1:]) - clock.end(frame[:-1]) > gap_s + ROUNDING_S
    begin = np.flatnonzero(np.concatenate([[True], (key[1:] != key[:-1]) | apart]))
    end = np.append(begin[1:], len(frame)) - 1
    rows = end - begin + 1
    mean = np.add.reduceat(measure[order].astype(np.float64), begin) / rows
    columns = (key[begin], frame[begin], frame[end], rows, mean)
    return [Run(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
