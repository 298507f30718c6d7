"""How much of a region's structure an operator leaves: the structural similarity index."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.models.detectors.protocol import Picture

SIGMA = 1.5  # pixels; the Gaussian window of the paper, 11 x 11
STABILIZERS = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)


def structural_similarity(first: Picture, second: Picture, region: Boxes) -> float:
    """Mean over a region of the index of Wang et al. 2004 ("Image Quality Assessment"), computed on luma.

    Args:
        first: BGR ``(H, W, 3)``.
        second: of the same size.
        region: ``(1, 4)`` pixels.

    Returns:
        1 where both are equal, about 0 where they have nothing in common.
    """
    x1, y1, x2, y2 = np.round(region[0]).astype(int)
    a, b = (cv2.cvtColor(picture[y1:y2, x1:x2], cv2.COLOR_BGR2GRAY).astype(np.float32) for picture in (first, second))
    mean_a, mean_b = _window(a), _window(b)
    variance_a, variance_b = _window(a * a) - mean_a**2, _window(b * b) - mean_b**2
    covariance = _window(a * b) - mean_a * mean_b
    level, contrast = STABILIZERS
    index = (2 * mean_a * mean_b + level) * (2 * covariance + contrast)
    return float((index / ((mean_a**2 + mean_b**2 + level) * (variance_a + variance_b + contrast))).mean())


def _window(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(plane, (11, 11), SIGMA, borderType=cv2.BORDER_REFLECT_101), np.float32)
