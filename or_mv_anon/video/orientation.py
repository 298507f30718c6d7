"""How a coded picture is turned to stand upright, and back: cameras on their side store a display matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes


@dataclass(frozen=True)
class Orientation:
    """First mirror the coded picture left to right where `flip`, then turn it clockwise by `rotation` degrees.

    Covers all eight EXIF orientations. Sizes are (width, height) in pixels of the coded picture.
    """

    rotation: int = 0  # 0 | 90 | 180 | 270, clockwise
    flip: bool = False

    @classmethod
    def from_matrix(cls, matrix: Sequence[int]) -> Orientation:
        """The orientation that a display matrix asks for, to the nearest quarter turn.

        The nine numbers are row-major ``a b u c d v x y w`` (libavutil/display.h; ISO 14496-12, 8.3.2): a point moves
        to ``(a x + c y, b x + d y)``, y pointing down.
        """
        a, b, _, c, d = matrix[:5]
        flip = a * d - b * c < 0
        turned_x, turned_y = (-a, -b) if flip else (a, b)
        quarters = round(math.degrees(math.atan2(turned_y, turned_x)) / 90)
        return cls(rotation=quarters % 4 * 90, flip=flip)

    def upright_size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the upright picture."""
        return (height, width) if self.rotation % 180 else (width, height)

    def coded_size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the coded picture whose upright form has the given size."""
        return (height, width) if self.rotation % 180 else (width, height)

    def upright(self, picture: NDArray[Any]) -> NDArray[Any]:
        """The coded `picture` (H, W, ...) turned upright; contiguous."""
        if self.flip:
            picture = picture[:, ::-1]
        return np.ascontiguousarray(np.rot90(picture, k=-(self.rotation // 90)))

    def coded(self, picture: NDArray[Any]) -> NDArray[Any]:
        """The inverse of `upright`."""
        picture = np.rot90(picture, k=self.rotation // 90)
        return np.ascontiguousarray(picture[:, ::-1] if self.flip else picture)

    def to_coded(self, boxes: Boxes, *, width: int, height: int) -> Boxes:
        """Boxes (N, 4) of the upright picture as boxes of the coded picture of `width` × `height` pixels."""
        x1, y1, x2, y2 = np.asarray(boxes, np.float32).reshape(-1, 4).T
        match self.rotation:
            case 90:
                x1, y1, x2, y2 = y1, height - x2, y2, height - x1
            case 180:
                x1, y1, x2, y2 = width - x2, height - y2, width - x1, height - y1
            case 270:
                x1, y1, x2, y2 = width - y2, x1, width - y1, x2
        if self.flip:
            x1, x2 = width - x2, width - x1
        return np.stack([x1, y1, x2, y2], axis=1).astype(np.float32)

    def to_upright(self, boxes: Boxes, *, width: int, height: int) -> Boxes:
        """The inverse of `to_coded`."""
        x1, y1, x2, y2 = np.asarray(boxes, np.float32).reshape(-1, 4).T
        if self.flip:
            x1, x2 = width - x2, width - x1
        match self.rotation:
            case 90:
                x1, y1, x2, y2 = height - y2, x1, height - y1, x2
            case 180:
                x1, y1, x2, y2 = width - x2, height - y2, width - x1, height - y1
            case 270:
                x1, y1, x2, y2 = y1, width - x2, y2, width - x1
        return np.stack([x1, y1, x2, y2], axis=1).astype(np.float32)
