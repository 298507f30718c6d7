"""Faces with their five landmarks in one picture, as the recognizers need them to align a face.

YuNet as OpenCV runs it: the pipeline's own `models/detectors/yunet.py` leaves the landmarks out, which covering does
not need.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.detectors.protocol import Picture

WEIGHTS = "yunet-2023mar"  # as `or_mv_anon.models.registry.fetch` knows it
NMS_IOU = 0.3
MOST_FACES = 500


@dataclass(frozen=True, eq=False)
class FoundFaces:
    """The faces of one picture, best first.

    Attributes:
        box: (N, 4) pixels.
        score: (N,) in [0, 1].
        landmarks: (N, 5, 2) pixels: right eye, left eye, nose, right and left corner of the mouth, sides as the person
            has them.
    """

    box: Boxes
    score: NDArray[np.float32]
    landmarks: NDArray[np.float32]


class LandmarkFinder:
    """Finds faces and their landmarks in single pictures."""

    def __init__(self, model: Path, *, min_score: float) -> None:
        """Loads `model`, OpenCV Zoo's YuNet; faces that score less than `min_score` are not reported.

        Raises:
            UserError: the file is no such model.
        """
        try:
            self._network = cv2.FaceDetectorYN.create(str(model), "", (320, 320), min_score, NMS_IOU, MOST_FACES)
        except cv2.error as error:
            raise UserError(f"{model} is not the face detector YuNet; expected OpenCV Zoo's ONNX file.") from error

    def find(self, picture: Picture) -> FoundFaces:
        """The faces in an upright BGR picture ``(H, W, 3)``, in its pixels."""
        height, width = picture.shape[:2]
        self._network.setInputSize((width, height))
        _, rows = self._network.detect(np.ascontiguousarray(picture))
        found = np.zeros((0, 15), np.float32) if rows is None else rows.astype(np.float32)
        found = found[np.argsort(-found[:, 14], kind="stable")]
        box = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
        return FoundFaces(box, found[:, 14], found[:, 4:14].reshape(-1, 5, 2))
