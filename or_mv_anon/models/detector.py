"""The person detector: YOLOX (Ge et al. 2021) at any picture size, with our own threshold and suppression.

Pictures go in as mmdet's test pipeline makes them: BGR 0-255, aspect kept, padded right and below with 114. Unlike
mmdet, a cell whose best class is something else still counts with its person score: a person behind a chair is a
person.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from or_mv_anon.config import DetectionConfig
from or_mv_anon.models import graphs
from or_mv_anon.models.dense import DenseDetector, Found, cell_boxes, sigmoid
from or_mv_anon.models.graphs import STRIDES
from or_mv_anon.models.runtime import Device, Precision, Tensors


class PersonDetector(DenseDetector):
    """Finds people in single pictures; see `DenseDetector` for `input_size` and `detect`."""

    pad_value = 114

    def __init__(
        self,
        model: Path,
        config: DetectionConfig,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        threads: int = 0,
    ) -> None:
        """Loads `model`, an ONNX export of mmdet's YOLOX whose class 0 is a person.

        Raises:
            UserError: the file is no such model, or the device is not to be had.
        """
        super().__init__(
            graphs.yolox(model),
            input_long_side=config.input_long_side,
            min_score=config.min_score,
            nms_iou=config.nms_iou,
            device=device,
            precision=precision,
            threads=threads,
        )

    def decode(self, heads: Tensors) -> Found:
        boxes = [cell_boxes(heads[f"reg_{stride}"], stride=stride) for stride in STRIDES]
        scores = [(sigmoid(heads[f"cls_{stride}"]) * sigmoid(heads[f"obj_{stride}"])).reshape(-1) for stride in STRIDES]
        return np.concatenate(boxes), np.concatenate(scores)
