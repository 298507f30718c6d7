"""When pictures were taken, as far as the numbers in their names tell.

Numbers that count pictures place them: a number left out is a picture left out. So do numbers in equal steps, such as
milliseconds or frames of a faster recording. Other numbers, such as readings of a clock, only give the order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_LARGEST_COUNT = 10_000_000  # pictures: four days at 25 per second; larger numbers are readings of a clock
_MOST_JITTER = 0.25  # of a step, by which a clock's readings may be early or late
_REGULAR = 0.9  # share of the steps that have to be about equal


def number_in(path: Path) -> int:
    """The last number in a file's name, -1 where there is none."""
    numbers = re.findall("[0-9]+", path.stem)
    return int(numbers[-1]) if numbers else -1


def ticks_of(files: Sequence[Path]) -> NDArray[np.int64]:
    """(N,) strictly increasing places in time of pictures in order, in units of the time from one to the next."""
    positions = np.arange(len(files), dtype=np.int64)
    numbers = np.array([number_in(file) for file in files], np.float64)
    steps = np.diff(numbers)
    if numbers[0] < 0 or (steps <= 0).any():
        return positions
    usual = float(np.median(steps)) if len(steps) else 1.0
    counted = (steps % usual == 0).all()
    if usual == 1 or (counted and usual > 1):
        first = numbers[0] // usual if numbers[0] / usual < _LARGEST_COUNT else 0
        return np.round((numbers - numbers[0]) / usual).astype(np.int64) + int(first)
    multiples = np.maximum(1, np.round(steps / usual))
    regular = np.abs(steps / usual - multiples) <= _MOST_JITTER
    if regular.mean() < _REGULAR or (multiples == 1).mean() < _REGULAR:
        return positions if numbers[-1] >= _LARGEST_COUNT else numbers.astype(np.int64)
    return np.concatenate([[0], np.cumsum(multiples)]).astype(np.int64)
