"""Which instants of a session each camera records, and what its own clock says then.

Instants are the session's common moments, `rate` per second. A camera may start late, take every other instant, drop
frames, and count its time from where it likes; the site's `offset_s` brings its time back to the session's.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.cameras.placing import Camera

TIME_BASE = Fraction(1, 90000)  # seconds per tick, the clock of network cameras
_DROPPING = 71  # keeps this use of the seed apart from others


@dataclass(frozen=True, eq=False)
class Schedule:
    """A camera's frames in order.

    Attributes:
        instants: (N,) int, the session's moments that it recorded.
        pts: (N,) int64, ticks of `TIME_BASE` on its own clock.
        offset: seconds to add to its clock to get session time.
        fps: frames per second when none is dropped.
    """

    instants: NDArray[np.int64]
    pts: NDArray[np.int64]
    offset: float
    fps: Fraction

    @property
    def times(self) -> NDArray[np.float64]:
        """(N,) seconds on the camera's own clock."""
        return np.asarray(self.pts * float(TIME_BASE))

    def between(self, first: int, stop: int) -> slice:
        """The frames whose instants lie in first..stop - 1."""
        low, high = np.searchsorted(self.instants, [first, stop])
        return slice(int(low), int(high))


def plan_schedule(camera: Camera, number: int, *, instants: int, rate: Fraction, seed: int) -> Schedule:
    """The frames of the site's camera `number` in a session of so many `instants`."""
    clock = camera.clock
    start = int(np.ceil(clock.start * float(rate) - 1e-9))
    start += -start % clock.every
    start = min(start, (instants - 1) // clock.every * clock.every)  # a session too short for it has one picture
    taken = np.arange(start, instants, clock.every)
    kept: NDArray[Any] = np.random.default_rng([seed, _DROPPING, number]).random(instants) >= clock.drop_rate
    kept[start] = True  # the file begins with a picture
    taken = taken[kept[taken]]
    first_tick = round(clock.first_stamp / TIME_BASE)
    ticks = [first_tick + round((int(i) - start) / rate / TIME_BASE) for i in taken]
    offset = Fraction(start) / rate - first_tick * TIME_BASE
    return Schedule(taken, np.array(ticks, np.int64), float(offset), rate / clock.every)
