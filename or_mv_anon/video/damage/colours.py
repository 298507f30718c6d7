"""A test of pictures that needs no decoder's word: colours that no camera records.

Of all triples of luma and chroma only about a quarter are colours. Cameras and encoders keep to these nearly
everywhere; what a decoder makes of damaged data does not. (Text that a camera writes into the luma alone does not
either, but takes up little of the picture.)
"""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.video.frame import colour_matrix_of
from or_mv_anon.video.pixels import FULL_RANGE, depth_of, is_rgb, plane_rows

CELLS = 160  # cells along the picture's longer side at most; the means of small ones are noisy
LEAST_CELL = 8  # luma pixels
EXCESS, SHARE = 80.0, 0.04  # of 255: how far outside the cube of colours a cell's mean lies that counts; of cells
SLIGHT_EXCESS, SLIGHT_SHARE = 24.0, 0.01  # the same where damage is known to be near
# red from V, green from U and V, blue from U, with luma and chroma of equal range: ITU-R BT.601, BT.709, BT.2020
_MATRICES = {
    1: (1.5748, -0.1873, -0.4681, 1.8556),
    9: (1.4746, -0.1646, -0.5714, 1.8814),
    10: (1.4746, -0.1646, -0.5714, 1.8814),
}
_BT601 = (1.402, -0.3441, -0.7141, 1.772)
_NOT_THESE = (0, 8, 11, 12, 13, 14, 15, 16, 17)  # RGB, YCgCo, ICtCp and the like


@dataclass(frozen=True)
class Impossible:
    """Shares of a picture whose colours cannot be."""

    clearly: bool  # enough of it that the picture counts as damaged
    slightly: bool  # enough of it where damage is known to be near


def impossible_colours(frame: av.VideoFrame) -> Impossible:
    """Look for colours that no camera records; a picture without chroma has none."""
    excess = colour_excess(frame)
    if excess is None:
        return Impossible(False, False)
    clearly, slightly = float((excess > EXCESS).mean()), float((excess > SLIGHT_EXCESS).mean())
    return Impossible(clearly > SHARE, slightly > SLIGHT_SHARE)


def colour_excess(frame: av.VideoFrame) -> NDArray[np.float32] | None:
    """How far each cell's mean colour lies outside the cube of red, green and blue of 0 to 255; None without chroma.

    Luma outside its nominal range counts as its end: cameras do record blacker than black and whiter than white.
    """
    name = frame.format.name
    matrix = colour_matrix_of(frame)
    if len(frame.planes) != 3 or is_rgb(name) or not name.startswith("yuv") or matrix in _NOT_THESE:
        return None
    scale = min(CELLS, max(frame.width, frame.height) // LEAST_CELL) / max(frame.width, frame.height)
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    depth = depth_of(name)
    y, u, v = (_cells(plane, size, depth) for plane in frame.planes)
    u -= 128
    v -= 128
    if int(frame.color_range) != FULL_RANGE and not name.startswith("yuvj"):
        y = (np.clip(y, 16, 235) - 16) * (255 / 219)
        u *= 255 / 224
        v *= 255 / 224
    red, green_u, green_v, blue = _MATRICES.get(matrix, _BT601)
    colours = (y + red * v, y + green_u * u + green_v * v, y + blue * u)
    over = np.maximum(np.maximum(colours[0], colours[1]), colours[2]) - 255
    under = -np.minimum(np.minimum(colours[0], colours[1]), colours[2])
    excess: NDArray[np.float32] = np.maximum(over, under)
    return excess


def _cells(plane: av.video.plane.VideoPlane, size: tuple[int, int], depth: int) -> NDArray[np.float32]:
    """Means over the cells, as if of 8 bits."""
    rows = plane_rows(plane, np.uint8 if depth == 8 else np.uint16)[:, : plane.width]
    means: NDArray[np.float32] = cv2.resize(rows, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return means if depth == 8 else means / np.float32(1 << (depth - 8))
