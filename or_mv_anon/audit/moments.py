"""When to look at a place that a cover has left: at the beginning of every stretch of time in which it is bare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.intervals import Clock

LOOK_S = 0.6  # seconds that show whether somebody is there
AGAIN = 0.3  # of what a look is worth, at a place that was looked at before
WAIT_S = 15.0  # seconds in the open after which it is worth looking again
DENSE_S = 1.0  # seconds beyond it in which every frame is looked at; farther away they lie apart by
THIN_S, THINNER = 0.2, 0.05  # so many seconds, or such a share of the distance


def frames_beyond(clock: Clock, frame: int, step: int, *, farthest_s: float) -> NDArray[np.int32]:
    """Frames of the time after `frame`, or before it, the nearest first; beyond the first second some stand for all."""
    row = int(np.searchsorted(clock.frame, frame))
    if step > 0:
        rows = np.arange(row + 1, np.searchsorted(clock.starts, clock.ends[row] + farthest_s))
    else:
        rows = np.arange(np.searchsorted(clock.ends, clock.starts[row] - farthest_s), row)[::-1]
    away = np.abs(clock.starts[rows] - clock.starts[row])
    kept = np.zeros(len(rows), bool)
    reached = -np.inf
    for i, seconds in enumerate(away.tolist()):
        if seconds < DENSE_S or seconds - reached >= max(THIN_S, THINNER * seconds):
            kept[i], reached = True, seconds
    return clock.frame[rows[kept]]


@dataclass(frozen=True)
class Moment:
    """When to look at a place, until when it may be in the open, and for how long a head that was there is then."""

    start: float
    end: float
    until: float
    worth: float


def moments_of(
    clock: Clock, beyond: NDArray[np.int32], bare: NDArray[np.bool_], staying: Mapping[float, float], step: int
) -> Iterator[Moment]:
    """One at the nearer end of every stretch in which the place is bare, and one more where that is long."""
    starts, ends = clock.start(beyond), clock.end(beyond)
    away = starts - starts[0] if step > 0 else ends[0] - ends
    length = np.diff(away, append=away[-1:] + float(ends[-1] - starts[-1]))
    there = sum(share * np.exp(-away / seconds) for seconds, share in staying.items())
    expected = np.asarray(there * length)
    rows = np.flatnonzero(bare)
    stretch = np.cumsum(np.diff(rows, prepend=rows[0]) > 1)
    since = away[rows] - away[rows][np.searchsorted(stretch, stretch)]
    number = stretch * 2 + (since >= WAIT_S)
    for each in np.unique(number).tolist():
        part = rows[number == each]
        look = part[np.abs(away[part] - away[part[0]]) < LOOK_S]
        yield Moment(
            start=float(starts[look].min()),
            end=float(ends[look].max()),
            until=float(ends[part].max()),
            worth=(AGAIN if each > number[0] else 1.0) * float(expected[part].sum()),
        )
