"""Flat-sided shapes: boxes with soft edges, prisms, panels for pictures, and sheets of cloth."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from or_mv_anon.simulation.room.solid import Solid, join, smooth_normals

_QUAD = (
    (slice(None, -1), slice(None, -1)),
    (slice(1, None), slice(None, -1)),
    (slice(1, None), slice(1, None)),
    (slice(None, -1), slice(1, None)),
)


def box(x: float, y: float, z: float, *, bevel: float = 0.0) -> Solid:
    """A box of that size standing on z = 0, centred in x and y; `bevel` rounds its edges (metres).

    Every face has texture coordinates 0..1, upright on the sides as seen from outside.
    """
    half = np.array([x, y, z]) / 2
    bevel = min(bevel, 0.9 * float(half.min()))
    normals, along, uv, triangles = _box_pattern()
    points = normals * half + along * (half - bevel) + (0, 0, half[2])
    return Solid(points, triangles if bevel > 0 else triangles[:12], normals, uv)


@lru_cache(maxsize=1)
def _box_pattern() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
    """Of a box's 24 vertices: face normals, directions along the face, uv; its triangles, the 12 flat ones first."""
    normals: list[NDArray[Any]] = []
    along: list[NDArray[Any]] = []
    uv: list[tuple[float, float]] = []
    corner_of: dict[Any, int] = {}
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1), (2, 1), (2, -1)):
        normal = np.eye(3)[axis] * sign
        up = np.array([0.0, 0, 1]) if axis < 2 else np.array([1.0, 0, 0])
        right = np.cross(up, normal)
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            corner_of[axis, tuple((a * right + b * up + normal).astype(int))] = len(normals)
            normals.append(normal)
            along.append(a * right + b * up)
            uv.append(((a + 1) / 2, (b + 1) / 2))
    triangles = [(4 * f + i, 4 * f + j, 4 * f + k) for f in range(6) for i, j, k in ((0, 1, 2), (0, 2, 3))]
    triangles += _bevel_triangles(np.array(normals) + 0.9 * np.array(along), corner_of)
    return np.array(normals), np.array(along), np.array(uv), np.array(triangles, np.int32)


def _bevel_triangles(points: NDArray[Any], corner_of: dict[Any, int]) -> list[tuple[int, int, int]]:
    triangles = []
    signs = (-1, 1)
    for axis in range(3):  # the edges along this axis
        a, b = (axis + 1) % 3, (axis + 2) % 3
        for sa in signs:
            for sb in signs:
                ends = []
                for s in signs:
                    corner = [0, 0, 0]
                    corner[axis], corner[a], corner[b] = s, sa, sb
                    ends.append((corner_of[a, tuple(corner)], corner_of[b, tuple(corner)]))
                (p, q), (r, t) = ends
                triangles += [_outward(points, p, q, t), _outward(points, p, t, r)]
    for corner in {key[1] for key in corner_of}:
        triangles.append(_outward(points, *(corner_of[axis, corner] for axis in range(3))))
    return triangles


def _outward(points: NDArray[Any], i: int, j: int, k: int) -> tuple[int, int, int]:
    normal = np.cross(points[j] - points[i], points[k] - points[i])
    return (i, j, k) if normal @ (points[i] + points[j] + points[k]) > 0 else (i, k, j)


def prism(outline: ArrayLike, height: float) -> Solid:
    """A convex outline (N, 2), counter-clockwise, raised from z = 0."""
    corners = np.asarray(outline, float)
    n = len(corners)
    size = np.ptp(corners, axis=0)
    flat_uv = (corners - corners.min(axis=0)) / size
    fan = np.stack([np.zeros(n - 2, int), np.arange(1, n - 1), np.arange(2, n)], axis=1).astype(np.int32)
    up, down = np.tile([0.0, 0, 1], (n, 1)), np.tile([0.0, 0, -1], (n, 1))
    pieces = [
        Solid(np.c_[corners, np.full(n, height)], fan, up, flat_uv),
        Solid(np.c_[corners, np.zeros(n)], fan[:, ::-1].astype(np.int32), down, flat_uv),
    ]
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        outward = np.array([b[1] - a[1], a[0] - b[0], 0]) / np.hypot(*(b - a))
        side = np.array([[*a, 0], [*b, 0], [*b, height], [*a, height]])
        square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
        pieces.append(Solid(side, np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.tile(outward, (4, 1)), square))
    return join(*pieces)


def panel(width: float, height: float) -> Solid:
    """An upright rectangle in the plane x = 0 that faces +x, centred in y, standing on z = 0; uv as a picture."""
    w = width / 2
    corners = np.array([[0, -w, 0], [0, w, 0], [0, w, height], [0, -w, height]], float)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    return Solid(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.tile([1.0, 0, 0], (4, 1)), uv)


def sheet(points: NDArray[Any], uv: NDArray[Any] | None = None) -> Solid:
    """A cloth through a grid of points (rows, columns, 3); its outside is row direction × column direction."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (index[i, j].ravel() for i, j in _QUAD)
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)
    flat = np.asarray(points, float).reshape(-1, 3)
    p, q, r = (flat[triangles[:, k]] for k in range(3))
    triangles = triangles[np.linalg.norm(np.cross(q - p, r - p), axis=1) > 1e-12]
    if uv is None:
        uv = np.stack(np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij"), axis=-1)
    return Solid(flat, triangles, smooth_normals(flat, triangles), uv.reshape(-1, 2))
