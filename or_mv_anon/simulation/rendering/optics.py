"""The matrices between the world, cameras, lights and the clip space of OpenGL, and what lies outside of them.

Pictures are rendered upside down for OpenGL, so that row 0 of what is read back is the top row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.scene import Light, View

Matrix = NDArray[np.float64]

NEAR = 0.08  # metres: nothing closer to a camera is drawn
FAR = 60.0
SHADOW_NEAR = 0.12  # metres: what is closer to a lamp, such as its own housing, casts no shadow
WIDEST_SHADOW = 2.6  # radians: a shadow map cannot open wider


def clip_from_world(view: View) -> Matrix:
    """(4, 4) OpenGL clip coordinates of homogeneous world points, the picture's top at y = -1."""
    to_camera = np.eye(4)
    to_camera[:3, :3] = view.rotation
    to_camera[:3, 3] = view.translation
    lens = np.zeros((4, 4))
    lens[0, :3] = 2.0 / view.width * view.matrix[0] - view.matrix[2]
    lens[1, :3] = 2.0 / view.height * view.matrix[1] - view.matrix[2]
    lens[2, 2:] = (FAR + NEAR) / (FAR - NEAR), -2.0 * FAR * NEAR / (FAR - NEAR)
    lens[3, 2] = 1.0
    return lens @ to_camera


def ray_from_pixel(view: View) -> Matrix:
    """(3, 3) world direction, of depth 1 along the optical axis, of a homogeneous pixel."""
    return np.asarray(view.rotation.T @ np.linalg.inv(view.matrix), np.float64)


def shadow_from_world(light: Light) -> tuple[Matrix, tuple[float, float, float]]:
    """(4, 4) clip coordinates of a light's shadow map, and its lens.

    The lens is (near, far, share of the map that a metre at 1 m from the light covers).
    """
    position = np.asarray(light.position, np.float64)
    forward = np.asarray(light.target, np.float64) - position
    forward /= np.linalg.norm(forward)
    aside = np.cross(forward, (0.0, 1.0, 0.0) if abs(forward[1]) < 0.9 else (1.0, 0.0, 0.0))
    aside /= np.linalg.norm(aside)
    to_light = np.eye(4)
    to_light[:3, :3] = np.stack([aside, np.cross(forward, aside), forward])
    to_light[:3, 3] = -to_light[:3, :3] @ position
    zoom = 1.0 / np.tan(min(light.cone, WIDEST_SHADOW) / 2.0)
    near, far = SHADOW_NEAR, 20.0
    lens = np.diag([zoom, zoom, 0.0, 0.0])
    lens[2, 2:] = (far + near) / (far - near), -2.0 * far * near / (far - near)
    lens[3, 2] = 1.0
    return lens @ to_light, (near, far, zoom / 2.0)


def outside(clip: Matrix, low: NDArray[np.float32], high: NDArray[np.float32]) -> bool:
    """Whether the world box from `low` to `high` surely shows nothing in clip space."""
    image = _corners(low, high) @ clip.T
    limit = image[:, 3:]
    return bool((image[:, :3] < -limit).all(axis=0).any() or (image[:, :3] > limit).all(axis=0).any())


def window(
    clip: Matrix, low: NDArray[np.float32], high: NDArray[np.float32], size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Columns and rows (x, y, width, height) of a picture of `size` outside which a world box surely does not show."""
    image = _corners(low, high) @ clip.T
    if (image[:, 3] <= NEAR).any():
        return (0, 0, *size)
    places = (image[:, :2] / image[:, 3:] + 1.0) / 2.0 * size
    first = np.clip(np.floor(places.min(axis=0)) - 1, 0, size).astype(int)
    last = np.clip(np.ceil(places.max(axis=0)) + 1, first, size).astype(int)
    return int(first[0]), int(first[1]), int(last[0] - first[0]), int(last[1] - first[1])


def _corners(low: NDArray[np.float32], high: NDArray[np.float32]) -> Matrix:
    return np.array([[x, y, z, 1.0] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
