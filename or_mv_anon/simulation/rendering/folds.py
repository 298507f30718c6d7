"""A repeating block of creases, with their slopes, for the look of cloth on garments and drapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

SIZE = 64  # texels along a side
FOLDS_PER_REPEAT = 5.0  # creases across the block, about
STEEPEST = 127.0  # stored slopes, per unit of the block, are this at most
TALLEST = 4.0  # stored heights are this at most


def fold_block() -> NDArray[np.uint8]:
    """(SIZE, SIZE, SIZE, 4) slopes along x, y and z, and the height, of mean 0 and deviation 1; axes z, y, x.

    Creases are where smooth noise passes through zero (ridged noise), bent by a second noise. Values lie around 128,
    scaled by `STEEPEST` and `TALLEST`.
    """
    rng = np.random.default_rng(20)
    height = _ridges(rng, sigma=9.0) + 0.4 * _ridges(rng, sigma=4.0)
    height = (height - height.mean()) / height.std()
    slopes = [(np.roll(height, -1, axis) - np.roll(height, 1, axis)) * (SIZE / 2.0) for axis in (2, 1, 0)]
    values = np.stack([*(slope / STEEPEST for slope in slopes), height / TALLEST], axis=-1)
    return np.asarray(np.clip(np.round(128 + 127 * values), 0, 255), np.uint8)


def _ridges(rng: np.random.Generator, *, sigma: float) -> NDArray[np.float64]:
    noise = _noise(rng, sigma)
    bend = [sigma * _noise(rng, 1.5 * sigma) for _ in range(3)]
    places = [grid + shift for grid, shift in zip(np.indices(noise.shape), bend, strict=True)]
    bent = map_coordinates(noise, places, order=1, mode="grid-wrap")
    return gaussian_filter(np.sqrt(bent**2 + 0.05), 1.0, mode="wrap")


def _noise(rng: np.random.Generator, sigma: float) -> NDArray[np.float64]:
    noise = gaussian_filter(rng.normal(size=(SIZE, SIZE, SIZE)), sigma, mode="wrap")
    return np.asarray((noise - noise.mean()) / noise.std())
