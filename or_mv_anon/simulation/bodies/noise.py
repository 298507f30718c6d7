"""Smooth random fields over points in space: blotches of skin, crinkles of paper, the lie of hair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

_LATTICE = 32


class SmoothNoise:
    """A random field over space, made from an explicit seed, about -1 to 1, the same wherever it is asked."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._lattice = rng.normal(0, 0.55, (_LATTICE,) * 3).astype(np.float32)

    def __call__(self, points: NDArray[np.floating], size: float) -> NDArray[np.float32]:
        """Values (...,) at points (..., 3).

        Args:
            points: in any unit.
            size: distance over which the field changes, in that unit.
        """
        flat = np.asarray(points, np.float32).reshape(-1, 3).T / size
        values = map_coordinates(self._lattice, flat, order=1, mode="grid-wrap")
        return np.asarray(values, np.float32).reshape(np.shape(points)[:-1])
