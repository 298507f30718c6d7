"""A test of pictures that stand alone: brightness or colour that jumps at one place and stays so to the picture's end.

JPEG stores of every block's mean only how it differs from the block's before it. One flipped bit in such a difference
leaves the decoder in step with the data, and shifts all that follows. Compared with the picture before, the rest of the
picture then differs from its beginning by one number; people, lamps and noise do not change pictures so.
"""

from __future__ import annotations

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.video.pixels import plane_rows

BLOCK = 16  # luma pixels of a cell
_ROWS = 4  # of a cell that are looked at
LEAST_STEP = 10.0  # of 255; sound recordings reach 1, and flips that one can see 16 and more
_COLUMNS = 4  # of so many one is looked at first
_PLACES = 60  # of the picture at which a jump is looked for
_LEAST_PART = 40  # a jump so close to the beginning or the end, as a share of the cells, is not told from what moves
_LEAST_CELLS = 200  # in fewer, whatever moves is as large as a part
_SPREADS = 3.0  # median deviations that a jump must exceed
_FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")

Cells = list[NDArray[np.float32]]


class StepWatcher:
    """Looks at the pictures of one stream in their order."""

    def __init__(self) -> None:
        self._before: Cells | None = None

    def jumps(self, frame: av.VideoFrame) -> bool:
        """Whether `frame` or the one before it is shifted from some place on."""
        if frame.format.name not in _FORMATS:
            return False
        cells = [_cells(plane, frame) for plane in frame.planes]
        before, self._before = self._before, cells
        if before is None or before[0].shape != cells[0].shape or cells[0].size < _LEAST_CELLS:
            return False
        return any(_jumps(now - then) for now, then in zip(cells, before, strict=True))


def _cells(plane: av.video.plane.VideoPlane, frame: av.VideoFrame) -> NDArray[np.float32]:
    across, down = max(1, frame.width // BLOCK), max(1, frame.height // BLOCK)
    wide, high = max(1, plane.width // across), max(1, plane.height // down)
    every = max(1, high // _ROWS)
    rows = np.ascontiguousarray(plane_rows(plane, np.uint8)[: high * down : every, : wide * across])
    means: NDArray[np.float32] = cv2.resize(rows, (across, down), interpolation=cv2.INTER_AREA).astype(np.float32)
    return means


def _jumps(change: NDArray[np.float32]) -> bool:
    of_rows = np.median(change[:, ::_COLUMNS], axis=1)
    if of_rows.max() - of_rows.min() < LEAST_STEP:
        return False
    flat = change.ravel()
    least = len(flat) // _LEAST_PART
    places = np.unique(np.linspace(least, len(flat) - least, _PLACES).astype(int))
    return any(_step(flat[:place], flat[place:]) > LEAST_STEP for place in places)


def _step(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    middles = [float(np.median(part)) for part in (first, second)]
    spread = sum(float(np.median(np.abs(part - mid))) for part, mid in zip((first, second), middles, strict=True))
    return abs(middles[0] - middles[1]) - _SPREADS * spread
