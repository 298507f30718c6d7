"""Which frames are looked at: a cadence that depends on the pictures' own clock alone, recorded or live."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Cadence:
    """Picks the first frame in every `interval` seconds, however the frames come: all at once, or one by one.

    Time is cut into slots of the interval, beginning with the first frame, so that the choice depends on nothing but
    the frames' times.
    """

    def __init__(self, interval: float) -> None:
        """`interval` is in seconds; 0 picks every frame."""
        self._interval = interval
        self._begin: float | None = None  # of the first slot
        self._slot = 0.0  # of the frame before
        self._picked = 0.0  # time of the frame that was picked last

    @property
    def interval(self) -> float:
        """Seconds."""
        return self._interval

    @interval.setter
    def interval(self, interval: float) -> None:
        """From now on; slots begin anew with the frame that was picked last, so that no look is lost or doubled."""
        if interval != self._interval and self._begin is not None:
            self._begin, self._slot = self._picked, 0.0
        self._interval = interval

    def due(self, times: ArrayLike) -> NDArray[np.bool_]:
        """Mask ``(N,)`` of the picked ones among the next frames, taken at `times` ``(N,)`` seconds, in order."""
        seconds = np.asarray(times, np.float64)
        if not len(seconds):
            return np.zeros(0, bool)
        first = self._begin is None
        if self._begin is None:
            self._begin = float(seconds[0])
        if self._interval <= 0:
            mask = np.ones(len(seconds), bool)
        else:
            slot = np.floor((seconds - self._begin) / self._interval + 1e-6)
            mask = np.diff(slot, prepend=slot[0] - 1 if first else self._slot) > 0
            self._slot = float(slot[-1])
        if mask.any():
            self._picked = float(seconds[np.flatnonzero(mask)[-1]])
        return mask


def due(times: NDArray[np.float64], interval: float) -> NDArray[np.bool_]:
    """Mask of the frames of a whole recording that a `Cadence` picks, and its last frame."""
    mask = Cadence(interval).due(times)
    mask[-1:] = True
    return mask
