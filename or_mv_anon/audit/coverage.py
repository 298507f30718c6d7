"""How much of the picture is covered: exact area of overlapping regions, without drawing them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes
from or_mv_anon.core.records import Regions

CELLS_AT_ONCE = 4_000_000  # bounds memory


def covered_share(regions: Regions, frames: NDArray[np.integer], *, size: tuple[int, int]) -> NDArray[np.float64]:
    """Share of the picture inside at least one region, per frame.

    The edges of a frame's `n` regions cut the picture into at most ``(2n - 1)²`` cells, each wholly covered or not;
    frames with the same number of regions are worked on together.

    Args:
        regions: in any order.
        frames: ``(F,)`` frame numbers asked for.
        size: width and height in pixels.

    Returns:
        ``(F,)`` in [0, 1].
    """
    width, height = size
    order = np.argsort(regions.frame, kind="stable")
    low = np.searchsorted(regions.frame, frames, side="left", sorter=order)
    number = np.searchsorted(regions.frame, frames, side="right", sorter=order) - low
    share = np.zeros(len(frames))
    for n in np.unique(number[number > 0]).tolist():
        asked = np.flatnonzero(number == n)
        batch = max(1, CELLS_AT_ONCE // (4 * n * n * n))
        for part in np.array_split(asked, -(-len(asked) // batch)):
            rows = order[low[part, None] + np.arange(n)]
            inside = boxes.clip(regions.box[rows.ravel()], width=width, height=height).reshape(len(part), n, 4)
            share[part] = _union_area(inside) / (width * height)
    return np.clip(share, 0, 1)


def _union_area(box: NDArray[np.float32]) -> NDArray[np.float64]:
    """Area of the union of each frame's boxes ``(F, n, 4)``."""
    x = np.sort(np.concatenate([box[:, :, 0], box[:, :, 2]], axis=1), axis=1).astype(np.float64)
    y = np.sort(np.concatenate([box[:, :, 1], box[:, :, 3]], axis=1), axis=1).astype(np.float64)
    center_x, center_y = (x[:, 1:] + x[:, :-1]) / 2, (y[:, 1:] + y[:, :-1]) / 2
    in_x = (center_x[:, None] > box[:, :, 0, None]) & (center_x[:, None] < box[:, :, 2, None])
    in_y = (center_y[:, None] > box[:, :, 1, None]) & (center_y[:, None] < box[:, :, 3, None])
    covered = (in_y[:, :, :, None] & in_x[:, :, None, :]).any(axis=1)
    columns = np.einsum("fyx,fx->fy", covered, np.diff(x, axis=1))
    return np.einsum("fy,fy->f", columns, np.diff(y, axis=1))
