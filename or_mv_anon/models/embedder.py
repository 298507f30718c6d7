"""What a person looks like, as a vector: OSNet (Zhou et al. 2019), trained to tell passers-by apart.

In an operating room it is weak evidence, because gowns look alike; `association/appearance.py` measures how weak.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import AppearanceConfig
from or_mv_anon.core.records import Embeddings
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.osnet import INPUT_HEIGHT, INPUT_WIDTH, osnet
from or_mv_anon.models.runtime import Device, Precision, load_model

SIZE = Embeddings.columns["vector"][1][0]  # numbers per person


class PersonEmbedder:
    """Describes the person in each box by a unit vector."""

    def __init__(
        self,
        model: Path,
        config: AppearanceConfig,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        threads: int = 0,
    ) -> None:
        """Loads `model`, the PyTorch state dict of OSNet x1.0.

        Raises:
            UserError: the file is no such model, or the device is not to be had.
        """
        self._model = load_model(osnet(model), device=device, precision=precision, threads=threads)
        self._batch = config.batch

    @property
    def provider(self) -> str:
        """The engine, device and precision in use."""
        return self._model.provider

    def embed(self, picture: Picture, boxes: Boxes) -> NDArray[np.float32]:
        """Appearance of the people in `boxes`.

        Args:
            picture: upright BGR frame ``(h, w, 3)``.
            boxes: person boxes ``(N, 4)`` in that picture's pixels; only what lies inside of it is looked at.

        Returns:
            Unit vectors ``(N, 512)``; zeros for boxes that show nothing of the picture.
        """
        height, width = picture.shape[:2]
        inside = geometry.clip(boxes, width=width, height=height)
        whole = np.concatenate([np.floor(inside[:, :2]), np.ceil(inside[:, 2:])], axis=1).astype(int)
        shown = np.flatnonzero((whole[:, 2:] > whole[:, :2]).all(axis=1))
        vectors = np.zeros((len(boxes), SIZE), np.float32)
        for start in range(0, len(shown), self._batch):
            rows = shown[start : start + self._batch]
            crops = np.stack([_crop(picture, *whole[row]) for row in rows])
            vectors[rows] = self._model.infer(crops)["embedding"]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def _crop(picture: Picture, left: int, top: int, right: int, bottom: int) -> Picture:
    person = picture[top:bottom, left:right]
    return cv2.resize(person, (INPUT_WIDTH, INPUT_HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
