"""Small meshes of known shape for testing the renderer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.scene import Material, Mesh

DIM = ((0.2, 0.2, 0.2), (0.2, 0.2, 0.2))
DARK = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


def box(low: tuple[float, ...], high: tuple[float, ...], **options: Any) -> Mesh:
    """A solid box with a vertex of its own for every corner of every side."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32)
    corners = corners * np.subtract(high, low) + low
    sides = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    triangles = np.concatenate(
        [[[4 * side, 4 * side + 1, 4 * side + 2], [4 * side, 4 * side + 2, 4 * side + 3]] for side in range(6)]
    )
    options.setdefault("material", Material())
    return Mesh(corners[sides].reshape(-1, 3).astype(np.float32), triangles.astype(np.int32), **options)


def square(centre: tuple[float, float, float], half: float, *, facing: str = "y", **options: Any) -> Mesh:
    """A square that faces −y, or up with `facing="z"`."""
    along = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32) * half
    flat = np.zeros((4, 3), np.float32)
    flat[:, 0] = along[:, 0]
    flat[:, 2 if facing == "y" else 1] = along[:, 1]
    options.setdefault("material", Material())
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    return Mesh(flat + np.float32(centre), np.array([[0, 1, 2], [0, 2, 3]], np.int32), uv=uv, **options)


def moved(mesh: Mesh, by: tuple[float, float, float]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Vertices moved, and normals that face −y."""
    return mesh.vertices + np.float32(by), np.tile(np.float32([0, -1, 0]), (len(mesh.vertices), 1))
