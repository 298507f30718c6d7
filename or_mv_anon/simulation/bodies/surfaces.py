"""Triangle surfaces built from curves and grids: normals, sheets, tubes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def vertex_normals(vertices: NDArray[np.floating], triangles: NDArray[np.integer]) -> NDArray[np.float32]:
    """Unit normals (V, 3), area-weighted means over the triangles around each vertex; zero where there are none."""
    points = np.asarray(vertices, np.float64)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    total = np.stack([np.bincount(triangles.ravel(), np.repeat(face[:, k], 3), len(points)) for k in range(3)], axis=1)
    return (total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def sheet_triangles(rows: int, columns: int, *, closed: bool = False) -> NDArray[np.int32]:
    """Triangles over a grid of vertices, row by row.

    Seen from the side where columns run to the right and rows run up they are counter-clockwise.

    Args:
        rows, columns: of vertices.
        closed: whether the last column joins the first.
    """
    across = columns if closed else columns - 1
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(across), indexing="ij")
    here, right = r * columns + c, r * columns + (c + 1) % columns
    above, above_right = here + columns, right + columns
    lower = np.stack([here, right, above_right], -1).reshape(-1, 3)
    upper = np.stack([here, above_right, above], -1).reshape(-1, 3)
    return np.concatenate([lower, upper]).astype(np.int32)


def sheet_uv(rows: int, columns: int) -> NDArray[np.float32]:
    """Texture coordinates (rows * columns, 2) of a grid: u along the columns, v up the rows."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    return np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)


def tube(
    path: NDArray[np.floating],
    *,
    width: float,
    height: float,
    outward: NDArray[np.floating],
    closed: bool = False,
    sides: int = 6,
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
    """A tube of elliptic section along a path.

    Args:
        path: (N, 3) its middle line, metres.
        width: of the section along the surface it lies on.
        height: of the section along `outward`.
        outward: (3,) or (N, 3) directions away from the surface.
        closed: whether the end joins the beginning.
        sides: corners of the section.

    Returns:
        Vertices (M, 3), triangles (T, 3), and the path point (M,) that each vertex belongs to.
    """
    line = np.asarray(path, np.float64)
    ahead = np.roll(line, -1, 0) - np.roll(line, 1, 0)
    if not closed:
        ahead[0], ahead[-1] = line[1] - line[0], line[-1] - line[-2]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    up = np.broadcast_to(np.asarray(outward, np.float64), line.shape)
    up = up - np.sum(up * ahead, 1, keepdims=True) * ahead
    up /= np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)
    aside = np.cross(up, ahead)
    turn = np.arange(sides) * 2 * np.pi / sides
    section = np.cos(turn)[None, :, None] * aside[:, None] * width / 2
    section = section + np.sin(turn)[None, :, None] * up[:, None] * height / 2
    vertices = (line[:, None] + section).reshape(-1, 3)
    rows = np.vstack([np.arange(len(line) * sides).reshape(-1, sides), np.arange(sides)[None]]) if closed else None
    if rows is None:
        triangles = sheet_triangles(len(line), sides, closed=True)
    else:
        flat = rows.reshape(-1).astype(np.int32)
        triangles = flat[sheet_triangles(len(line) + 1, sides, closed=True)]
    return vertices, triangles, np.repeat(np.arange(len(line)), sides)
