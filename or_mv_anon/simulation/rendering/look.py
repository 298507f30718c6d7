"""Aims a camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from or_mv_anon.simulation.scene import View


def look_at(eye: Sequence[float], target: Sequence[float], *, width: int, height: int, field_of_view: float) -> View:
    """A level camera at `eye` that has `target` in the middle of its picture.

    Args:
        eye, target: world points in metres, not the same.
        width, height: of the picture, in pixels.
        field_of_view: horizontal, in radians.
    """
    place = np.asarray(eye, np.float64)
    forward = np.asarray(target, np.float64) - place
    forward /= np.linalg.norm(forward)
    down = (0.0, 0.0, -1.0) if abs(forward[2]) < 0.9999 else (0.0, -1.0, 0.0)
    right = np.cross(down, forward)
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    focal = width / 2.0 / np.tan(field_of_view / 2.0)
    matrix = np.array([[focal, 0.0, width / 2.0], [0.0, focal, height / 2.0], [0.0, 0.0, 1.0]])
    return View(width, height, matrix, rotation, -rotation @ place)
