"""Anonymization operators: each destroys the information inside a region, whatever the region's size.

They work on the decoded YUV planes in place, at their own chroma resolution: no frame is converted to RGB and back.
Strength is counted in cells per region, not in pixels: a face that fills the picture keeps no more detail than one
that is 20 pixels high.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.video.frame import Plane

Method = Literal["pixelate", "blur", "solid", "none"]
DETAIL_SIDE = 24  # samples per side of what is remembered of a region's detail
FLAT = 4.0  # luma levels of 255: where less than this was taken away there was nothing to hide
GRID = 4  # px: regions are widened to multiples of this, so that a slowly moving region does not drag its cells along


@dataclass(frozen=True)
class Covered:
    """What was drawn on the first plane (luma) of one region; enough to recognize it in the encoded picture.

    Attributes:
        box: ``(x1, y1, x2, y2)`` in pixels of the coded picture, integers on the grid.
        cells: the drawn samples, ``(rows, columns)``, in the picture's own depth.
        detail: what was there beyond the smoothly enlarged cells, on an 8-bit scale, reduced to at most
            `DETAIL_SIDE` × `DETAIL_SIDE`; it never leaves the memory of the process.
    """

    box: tuple[int, int, int, int]
    cells: NDArray[np.integer]
    detail: NDArray[np.float16]


def snap(boxes: Boxes, *, width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Boxes widened outward to the grid and cut to the picture; those that lie outside are left out."""
    snapped = []
    for x1, y1, x2, y2 in boxes.tolist():
        left, top = max(0, math.floor(x1 / GRID) * GRID), max(0, math.floor(y1 / GRID) * GRID)
        right, bottom = min(width, math.ceil(x2 / GRID) * GRID), min(height, math.ceil(y2 / GRID) * GRID)
        if right > left and bottom > top:
            snapped.append((left, top, right, bottom))
    return snapped


def cover(
    planes: Sequence[Plane], boxes: Boxes, method: Method, config: OperatorConfig, *, remember: bool = True
) -> list[Covered]:
    """Cover `boxes` in all `planes` in place.

    Args:
        planes: of one picture; the first one has full resolution.
        boxes: ``(N, 4)`` pixels of the coded picture.
        method: ``none`` leaves the picture as it is.
        config: strength.
        remember: return what was drawn, to look for it in the encoded picture; it costs more than drawing.

    Returns:
        What was drawn, in drawing order (later regions lie on top of earlier ones); nothing unless `remember`.
    """
    if method == "none" or not len(boxes):
        return []
    height, width = planes[0].pixels.shape
    snapped = snap(boxes, width=width, height=height)
    count = config.blur_cells if method == "blur" else config.cells
    grids = [_cells(box, count) for box in snapped]
    # All samples are taken before anything is drawn: where regions overlap each still averages the original picture.
    samples = [[_sample(p, b, g, method, config) for p in planes] for b, g in zip(snapped, grids, strict=True)]
    details = [_detail(planes[0], box, cells[0]) for box, cells in zip(snapped, samples, strict=True) if remember]
    for box, cells in zip(snapped, samples, strict=True):
        for plane, cell in zip(planes, cells, strict=True):
            view = view_of(plane, box)
            view[...] = cell if cell.size == 1 else _enlarge(cell, view, method)  # one value needs no picture of it
    return [Covered(box, cells[0], detail) for box, cells, detail in zip(snapped, samples, details, strict=remember)]


def blank(planes: Sequence[Plane]) -> Covered:
    """Paint the whole picture black, which is what is shown when a frame cannot be judged; returns what was drawn."""
    luma = planes[0]
    box = (0, 0, luma.pixels.shape[1], luma.pixels.shape[0])
    black = np.full((1, 1), luma.black, luma.pixels.dtype)
    detail = _detail(luma, box, black)
    for plane in planes:
        plane.pixels[...] = plane.black
    return Covered(box, black, detail)


def showing(luma: Plane, drawn: Sequence[Covered]) -> float:
    """How much of what was taken away shows in a decoded picture.

    Let t be the detail that the source held beyond the regions' smoothly enlarged cells, and d what the picture holds
    beyond them: the result is ``sum(d·t) / sum(t·t)`` over all regions. It is about 1 where the source shows and about
    0 where a mosaic does, also one that a coarse encoder has smoothed, because neither that nor noise knows of t.

    Returns:
        The share, over the pixels of each region that no later region covers; 0 if hardly anything was taken away.
    """
    shown = taken = 0.0
    count = 0
    for i, covered in enumerate(drawn):
        detail = covered.detail.astype(np.float32)
        difference = _detail(luma, covered.box, covered.cells).astype(np.float32)
        if (on_top := _on_top(covered, drawn[i + 1 :])) is not None:
            detail, difference = detail[on_top], difference[on_top]
        shown, taken = shown + float((difference * detail).sum()), taken + float((detail**2).sum())
        count += detail.size
    return shown / taken if taken > FLAT**2 * count else 0.0


def _detail(plane: Plane, box: tuple[int, int, int, int], cells: NDArray) -> NDArray[np.float16]:
    """What a region holds beyond its smoothly enlarged cells, reduced in size, on an 8-bit scale."""
    return _difference(view_of(plane, box), cells, plane)


