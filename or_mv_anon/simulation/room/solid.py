"""A piece of equipment's shape: triangles with outward normals, moved, turned, joined.

Shapes are in metres in their own frame, triangles counter-clockwise seen from outside, normals unit and outward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Solid:
    """Vertices (V, 3), triangles (T, 3), unit normals (V, 3) and texture coordinates (V, 2), v upwards."""

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]
    normals: NDArray[np.float64]
    uv: NDArray[np.float64]

    def at(self, x: float = 0.0, y: float = 0.0, z: float = 0.0, *, turn: float = 0.0) -> Solid:
        """Turned about the upright axis (radians), then moved."""
        return self.moved(upright(turn), (x, y, z))

    def on(self, spot: ArrayLike, z: float = 0.0, *, turn: float = 0.0) -> Solid:
        """As `at`, on a spot (x, y), raised by `z`, or at a point (x, y, z)."""
        place = np.asarray(spot, float)
        return self.moved(upright(turn), place if len(place) == 3 else np.append(place, z))

    def moved(self, rotation: ArrayLike, offset: ArrayLike) -> Solid:
        """Rotated by a (3, 3) matrix, then moved."""
        matrix = np.asarray(rotation, float)
        return Solid(self.vertices @ matrix.T + np.asarray(offset), self.triangles, self.normals @ matrix.T, self.uv)

    def scaled(self, x: float, y: float, z: float) -> Solid:
        """Stretched along the axes by positive factors."""
        factors = np.array([x, y, z])
        normals = self.normals / factors
        return Solid(self.vertices * factors, self.triangles, unit(normals), self.uv)

    def textured(self, low: tuple[float, float], high: tuple[float, float]) -> Solid:
        """Its texture coordinates squeezed into a rectangle of an atlas."""
        size = np.subtract(high, low)
        return Solid(self.vertices, self.triangles, self.normals, self.uv * size + low)

    @property
    def volume(self) -> float:
        """Signed volume in cubic metres; positive for a closed solid whose triangles face outwards."""
        a, b, c = (self.vertices[self.triangles[:, k]] for k in range(3))
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def upright(turn: float) -> NDArray[np.float64]:
    """Rotation (3, 3) about the upright axis."""
    c, s = np.cos(turn), np.sin(turn)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def tilt(angle: float, axis: str = "y") -> NDArray[np.float64]:
    """Rotation (3, 3) about the x or the y axis."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]] if axis == "x" else [[c, 0, s], [0, 1, 0], [-s, 0, c]])


def aim(direction: ArrayLike) -> NDArray[np.float64]:
    """A rotation (3, 3) that takes the z axis to a direction."""
    z = unit(np.asarray(direction, float))
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], axis=1)


def join(*solids: Solid) -> Solid:
    """Several solids as one."""
    starts = np.cumsum([0, *(len(solid.vertices) for solid in solids[:-1])])
    return Solid(
        np.concatenate([solid.vertices for solid in solids]),
        np.concatenate([solid.triangles + start for solid, start in zip(solids, starts, strict=True)]).astype(np.int32),
        np.concatenate([solid.normals for solid in solids]),
        np.concatenate([solid.uv for solid in solids]),
    )


def smooth_normals(vertices: NDArray[Any], triangles: NDArray[Any]) -> NDArray[np.float64]:
    """Unit vertex normals (V, 3), the area-weighted mean of the triangles around; vertices in one place share one."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    facing = np.cross(b - a, c - a)
    _, place = np.unique(np.round(vertices, 6), axis=0, return_inverse=True)
    place = place.reshape(-1)
    total = np.zeros((place.max() + 1, 3))
    for k in range(3):
        np.add.at(total, place[triangles[:, k]], facing)
    total[np.linalg.norm(total, axis=1) < 1e-15] = (0, 0, 1)
    return unit(total)[place]


def unit(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Vectors (..., 3) or (..., 2) made of length one; a zero vector stays."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12))
