"""Large faces: true ones score high and have a head that is found, too; false ones hide half a room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import FaceConfig
from or_mv_anon.core.records import Detections


def plausible_faces(faces: Detections, size: tuple[int, int], config: FaceConfig) -> NDArray[np.bool_]:
    """Mask of the face detections that are small, or large and sure."""
    return ~_large(faces.box, size, config) | (faces.score >= config.large_min_score)


def headless_score(boxes: Boxes, size: tuple[int, int], config: FaceConfig, usual: float) -> NDArray[np.float64]:
    """The score ``(N,)`` that faces need at which no head is found.

    Args:
        boxes: of the faces ``(N, 4)``, in pixels of the upright frame.
        size: width and height of that frame.
        config: says which faces are large, and what they need.
        usual: what the others need.
    """
    return np.where(_large(boxes, size, config), max(config.large_headless_score, usual), usual)


def _large(boxes: Boxes, size: tuple[int, int], config: FaceConfig) -> NDArray[np.bool_]:
    return np.asarray(boxes[:, 3] - boxes[:, 1] > config.large_share * max(size))
