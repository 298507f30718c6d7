"""What anchor-free detectors (YOLOX, YuNet) share: input size, batching, letterbox, box decoding, suppression."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.models.detectors.protocol import Found, Picture, Thresholds
from or_mv_anon.models.graphs import STRIDES
from or_mv_anon.models.runtime import Device, Model, Precision, Tensors, load_model

SIZE_STEP = STRIDES[-1]  # px; pictures are padded to multiples of the coarsest stride
LARGEST_LOG_SIDE = 10.0  # strides, as a logarithm: larger than any picture, and far from overflow
FIXED_SHAPES = 2  # a camera has one picture size; two batch sizes occur: the usual one and a recording's last


class DenseDetector(ABC):
    """A detector that scores one box per cell of three grids."""

    pad_value: int

    def __init__(
        self,
        model: Path,
        config: Thresholds,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        threads: int = 0,
    ) -> None:
        """Loads `model`, an ONNX file of the kind that the subclass names.

        Raises:
            UserError: the file is no such model, or the device is not to be had.
        """
        self._model: Model = load_model(
            self.prepare(model), device=device, precision=precision, threads=threads, fixed_shapes=FIXED_SHAPES
        )
        self._long_side = config.input_long_side
        self._min_score = config.min_score
        self._nms_iou = config.nms_iou

    def with_settings(self, config: Thresholds) -> Self:
        """The same loaded network with another input size and other thresholds."""
        other = copy.copy(self)
        other._long_side, other._min_score, other._nms_iou = config.input_long_side, config.min_score, config.nms_iou
        return other

    @staticmethod
    @abstractmethod
    def prepare(path: Path) -> bytes:
        """The graph in the file, rewritten to take any picture size and to end in raw heads."""

    @property
    def provider(self) -> str:
        """The engine, device and precision in use."""
        return self._model.provider

    @property
    def on_cpu(self) -> bool:
        """Whether the processor computes it."""
        return self._model.on_cpu

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """See `protocol.Detector`; the frame's longer side becomes the configured one."""
        return fitted_size(width, height, long_side=self._long_side)

    def detect(self, pictures: Sequence[Picture], *, size: tuple[int, int]) -> list[Found]:
        """See `protocol.Detector`; pictures of one size are inferred together."""
        heads = self.infer(pictures)
        return [
            self._select(of_one, picture=picture, size=size) for of_one, picture in zip(heads, pictures, strict=True)
        ]

    def infer(self, pictures: Sequence[Picture]) -> list[Tensors]:
        """The raw heads for each picture; pictures of one size are inferred together."""
        by_size: dict[tuple[int, ...], list[int]] = {}
        for i, picture in enumerate(pictures):
            by_size.setdefault(picture.shape, []).append(i)
        found: dict[int, Tensors] = {}
        for members in by_size.values():
            outputs = self._model.infer(letterbox([pictures[i] for i in members], value=self.pad_value))
            for row, i in enumerate(members):
                found[i] = {name: output[row] for name, output in outputs.items()}
        return [found[i] for i in range(len(pictures))]

    @abstractmethod
    def decode(self, heads: Tensors) -> Found:
        """All cells' boxes ``(N, 4)`` in picture pixels and scores ``(N,)`` from the raw heads of one picture."""

    def _select(self, heads: Tensors, *, picture: Picture, size: tuple[int, int], least: float | None = None) -> Found:
        boxes, scores = self.decode(heads)
        if not np.isfinite(scores).all():
            raise FloatingPointError("the detector gave scores that are no numbers; nothing is known about this frame")
        likely = scores >= (self._min_score if least is None else least)
        boxes, scores = boxes[likely], scores[likely]
        kept = geometry.nms(boxes, scores, iou_threshold=self._nms_iou)
        height, width = picture.shape[:2]
        enlargement = np.array([size[0] / width, size[1] / height] * 2, np.float32)
        return geometry.clip(boxes[kept] * enlargement, width=size[0], height=size[1]), scores[kept]


def fitted_size(width: int, height: int, *, long_side: int) -> tuple[int, int]:
    """Width and height in pixels of a picture whose longer side becomes `long_side`.

    The aspect is kept and rounded as mmcv's `rescale_size` does.
    """
    factor = long_side / max(width, height)
    return max(1, int(width * factor + 0.5)), max(1, int(height * factor + 0.5))


def letterbox(pictures: Sequence[Picture], *, value: int) -> Picture:
    """Pictures of one size as a batch ``(N, H, W, 3)``, padded right and below with `value` to multiples of 32."""
    height, width = pictures[0].shape[:2]
    batch = np.full((len(pictures), _round_up(height), _round_up(width), 3), value, np.uint8)
    for row, picture in enumerate(pictures):
        batch[row, :height, :width] = picture
    return batch


def cell_boxes(regression: NDArray[Any], *, stride: int) -> Boxes:
    """Boxes ``(h·w, 4)`` in picture pixels from a regression head ``(4, h, w)``.

    Each cell holds its box's centre as an offset from the cell's corner and the logarithms of its sides, all in
    strides (Ge et al. 2021, "YOLOX", section 2.1; YuNet uses the same).
    """
    _, height, width = regression.shape
    corner_x, corner_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    centre_x = (regression[0] + corner_x) * stride
    centre_y = (regression[1] + corner_y) * stride
    half_width, half_height = np.exp(np.minimum(regression[2:], LARGEST_LOG_SIDE)) * (stride / 2)
    sides = [centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height]
    return np.stack(sides, axis=-1).reshape(-1, 4).astype(np.float32)


def sigmoid(logits: NDArray[Any]) -> NDArray[np.float32]:
    """The logistic function, safe for large magnitudes."""
    return (0.5 * (1.0 + np.tanh(0.5 * logits))).astype(np.float32)


def _round_up(length: int) -> int:
    return -(-length // SIZE_STEP) * SIZE_STEP
