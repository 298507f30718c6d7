"""Which frames are looked at: a cadence that depends on the recording's clock alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def due(times: NDArray[np.float64], interval: float) -> NDArray[np.bool_]:
    """Mask of the first frame in every `interval` seconds, and the last frame; all frames if `interval` is 0."""
    if interval <= 0 or not len(times):
        return np.ones(len(times), bool)
    slot = np.floor((times - times[0]) / interval + 1e-6)
    mask = np.r_[True, np.diff(slot) > 0]
    mask[-1] = True
    return mask
