"""The lit picture inside an endoscope's black border, and the network input made of it.

A border must not give the answer away: cameras that record the room through another device have none. So every
picture is cropped to its lit rectangle, and what lies outside the ellipse that fits into this rectangle is painted
grey, border or not.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

INPUT_SIZE = 224  # pixels, both sides
MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # ImageNet, RGB
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
ELLIPSE_SHARE = 0.96  # of the rectangle's sides: the rim of a scope is blurred and dark
DARK = 20  # a pixel whose brightest channel never exceeds this shows no picture
LIT_SHARE = 0.1  # a row or column belongs to the picture when this share of it is lit
LEAST_AREA = 0.2  # less than this share of the frame is no scope's picture: the scene is dark, keep all
WORK_SIZE = 256  # longer side at which borders are looked for

Area = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels, x1 and y1 exclusive


class BorderFinder:
    """Finds the lit rectangle from several frames, so that a dark moment does not look like a border."""

    def __init__(self) -> None:
        self._brightest: NDArray[np.uint8] | None = None
        self._size = (0, 0)

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Takes a frame, (H, W, 3) uint8; all frames of a finder have one size."""
        height, width = picture.shape[:2]
        scale = min(1.0, WORK_SIZE / max(height, width))
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).max(axis=2)
        if self._brightest is not None and self._size != (height, width):
            raise ValueError(f"expected frames of {self._size[1]}x{self._size[0]}, got {width}x{height}")
        self._size = (height, width)
        self._brightest = small if self._brightest is None else np.maximum(self._brightest, small)

    def area(self) -> Area:
        """The lit rectangle of the frames so far; the whole frame when there is no clear border.

        Raises:
            ValueError: no frame was added.
        """
        if self._brightest is None:
            raise ValueError("expected at least one frame")
        height, width = self._size
        lit = self._brightest > DARK
        rows = np.flatnonzero(lit.mean(axis=1) > LIT_SHARE)
        columns = np.flatnonzero(lit.mean(axis=0) > LIT_SHARE)
        if not len(rows) or not len(columns):
            return 0, 0, width, height
        y_scale, x_scale = height / lit.shape[0], width / lit.shape[1]
        x0, x1 = round(columns[0] * x_scale), round((columns[-1] + 1) * x_scale)
        y0, y1 = round(rows[0] * y_scale), round((rows[-1] + 1) * y_scale)
        if (x1 - x0) * (y1 - y0) < LEAST_AREA * width * height:
            return 0, 0, width, height
        return x0, y0, x1, y1


def find_picture_area(pictures: Iterable[NDArray[np.uint8]]) -> Area:
    """The lit rectangle of frames of one size, see `BorderFinder`."""
    finder = BorderFinder()
    for picture in pictures:
        finder.add(picture)
    return finder.area()


def prepare(picture: NDArray[np.uint8], area: Area) -> NDArray[np.float32]:
    """The network's input for one upright BGR frame (H, W, 3): (3, 224, 224) float32, RGB, ImageNet statistics."""
    x0, y0, x1, y1 = area
    small = cv2.resize(picture[y0:y1, x0:x1], (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA)
    normal = np.empty((3, INPUT_SIZE, INPUT_SIZE), np.float32)
    for channel, plane in enumerate(normal):
        np.multiply(small[..., 2 - channel], _SCALE[channel], out=plane)
        plane += _OFFSET[channel]
        plane *= _ELLIPSE
    return normal


def _ellipse() -> NDArray[np.bool_]:
    axis = (np.arange(INPUT_SIZE) + 0.5) / INPUT_SIZE * 2 - 1
    return np.asarray(axis[:, None] ** 2 + axis[None] ** 2 <= ELLIPSE_SHARE**2)


_ELLIPSE = _ellipse().astype(np.float32)
_SCALE, _OFFSET = 1 / (255 * DEVIATION), -MEAN / DEVIATION