def _difference(view: NDArray[Any], cells: NDArray, plane: Plane) -> NDArray[np.float16]:
    reduced = _reduced(view)
    return (cv2.subtract(reduced, _enlarge(cells, reduced, "blur"), dtype=cv2.CV_32F) * to_8_bits(plane)).astype(
        np.float16
    )


def _reduced(view: NDArray[Any]) -> NDArray[Any]:
    """Area averages in the size of the detail. Halving first, which is many times quicker, rounds to whole levels."""
    size = _detail_size(view)
    while not (view.shape[0] % 2 or view.shape[1] % 2) and min(view.shape) >= 2 * DETAIL_SIDE:
        view = cv2.resize(view, (view.shape[1] // 2, view.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(view, size, interpolation=cv2.INTER_AREA)


def _detail_size(view: NDArray[Any]) -> tuple[int, int]:
    return min(view.shape[1], DETAIL_SIDE), min(view.shape[0], DETAIL_SIDE)


def _on_top(covered: Covered, later: Sequence[Covered]) -> NDArray[np.bool_] | None:
    """Which samples of a region's detail no later region covers; None when none of them reaches it."""
    x1, y1, x2, y2 = covered.box
    above = [c.box for c in later if c.box[0] < x2 and c.box[2] > x1 and c.box[1] < y2 and c.box[3] > y1]
    if not above:
        return None
    rows, columns = covered.detail.shape
    down, across = rows / (y2 - y1), columns / (x2 - x1)
    mask = np.ones((rows, columns), bool)
    for left, top, right, bottom in above:
        mask[
            max(0, round((top - y1) * down)) : max(0, round((bottom - y1) * down)),
            max(0, round((left - x1) * across)) : max(0, round((right - x1) * across)),
        ] = False
    return mask


def to_8_bits(plane: Plane) -> float:
    """Factor that brings a plane's samples to the scale 0-255."""
    return 255 / (2**plane.depth - 1)


def cells_of(planes: Sequence[Plane], box: tuple[int, int, int, int], count: int) -> list[NDArray[Any]]:
    """What `pixelate` with `count` cells along the longer side keeps of a box: per plane ``(rows, columns)``."""
    return [mean_cells(view_of(plane, box), _cells(box, count)) for plane in planes]


def drawn_on(plane: Plane, box: tuple[int, int, int, int], source: NDArray[Any]) -> Covered:
    """What to look for in the encoded picture where something other than cells was drawn.

    Args:
        plane: the luma plane as it is drawn.
        box: integers on the grid.
        source: what the plane held in the box before, in the same shape.
    """
    view = view_of(plane, box)
    drawn = _reduced(view)
    return Covered(box, drawn, _difference(source, drawn, plane))


def detail_kept(source: Plane, drawn: Plane, count: int) -> float:
    """How much of what `pixelate` with `count` cells would take away from a cut-out shows in what was drawn there.

    Args:
        source: luma of the cut-out.
        drawn: the same in the same size.
        count: cells along the longer side.

    Returns:
        About 1 where the source itself was drawn, about 0 where what was drawn knows nothing of its detail.
    """
    box = (0, 0, source.pixels.shape[1], source.pixels.shape[0])
    (cells,) = cells_of([source], box, count)
    return showing(drawn, [Covered(box, cells, _detail(source, box, cells))])


def _cells(box: tuple[int, int, int, int], count: int) -> tuple[int, int]:
    return grid(width=box[2] - box[0], height=box[3] - box[1], cells=count)


def grid(*, width: int, height: int, cells: int) -> tuple[int, int]:
    """Columns and rows of a mosaic: `cells` along the longer side, about square."""
    longer = max(width, height)
    return max(1, round(cells * width / longer)), max(1, round(cells * height / longer))


def view_of(plane: Plane, box: tuple[int, int, int, int]) -> NDArray[Any]:
    """The samples of a plane that hold `box`, an integer box of picture pixels; writable."""
    x1, y1, x2, y2 = box
    return plane.pixels[y1 // plane.y_step : -(-y2 // plane.y_step), x1 // plane.x_step : -(-x2 // plane.x_step)]


def _sample(
    plane: Plane, box: tuple[int, int, int, int], grid: tuple[int, int], method: Method, config: OperatorConfig
) -> NDArray:
    view = view_of(plane, box)
    if method == "solid":
        value = plane.black + config.solid_luma * (plane.white - plane.black)
        return np.full((1, 1), round(value), view.dtype)
    return mean_cells(view, grid)


def mean_cells(view: NDArray[Any], grid: tuple[int, int]) -> NDArray[Any]:
    """Area averages of samples or of a picture, in columns and rows, as many as there are pixels for."""
    columns, rows = min(grid[0], view.shape[1]), min(grid[1], view.shape[0])
    return cv2.resize(view, (columns, rows), interpolation=cv2.INTER_AREA)


def _enlarge(cells: NDArray, view: NDArray, method: Method) -> NDArray:
    how = cv2.INTER_LINEAR if method == "blur" else cv2.INTER_NEAREST
    return cv2.resize(cells, (view.shape[1], view.shape[0]), interpolation=how)
