"""Anonymization operators: each destroys the information inside a region, whatever the region's size.

They work on the decoded YUV planes in place, at their own chroma resolution: no frame is converted to RGB and back.
Strength is counted in cells per region, not in pixels: a face that fills the picture keeps no more detail than one
that is 20 pixels high.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.boxes import Boxes
from or_mv_anon.config import OperatorConfig
from or_mv_anon.video.frame import Plane

Method = Literal["pixelate", "blur", "solid", "none"]
LEAST_VISIBLE = 0.25  # share of a region that must lie on top for it to be checked by itself
GRID = 4  # px: regions are widened to multiples of this, so that a slowly moving region does not drag its cells along


@dataclass(frozen=True)
class Covered:
    """What was drawn on the first plane (luma) of one region; enough to recognize it in the encoded picture.

    Attributes:
        box: ``(x1, y1, x2, y2)`` in pixels of the coded picture, integers on the grid.
        cells: the drawn samples, ``(rows, columns)``, in the picture's own depth.
        change: mean absolute difference between what was there and what was drawn, on an 8-bit scale.
    """

    box: tuple[int, int, int, int]
    cells: NDArray[np.integer]
    change: float


def snap(boxes: Boxes, *, width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Boxes widened outward to the grid and cut to the picture; those that lie outside are left out."""
    snapped = []
    for x1, y1, x2, y2 in boxes.tolist():
        left, top = max(0, math.floor(x1 / GRID) * GRID), max(0, math.floor(y1 / GRID) * GRID)
        right, bottom = min(width, math.ceil(x2 / GRID) * GRID), min(height, math.ceil(y2 / GRID) * GRID)
        if right > left and bottom > top:
            snapped.append((left, top, right, bottom))
    return snapped


def cover(planes: Sequence[Plane], boxes: Boxes, method: Method, config: OperatorConfig) -> list[Covered]:
    """Cover `boxes` in all `planes` in place.

    Args:
        planes: of one picture; the first one has full resolution.
        boxes: ``(N, 4)`` pixels of the coded picture.
        method: ``none`` leaves the picture as it is.
        config: strength.

    Returns:
        What was drawn, in drawing order (later regions lie on top of earlier ones).
    """
    if method == "none" or not len(boxes):
        return []
    height, width = planes[0].pixels.shape
    snapped = snap(boxes, width=width, height=height)
    count = config.blur_cells if method == "blur" else config.cells
    grids = [_cells(box, count) for box in snapped]
    # All samples are taken before anything is drawn: where regions overlap each still averages the original picture.
    samples = [[_sample(p, b, g, method, config) for p in planes] for b, g in zip(snapped, grids, strict=True)]
    patches = [_enlarge(cells[0], _view(planes[0], box), method) for box, cells in zip(snapped, samples, strict=True)]
    changes = [_mean_difference(_view(planes[0], box), patch) for box, patch in zip(snapped, patches, strict=True)]
    for box, cells, patch in zip(snapped, samples, patches, strict=True):
        _view(planes[0], box)[...] = patch
        for plane, cell in zip(planes[1:], cells[1:], strict=True):
            view = _view(plane, box)
            view[...] = _enlarge(cell, view, method)
    scale = to_8_bits(planes[0])
    return [
        Covered(box, cells[0], change * scale) for box, cells, change in zip(snapped, samples, changes, strict=True)
    ]


def blank(planes: Sequence[Plane]) -> Covered:
    """Paint the whole picture black, which is what is shown when a frame cannot be judged; returns what was drawn."""
    luma = planes[0]
    black = np.full((1, 1), luma.black, luma.pixels.dtype)
    change = float(np.abs(luma.pixels.astype(np.float32) - luma.black).mean()) * to_8_bits(luma)
    for plane in planes:
        plane.pixels[...] = plane.black
    return Covered((0, 0, luma.pixels.shape[1], luma.pixels.shape[0]), black, change)


def unlike(luma: Plane, drawn: Sequence[Covered], method: Method) -> list[float]:
    """How far a decoded picture is from what was drawn in each region.

    Returns:
        Mean absolute luma difference per region on an 8-bit scale, over the pixels that no later region covers;
        0 where later regions cover nearly everything: a sliver of a few pixels tells more of the encoder than of us.
    """
    result = []
    for i, covered in enumerate(drawn):
        view = _view(luma, covered.box)
        visible = _not_under(covered.box, drawn[i + 1 :])
        if visible is not None and np.count_nonzero(visible) < LEAST_VISIBLE * visible.size:
            result.append(0.0)
            continue
        difference = _mean_difference(view, _enlarge(covered.cells, view, method), visible)
        result.append(difference * to_8_bits(luma))
    return result


def _not_under(box: tuple[int, int, int, int], later: Sequence[Covered]) -> NDArray[np.uint8] | None:
    """Mask of the pixels of `box` that no later region covers; None when none of them reaches it."""
    x1, y1, x2, y2 = box
    above = [c.box for c in later if c.box[0] < x2 and c.box[2] > x1 and c.box[1] < y2 and c.box[3] > y1]
    if not above:
        return None
    mask = np.ones((y2 - y1, x2 - x1), np.uint8)
    for left, top, right, bottom in above:
        mask[max(0, top - y1) : bottom - y1, max(0, left - x1) : right - x1] = 0
    return mask


def _mean_difference(a: NDArray, b: NDArray, mask: NDArray[np.uint8] | None = None) -> float:
    """Mean absolute difference over the pixels where `mask` is not 0, or over all; 0 if there are none."""
    count = a.size if mask is None else int(np.count_nonzero(mask))
    return float(cv2.norm(a, b, cv2.NORM_L1, mask)) / count if count else 0.0


def to_8_bits(plane: Plane) -> float:
    """Factor that brings a plane's samples to the scale 0-255."""
    return 255 / (2**plane.depth - 1)


def _cells(box: tuple[int, int, int, int], count: int) -> tuple[int, int]:
    """Columns and rows of the grid: `count` along the longer side, about square."""
    width, height = box[2] - box[0], box[3] - box[1]
    longer = max(width, height)
    return max(1, round(count * width / longer)), max(1, round(count * height / longer))


def _view(plane: Plane, box: tuple[int, int, int, int]) -> NDArray:
    x1, y1, x2, y2 = box
    return plane.pixels[y1 // plane.y_step : -(-y2 // plane.y_step), x1 // plane.x_step : -(-x2 // plane.x_step)]


def _sample(
    plane: Plane, box: tuple[int, int, int, int], grid: tuple[int, int], method: Method, config: OperatorConfig
) -> NDArray:
    view = _view(plane, box)
    if method == "solid":
        value = plane.black + config.solid_luma * (plane.white - plane.black)
        return np.full((1, 1), round(value), view.dtype)
    columns, rows = min(grid[0], view.shape[1]), min(grid[1], view.shape[0])
    return cv2.resize(view, (columns, rows), interpolation=cv2.INTER_AREA)


def _enlarge(cells: NDArray, view: NDArray, method: Method) -> NDArray:
    how = cv2.INTER_LINEAR if method == "blur" else cv2.INTER_NEAREST
    return cv2.resize(cells, (view.shape[1], view.shape[0]), interpolation=how)
