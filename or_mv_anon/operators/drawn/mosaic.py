"""What the modifier is shown of a face: its mosaic, never the face, so that it cannot draw what the mosaic hides.

The cells are those of the main job's own `pixelate`. A picture computed from them alone tells no more about a person
than they do (data processing inequality; Cover and Thomas, Elements of Information Theory, section 2.8).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def enlarge(cells: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """The modifier's input (3, side, side), RGB 0-1: the cells enlarged linearly, without their aspect.

    Args:
        cells: (rows, columns, 3) uint8 RGB.
        side: pixels.
    """
    smooth = cv2.resize(cells, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth.transpose(2, 0, 1), np.float32) / np.float32(255)
