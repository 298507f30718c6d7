"""Round shapes: parts turned on a lathe, cylinders, balls, rods and hoses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from or_mv_anon.simulation.room.solid import Solid, aim, join, unit

CREASE = np.cos(np.radians(40))  # sharper profile corners than this are edges, softer ones are rounded


def lathe(profile: Sequence[tuple[float, float]], *, segments: int = 20) -> Solid:
    """A profile of (radius, z) turned about z; walk it with the solid on the left: from the bottom up, outside."""
    outline = np.asarray(profile, float)
    keep = np.r_[True, np.linalg.norm(np.diff(outline, axis=0), axis=1) > 1e-9]
    outline = outline[keep]
    step = np.diff(outline, axis=0)
    facing = unit(np.stack([step[:, 1], -step[:, 0]], axis=1))
    angles = np.linspace(0, 2 * np.pi, segments + 1)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    along = np.r_[0, np.cumsum(np.linalg.norm(step, axis=1))]
    pieces = []
    for k in range(len(step)):
        rings = []
        for end, other in ((k, k - 1), (k + 1, k + 1)):
            normal = facing[k]
            if 0 <= other < len(step) and facing[k] @ facing[other] > CREASE:
                normal = unit(facing[k] + facing[other])
            radius, height = outline[end]
            rings.append(
                (
                    np.c_[around * radius, np.full(segments + 1, height)],
                    np.c_[around * normal[0], np.full(segments + 1, normal[1])],
                    np.c_[angles / (2 * np.pi), np.full(segments + 1, along[end] / along[-1])],
                )
            )
        (low, low_normal, low_uv), (high, high_normal, high_uv) = rings
        i = np.arange(segments)
        n = segments + 1
        triangles = []
        if outline[k][0] > 1e-9:
            triangles.append(np.stack([i, i + 1, i + n + 1], axis=1))
        if outline[k + 1][0] > 1e-9:
            triangles.append(np.stack([i, i + n + 1, i + n], axis=1))
        pieces.append(
            Solid(
                np.r_[low, high],
                np.concatenate(triangles).astype(np.int32),
                np.r_[low_normal, high_normal],
                np.r_[low_uv, high_uv],
            )
        )
    return join(*pieces)


def cylinder(
    radius: float, height: float, *, top: float | None = None, bevel: float = 0.0, segments: int = 20
) -> Solid:
    """A cylinder standing on z = 0, or with a `top` radius a cone; `bevel` rounds its rims (metres)."""
    top = radius if top is None else top
    bevel = min(bevel, 0.45 * height, 0.9 * min(radius, top))
    if bevel <= 0:
        return lathe([(0, 0), (radius, 0), (top, height), (0, height)], segments=segments)
    k = 0.3 * bevel
    profile = [(0, 0), (radius - bevel, 0), (radius - k, k), (radius, bevel)]
    profile += [(top, height - bevel), (top - k, height - k), (top - bevel, height), (0, height)]
    return lathe(profile, segments=segments)


def ball(radius: float, *, segments: int = 16) -> Solid:
    """A sphere about the origin."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, max(5, segments // 2 + 1))
    profile = [(max(0.0, float(radius * np.cos(a))), float(radius * np.sin(a))) for a in angles]
    profile[0], profile[-1] = (0.0, -radius), (0.0, radius)
    return lathe(profile, segments=segments)


def rod(start: ArrayLike, end: ArrayLike, radius: float, *, top: float | None = None, segments: int = 12) -> Solid:
    """A round bar between two points."""
    a, b = np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(b - a))
    return cylinder(radius, length, top=top, segments=segments).moved(aim(b - a), a)


def tube(path: ArrayLike, radius: float | NDArray[Any], *, segments: int = 8, closed: bool = True) -> Solid:
    """A hose along points (N, 3), of one radius or one per point (corrugated); `closed` caps its ends."""
    points = np.asarray(path, float)
    radii = np.broadcast_to(np.asarray(radius, float), len(points))
    tangents = unit(np.gradient(points, axis=0))
    frame = aim(tangents[0])[:, 0]
    angles = np.linspace(0, 2 * np.pi, segments + 1)
    vertices, normals = [], []
    for point, tangent, size in zip(points, tangents, radii, strict=True):
        frame = frame - (frame @ tangent) * tangent
        frame /= np.linalg.norm(frame)
        outward = np.outer(np.cos(angles), frame) + np.outer(np.sin(angles), np.cross(tangent, frame))
        vertices.append(point + outward * size)
        normals.append(outward)
    n = segments + 1
    rows, i = np.arange(len(points) - 1)[:, None] * n, np.arange(segments)
    triangles = [
        np.stack([rows + i, rows + i + 1, rows + i + n + 1], -1).reshape(-1, 3),
        np.stack([rows + i, rows + i + n + 1, rows + i + n], -1).reshape(-1, 3),
    ]
    uv = np.stack(np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, len(points))), axis=-1).reshape(-1, 2)
    if closed:
        last = (len(points) - 1) * n
        fan = np.arange(1, segments - 1)
        triangles.append(np.stack([np.zeros_like(fan), fan + 1, fan], axis=1))
        triangles.append(np.stack([np.zeros_like(fan), fan, fan + 1], axis=1) + last)
    return Solid(np.concatenate(vertices), np.concatenate(triangles).astype(np.int32), np.concatenate(normals), uv)
