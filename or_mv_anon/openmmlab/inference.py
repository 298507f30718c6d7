"""Runs a detector of mmdet (RTMDet, Faster R-CNN, Deformable DETR, ...) in the place of the built-in one."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.detectors.dense import fitted_size
from or_mv_anon.models.detectors.protocol import Found, Picture, Thresholds
from or_mv_anon.models.runtime import Device
from or_mv_anon.models.torch_device import torch_device
from or_mv_anon.openmmlab.checkpoints import read_without_code, state_of
from or_mv_anon.openmmlab.detectors import build_detector

PERSON = 0  # number of the class, as in COCO


class MmdetDetector:
    """Finds people with PyTorch; has the interface of `models.detectors.protocol.Detector`.

    Args:
        model: mmengine configuration of the detector.
        weights: what `train_detector` left as its checkpoint, or the user's own.
        config: input size and thresholds; suppression is the detector's own.
        device: where it runs.
        threads: of PyTorch on a CPU; 0 leaves them as they are.

    Raises:
        UserError: the weights are of another model or lack a layer, or the device is not to be had.
    """

    def __init__(
        self, model: Path, weights: Path, config: Thresholds, *, device: Device = "cpu", threads: int = 0
    ) -> None:
        if threads:
            torch.set_num_threads(threads)
        self._device = torch_device(device)
        self._model: Any = build_detector(Config.fromfile(model), weights)
        _refuse_untrained(self._model, model, weights)
        self._model.to(self._device).eval()
        self._config = config

    @property
    def provider(self) -> str:
        """The engine and device in use."""
        return f"PyTorch {torch.__version__} {self._device.upper()} f32"

    @property
    def on_cpu(self) -> bool:
        """Whether the processor computes it."""
        return bool(self._device == "cpu")

    def with_settings(self, config: Thresholds) -> Self:
        """The same loaded network with another input size and other thresholds."""
        other = copy.copy(self)
        other._config = config
        return other

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """See `Detector.input_size`."""
        return fitted_size(width, height, long_side=self._config.input_long_side)

    def detect(self, pictures: Sequence[Picture], *, size: tuple[int, int]) -> list[Found]:
        """See `Detector.detect`."""
        return [self._detect(picture, size) for picture in pictures]

    def _detect(self, picture: Picture, size: tuple[int, int]) -> Found:
        height, width = picture.shape[:2]
        shape = {"img_shape": (height, width), "ori_shape": (height, width), "scale_factor": (1.0, 1.0)}
        tensor = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
        with torch.inference_mode():
            found = self._model.test_step({"inputs": [tensor], "data_samples": [DetDataSample(metainfo=shape)]})[0]
        people = found.pred_instances[found.pred_instances.labels == PERSON]
        boxes, scores = people.bboxes.float().cpu().numpy(), people.scores.float().cpu().numpy()
        if not np.isfinite(scores).all():
            raise FloatingPointError("the detector gave scores that are no numbers; nothing is known about this frame")
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= self._config.min_score]
        enlargement = np.array([size[0] / width, size[1] / height] * 2, np.float32)
        return geometry.clip(boxes[order] * enlargement, width=size[0], height=size[1]), scores[order]


def _refuse_untrained(model: Any, config: Path, weights: Path) -> None:
    """Training may begin with a last layer at random; a detector that runs like that finds anything but people."""
    given = state_of(read_without_code(str(weights)), weights)
    for name, values in model.state_dict().items():
        if name not in given or given[name].shape != values.shape:
            raise UserError(
                f"{weights} lacks the layer {name} that {config} describes; pass the configuration that the "
                "checkpoint was trained with."
            )
