"""The face detector: YuNet (Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector") at any picture size.

Gives what OpenCV's `cv2.FaceDetectorYN` gives for the same picture, through the runtime that the other models use.
"""

from __future__ import annotations

import numpy as np

from or_mv_anon.models import graphs
from or_mv_anon.models.detectors.dense import DenseDetector, cell_boxes, sigmoid
from or_mv_anon.models.detectors.protocol import Found, Thresholds
from or_mv_anon.models.graphs import STRIDES
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.runtime import Tensors


class FaceDetector(DenseDetector):
    """Finds faces in single pictures; see `DenseDetector` for `input_size` and `detect`."""

    pad_value = 0

    prepare = staticmethod(graphs.yunet)  # OpenCV Zoo's YuNet

    def decode(self, heads: Tensors) -> Found:
        boxes = [cell_boxes(heads[f"bbox_{stride}"], stride=stride) for stride in STRIDES]
        scores = [
            np.sqrt(sigmoid(heads[f"cls_{stride}"]) * sigmoid(heads[f"obj_{stride}"])).reshape(-1) for stride in STRIDES
        ]
        return np.concatenate(boxes), np.concatenate(scores)


def open_file(file: NetworkFile, config: Thresholds, engine: Engine) -> FaceDetector:
    """The detector in OpenCV Zoo's YuNet; see `families.open_detector`."""
    return FaceDetector(file.path, config, device=engine.device, precision=engine.precision, threads=engine.threads)
