"""The person detector: YOLOX (Ge et al. 2021) at any picture size, with our own threshold and suppression.

Pictures go in as mmdet's test pipeline makes them: BGR 0-255, aspect kept, padded right and below with 114. Unlike
mmdet, a cell whose best class is something else still counts with its person score: a person behind a chair is a
person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np

from or_mv_anon.core.config import DetectionConfig
from or_mv_anon.models import graphs
from or_mv_anon.models.dense import DenseDetector, Found, Picture, cell_boxes, sigmoid
from or_mv_anon.models.graphs import STRIDES
from or_mv_anon.models.runtime import Tensors


class FindsPersons(Protocol):
    """What stands where `PersonDetector` does; see `DenseDetector`."""

    @property
    def provider(self) -> str:
        """The engine and device in use."""

    def with_settings(self, config: DetectionConfig) -> Self:
        """The same loaded network with another input size and other thresholds."""

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """The size at which an upright frame is to be supplied."""

    def detect(self, pictures: Sequence[Picture], *, size: tuple[int, int]) -> list[Found]:
        """People in pictures that were resized from full frames."""


class PersonDetector(DenseDetector):
    """Finds people in single pictures; see `DenseDetector` for `input_size` and `detect`."""

    pad_value = 114

    prepare = staticmethod(graphs.yolox)  # an ONNX export of mmdet's YOLOX whose class 0 is a person

    def decode(self, heads: Tensors) -> Found:
        boxes = [cell_boxes(heads[f"reg_{stride}"], stride=stride) for stride in STRIDES]
        scores = [(sigmoid(heads[f"cls_{stride}"]) * sigmoid(heads[f"obj_{stride}"])).reshape(-1) for stride in STRIDES]
        return np.concatenate(boxes), np.concatenate(scores)
