"""What stands still in a camera's picture, as coarse gradients: enough to tell whether the camera was turned.

A picture is cut into cells, and of each the strength of its edges in a few directions is kept, relative to its
surroundings (histograms of oriented gradients, Dalal and Triggs 2005). Lamps that are switched change these little,
people change the cells they stand in, and a camera that is turned shifts all of them. Nobody can be recognized in it.
"""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import BACKGROUND_CELLS as CELLS

ROWS, COLUMNS, DIRECTIONS = CELLS
WIDTH, HEIGHT = 4 * COLUMNS, 4 * ROWS  # px, of the picture that is looked at, whatever the camera's shape
AROUND = 9  # cells across, to which a cell's edges are compared
FAINT = 4.0  # edge strength of noise
UNIT = 100  # of the numbers that are kept
REACH = 2  # cells by which a turned picture is tried; a turn by more makes nearer shifts better, too
LOST = 0.5  # correlation below which what stood still is another thing altogether
AVERAGED = 6  # moments on either side of a turn whose median is what stands still
LEAST = 2  # of these; one may be a passer-by before the lens
Cells = NDArray[np.uint8]


def describe(picture: NDArray[np.uint8]) -> Cells:
    """The cells ``CELLS`` of a BGR picture ``(HEIGHT, WIDTH, 3)``."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength = np.hypot(across, down)
    direction = (np.arctan2(down, across) / np.pi * DIRECTIONS).round().astype(int) % DIRECTIONS
    layers = [np.where(direction == number, strength, 0).astype(np.float32) for number in range(DIRECTIONS)]
    cells = np.stack([cv2.resize(layer, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) for layer in layers], axis=-1)
    around = cv2.blur(np.linalg.norm(cells, axis=-1), (AROUND, AROUND))[..., None]
    return np.asarray((cells / (around + FAINT) * UNIT).clip(0, 255).astype(np.uint8))


def turns(cells: Cells) -> NDArray[np.int64]:
    """The moments ``(T,)``, each the first one of another view, at which a camera was turned.

    Args:
        cells: ``(N, *CELLS)`` of one camera at moments in order.
    """
    alike, shifted = np.ones(len(cells)), np.zeros(len(cells), bool)
    for moment in range(LEAST, len(cells) - LEAST + 1):
        parts = cells[max(0, moment - AVERAGED) : moment], cells[moment : moment + AVERAGED]
        alike[moment], shifted[moment] = _compare(*(np.median(part, axis=0).astype(np.float32) for part in parts))
    found = []
    for stretch in np.split(np.arange(len(cells)), np.flatnonzero(np.diff(shifted)) + 1):
        if len(stretch) and shifted[stretch[0]]:
            found.append(stretch[alike[stretch].argmin()])
    return np.array(found, np.int64)


def _compare(before: NDArray[np.float32], after: NDArray[np.float32]) -> tuple[float, bool]:
    """How alike two views are in place, and whether they are more alike when one is shifted, or not alike at all."""
    in_place = _correlation(before, after)
    shifts = [shift for shift in product(range(-REACH, REACH + 1), repeat=2) if shift != (0, 0)]
    best = max(_correlation(*_overlap(before, after, *shift)) for shift in shifts)
    return in_place, in_place < max(best, LOST)


def _overlap(
    before: NDArray[np.float32], after: NDArray[np.float32], down: int, across: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The cells of both that lie on each other when `after` is shifted."""
    rows, columns = before.shape[:2]
    here = before[max(0, down) : rows + min(0, down), max(0, across) : columns + min(0, across)]
    there = after[max(0, -down) : rows + min(0, -down), max(0, -across) : columns + min(0, -across)]
    return here, there


def _correlation(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Pearson's, over all cells of every direction; 1 where nothing is to be seen in either."""
    first, second = (cells - cells.mean(axis=(0, 1)) for cells in (before, after))
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale > 0 else 1.0
