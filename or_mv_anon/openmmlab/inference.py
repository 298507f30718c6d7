"""Runs a detector of mmdet (RTMDet, Faster R-CNN, Deformable DETR, ...) where the product runs its own."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config

from or_mv_anon import boxes as geometry
from or_mv_anon.config import DetectionConfig
from or_mv_anon.models.dense import Found, Picture, fitted_size
from or_mv_anon.openmmlab.detectors import build_detector


class MmdetDetector:
    """Finds people with PyTorch; has the interface of `models.dense.DenseDetector`.

    Args:
        model: mmengine configuration of the detector.
        weights: what `train_detector` left as its checkpoint, or the user's own.
        config: input size and thresholds; suppression is the detector's own.
        device: "cpu" or "cuda".

    Raises:
        UserError: the weights are of another model.
    """

    def __init__(self, model: Path, weights: Path, config: DetectionConfig, *, device: str = "cpu") -> None:
        self._model: Any = build_detector(Config.fromfile(model), weights).to(device).eval()
        self._config = config
        self._device = device

    @property
    def provider(self) -> str:
        """The engine and device in use."""
        return f"PyTorch {torch.__version__} on {self._device}"

    def with_settings(self, config: DetectionConfig) -> Self:
        """The same loaded network with another input size and other thresholds."""
        other = copy.copy(self)
        other._config = config
        return other

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """See `DenseDetector.input_size`."""
        return fitted_size(width, height, long_side=self._config.input_long_side)

    def detect(self, pictures: Sequence[Picture], *, size: tuple[int, int]) -> list[Found]:
        """See `DenseDetector.detect`."""
        return [self._detect(picture, size) for picture in pictures]

    def _detect(self, picture: Picture, size: tuple[int, int]) -> Found:
        height, width = picture.shape[:2]
        shape = {"img_shape": (height, width), "ori_shape": (height, width), "scale_factor": (1.0, 1.0)}
        tensor = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
        with torch.inference_mode():
            found = self._model.test_step({"inputs": [tensor], "data_samples": [DetDataSample(metainfo=shape)]})[0]
        boxes, scores = found.pred_instances.bboxes.float().cpu().numpy(), found.pred_instances.scores.cpu().numpy()
        if not np.isfinite(scores).all():
            raise FloatingPointError("the detector gave scores that are no numbers; nothing is known about this frame")
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= self._config.min_score]
        enlargement = np.array([size[0] / width, size[1] / height] * 2, np.float32)
        return geometry.clip(boxes[order] * enlargement, width=size[0], height=size[1]), scores[order]
