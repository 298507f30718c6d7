"""Short looks that stand for longer stretches of time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

LOOK_S = 0.6  # seconds of one look


def looks(
    start: float, stop: float, *, apart_s: float, least: int = 1
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Equal parts of a stretch, seconds from and to, about `apart_s` long, `least` at least; and of each its middle."""
    edges = np.linspace(start, stop, max(least, round((stop - start) / apart_s)) + 1).tolist()
    for low, high in pairwise(edges):
        middle = (low + high) / 2
        yield (low, high), (max(low, middle - LOOK_S / 2), min(high, middle + LOOK_S / 2))
