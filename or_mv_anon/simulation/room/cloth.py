"""Cloth that hangs over furniture: a flat top and a skirt that falls in folds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.room.blocks import sheet
from or_mv_anon.simulation.room.solid import Solid, join


def folds(along: NDArray[Any], rng: np.random.Generator, *, per_metre: float = 6.0) -> NDArray[np.float64]:
    """How far cloth stands out (-1..1) along its hem, given positions in metres along it."""
    bend = 0.6 * np.sin(2.1 * along + rng.uniform(0, 6.28))
    wide = np.sin(2 * np.pi * per_metre / 2 * along + bend * 2 + rng.uniform(0, 6.28))
    fine = np.sin(2 * np.pi * per_metre * along + bend * 3 + rng.uniform(0, 6.28))
    return np.asarray(0.65 * wide + 0.35 * fine)


def cover(
    depth: float,
    width: float,
    top: float,
    hem: float,
    rng: np.random.Generator,
    *,
    flare: float = 0.05,
    sag: float = 0.0,
    points: int = 120,
) -> Solid:
    """A cloth over a box of that size and height that hangs down to `hem` metres above the floor.

    Args:
        depth, width: metres, of the box.
        top: height of the box.
        hem: height of the cloth's lower edge, about.
        rng: draws the folds.
        flare: metres that the folds stand out at the hem.
        sag: metres by which the middle of the top is higher, for cloth over something round.
        points: around the hem.
    """
    edge = _rounded_outline(depth, width, 0.03, points)
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(edge, axis=0), axis=1))]
    outward = edge / np.linalg.norm(edge / (depth / 2, width / 2), axis=1, keepdims=True) ** 2
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    wave = folds(length / length[-1] * np.round(length[-1]), rng)
    wave[-1] = wave[0]
    drop = top - hem
    corner = (np.abs(edge[:, 0]) / (depth / 2)) * (np.abs(edge[:, 1]) / (width / 2))
    uneven = 0.03 * drop * (2 * corner**6 + wave)  # the hem hangs lower at the corners and in the folds
    uneven[-1] = uneven[0]
    rings = []
    for k in np.linspace(0, 1, 9):
        out = 0.006 + flare * k**0.8 * (0.9 + wave + 0.8 * corner**4)
        z = top + 0.004 - k * (drop + uneven)
        rings.append(np.c_[edge + outward * np.maximum(out, 0.004)[:, None], np.broadcast_to(z, len(edge))])
    grid = np.stack(rings)
    middle = grid[0].mean(axis=0) + np.array([0, 0, sag])
    inner = [middle + (grid[0] - middle) * (s, s, 1) for s in (0.0, 0.35, 0.7, 1.0)]
    for ring, s in zip(inner, (0.0, 0.35, 0.7, 1.0), strict=True):
        ring[:, 2] = top + 0.004 + sag * (1 - s**2)
    return join(sheet(np.stack(inner)), sheet(grid))


def _rounded_outline(depth: float, width: float, radius: float, points: int) -> NDArray[np.float64]:
    """A closed rectangle with round corners, counter-clockwise; the last point is the first."""
    corners = []
    for k, (x, y) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        angles = np.linspace(0, np.pi / 2, 5) + k * np.pi / 2
        centre = (x * (depth / 2 - radius), y * (width / 2 - radius))
        corners.append(np.c_[np.cos(angles), np.sin(angles)] * radius + centre)
    dense = np.concatenate([*corners, corners[0][:1]])
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))]
    at = np.linspace(0, length[-1], points)
    return np.stack([np.interp(at, length, dense[:, k]) for k in range(2)], axis=1)
