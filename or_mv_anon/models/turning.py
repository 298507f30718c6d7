"""Pictures in quarter turns: detectors are trained on upright people and see a lying one when the picture is turned."""

from __future__ import annotations

import numpy as np

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.models.detectors.protocol import Picture

TURNS = 4


def turn(picture: Picture, quarters: int) -> Picture:
    """The picture ``(h, w, 3)`` turned counter-clockwise by `quarters` times 90 degrees."""
    return np.ascontiguousarray(np.rot90(picture, quarters))


def turn_back(boxes: Boxes, quarters: int, *, size: tuple[int, int]) -> Boxes:
    """Boxes ``(N, 4)`` in pixels of the turned picture as boxes of the unturned one.

    Args:
        boxes: found in ``turn(picture, quarters)``.
        quarters: counter-clockwise turns of 90 degrees.
        size: ``(width, height)`` of the unturned picture.
    """
    x1, y1, x2, y2 = boxes.T
    width, height = np.float32(size[0]), np.float32(size[1])
    sides = (
        (x1, y1, x2, y2),
        (width - y2, x1, width - y1, x2),
        (width - x2, height - y2, width - x1, height - y1),
        (y1, height - x2, y2, height - x1),
    )[quarters % TURNS]
    return np.stack(sides, axis=1)
