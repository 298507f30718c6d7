"""Where hair grows on a head: scalp, sideburns, nape, beard, as signed fields over head coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# How far up the hair begins, by how far forward: nape, behind the ear, over the ear, sideburn, temple, forehead.
_FORWARD = [-0.080, -0.062, -0.045, -0.036, -0.030, 0.004, 0.010, 0.019, 0.030, 0.036, 0.050, 0.072, 0.090, 0.105]
_BEGINS = [-0.070, -0.068, -0.055, -0.020, 0.026, 0.034, 0.014, -0.012, -0.008, 0.025, 0.056, 0.080, 0.088, 0.094]
_TEMPLE = 0.06


def scalp(points: NDArray[np.floating], *, receding: float = 0.0) -> NDArray[np.float64]:
    """How deep inside the hair head points (..., 3) lie, metres; negative outside.

    Args:
        points: head coordinates.
        receding: 0 full hair to 1 high forehead and temples.
    """
    _, f, u = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    begins = np.interp(f, _FORWARD, _BEGINS)
    temples = np.exp(-(((f - _TEMPLE) / 0.025) ** 2)) * 0.022 + np.clip((f - 0.05) / 0.05, 0, 1) * 0.014
    return u - begins - receding * temples


def beard(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """How deep inside the beard head points (..., 3) lie, metres; negative outside."""
    x, f, u = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    side = np.abs(x)
    upper = np.interp(f, [0.015, 0.04, 0.07, 0.09, 0.102], [-0.012, -0.030, -0.044, -0.044, -0.036])
    lips = np.hypot(side / 0.025, (u + 0.0545) / 0.0085) < 1
    lower = -0.118 + 0.35 * np.maximum(0.07 - f, 0)
    depth = np.minimum(upper - u, u - lower)
    depth = np.minimum(depth, f - 0.012)
    return np.where(lips & (f > 0.07), -0.01, depth)
