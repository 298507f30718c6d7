"""Folds and creases as displacements: smooth random fields, drawn out along the way that cloth hangs or is pulled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from or_mv_anon.simulation.clothes.cloth import Points

_TABLE = 32  # cells before the random field repeats, far more than a garment has


def noise(places: NDArray[Any], rng: np.random.Generator) -> Points:
    """Smooth random values (N,), deviation about 1, at places (N, 3) counted in cells of about one bump each."""
    table = rng.normal(size=(_TABLE,) * 3)
    return np.asarray(map_coordinates(table, np.asarray(places).T, order=3, mode="grid-wrap")) * 1.5


def folds(
    points: Points,
    rng: np.random.Generator,
    *,
    along: Sequence[float] | NDArray[Any],
    spacing: float,
    length: float,
    sharpness: float = 1.0,
) -> Points:
    """Heights (N,), about −1 to 1, of folds that run along a direction.

    Args:
        points: (N, 3) metres.
        rng: what makes these folds others than the next.
        along: direction (3,) or (N, 3) in which the folds run, of any length.
        spacing: metres from fold to fold.
        length: metres that a fold runs.
        sharpness: over 1 narrows the ridges and widens the valleys.
    """
    axis = np.broadcast_to(np.asarray(along, np.float64), points.shape)
    axis = axis / np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    run = np.sum(points * axis, axis=1, keepdims=True)
    places = (points - run * axis) / spacing + run * axis / length
    # a slow wander keeps folds from being parallel
    wander = np.stack([noise(points / (4 * spacing), rng) for _ in range(3)], axis=1)
    value = np.tanh(noise(places + 0.35 * wander, rng))
    lifted = 0.5 + 0.5 * value
    return np.asarray(2 * lifted**sharpness - 1)
