"""The person detector: YOLOX (Ge et al. 2021) at any picture size, with our own threshold and suppression.

Pictures go in as mmdet's test pipeline makes them: BGR 0-255, aspect kept, padded right and below with 114. Unlike
mmdet, a cell whose best class is something else still counts with its person score: a person behind a chair is a
person.
"""

from __future__ import annotations

import numpy as np

from or_mv_anon.models import graphs
from or_mv_anon.models.detectors.dense import DenseDetector, cell_boxes, sigmoid
from or_mv_anon.models.detectors.protocol import Found, Thresholds
from or_mv_anon.models.graphs import CHANNELS, STRIDES
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.runtime import Tensors


class PersonDetector(DenseDetector):
    """Finds people in single pictures; see `DenseDetector` for `input_size` and `detect`."""

    pad_value = 114

    prepare = staticmethod(graphs.yolox)  # an ONNX export of mmdet's YOLOX whose class 0 is a person

    def decode(self, heads: Tensors) -> Found:
        heads = of_class(heads, 0)
        boxes = [cell_boxes(heads[f"reg_{stride}"], stride=stride) for stride in STRIDES]
        scores = [(sigmoid(heads[f"cls_{stride}"]) * sigmoid(heads[f"obj_{stride}"])).reshape(-1) for stride in STRIDES]
        return np.concatenate(boxes), np.concatenate(scores)


def of_class(heads: Tensors, number: int) -> Tensors:
    """The maps of one class ``(C, h, w)`` from those of one picture."""
    found: Tensors = {}
    for name, rows in heads.items():
        each = CHANNELS[name.split("_")[0]]
        found[name] = rows[each * number : each * (number + 1)]
    return found


def open_file(file: NetworkFile, config: Thresholds, engine: Engine) -> PersonDetector:
    """The detector in an ONNX export of mmdet's YOLOX; see `families.open_detector`."""
    return PersonDetector(file.path, config, device=engine.device, precision=engine.precision, threads=engine.threads)
