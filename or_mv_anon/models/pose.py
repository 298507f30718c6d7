"""The pose model: RTMPose (Jiang et al. 2023) with SimCC heads, top-down on person boxes, in Halpe-26 order.

Cropping and decoding follow mmpose 1.3 (`GetBBoxCenterScale`, `TopdownAffine`, `SimCCLabel.decode`), without flip test.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PoseConfig
from or_mv_anon.models import graphs
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.runtime import Device, Precision, load_model

CROP_WIDTH, CROP_HEIGHT = 192, 256  # px, the network's input
BOX_PADDING = 1.25  # crop side ÷ box side
BINS_PER_PIXEL = 2.0  # SimCC bins along each crop axis


class Halpe26(IntEnum):
    """Keypoints of the Halpe body set (Fang et al. 2022, "AlphaPose"); left and right are the person's own."""

    NOSE = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    LEFT_EAR = 3
    RIGHT_EAR = 4
    LEFT_SHOULDER = 5
    RIGHT_SHOULDER = 6
    LEFT_ELBOW = 7
    RIGHT_ELBOW = 8
    LEFT_WRIST = 9
    RIGHT_WRIST = 10
    LEFT_HIP = 11
    RIGHT_HIP = 12
    LEFT_KNEE = 13
    RIGHT_KNEE = 14
    LEFT_ANKLE = 15
    RIGHT_ANKLE = 16
    HEAD_TOP = 17
    NECK = 18
    MID_HIP = 19
    LEFT_BIG_TOE = 20
    RIGHT_BIG_TOE = 21
    LEFT_SMALL_TOE = 22
    RIGHT_SMALL_TOE = 23
    LEFT_HEEL = 24
    RIGHT_HEEL = 25


class PoseEstimator:
    """Places 26 keypoints in each person box."""

    def __init__(
        self,
        model: Path,
        config: PoseConfig,
        *,
        device: Device = "auto",
        precision: Precision = "auto",
        threads: int = 0,
    ) -> None:
        """Loads `model`, an ONNX export of RTMPose 256 × 192 for Halpe-26.

        Raises:
            UserError: the file is no such model, or the device is not to be had.
        """
        self._model = load_model(graphs.rtmpose(model), device=device, precision=precision, threads=threads)
        self._batch = config.batch

    @property
    def provider(self) -> str:
        """The engine, device and precision in use."""
        return self._model.provider

    def estimate(self, picture: Picture, boxes: Boxes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Keypoints of the people in `boxes`.

        Args:
            picture: upright BGR frame ``(h, w, 3)``.
            boxes: person boxes ``(N, 4)`` in that picture's pixels; parts outside of it are seen as black.

        Returns:
            Points ``(N, 26, 2)`` float32 in the picture's pixels and scores ``(N, 26)``, the lower of the two SimCC
            maxima. A point may lie outside of the picture; scores of 0 or less mark points without any evidence.
        """
        return self.estimate_together([(picture, boxes)])

    def estimate_together(
        self, looks: Sequence[tuple[Picture, Boxes]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The same of people in several pictures, one picture's after another's: full batches cost less per person."""
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *(boxes for _, boxes in looks)])
        pictures = [picture for picture, own in looks for _ in own]
        centres, sizes = crop_frames(boxes)
        points = np.zeros((len(boxes), len(Halpe26), 2), np.float32)
        scores = np.zeros((len(boxes), len(Halpe26)), np.float32)
        for start in range(0, len(boxes), self._batch):
            rows = slice(start, start + self._batch)
            people = zip(pictures[rows], centres[rows], sizes[rows], strict=True)
            heads = self._model.infer(np.stack([crop(*person) for person in people]))
            in_crop, scores[rows] = decode_simcc(heads["simcc_x"], heads["simcc_y"])
            points[rows] = to_picture(in_crop, centres[rows], sizes[rows])
        return points, scores


def crop_frames(boxes: Boxes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centres ``(N, 2)`` and sizes ``(N, 2)`` in picture pixels of the boxes' crops: padded, then widened to 3:4."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    width, height = ((boxes[:, 2:] - boxes[:, :2]) * BOX_PADDING).T
    aspect = CROP_WIDTH / CROP_HEIGHT
    sizes = np.stack([np.maximum(width, height * aspect), np.maximum(height, width / aspect)], axis=1)
    return centres.astype(np.float32), np.maximum(sizes, 1.0).astype(np.float32)


def crop(picture: Picture, centre: NDArray[np.float32], size: NDArray[np.float32]) -> Picture:
    """One crop ``(256, 192, 3)``, sampled bilinearly."""
    scale = CROP_WIDTH / float(size[0])
    matrix = np.array(
        [
            [scale, 0, CROP_WIDTH / 2 - scale * float(centre[0])],
            [0, scale, CROP_HEIGHT / 2 - scale * float(centre[1])],
        ]
    )
    return cv2.warpAffine(picture, matrix, (CROP_WIDTH, CROP_HEIGHT), flags=cv2.INTER_LINEAR).astype(
        np.uint8, copy=False
    )


def decode_simcc(
    simcc_x: NDArray[np.float32], simcc_y: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points ``(N, K, 2)`` in crop pixels and scores ``(N, K)`` from SimCC heads (Li et al. 2022, "SimCC")."""
    scores = np.minimum(simcc_x.max(axis=-1), simcc_y.max(axis=-1)).astype(np.float32)
    bins = np.stack([simcc_x.argmax(axis=-1), simcc_y.argmax(axis=-1)], axis=-1).astype(np.float32)
    bins[scores <= 0] = -1
    return bins / np.float32(BINS_PER_PIXEL), scores


def to_picture(
    points: NDArray[np.float32], centres: NDArray[np.float32], sizes: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Crop pixels ``(N, K, 2)`` to picture pixels, given the crops' centres and sizes ``(N, 2)``."""
    share = points / np.array([CROP_WIDTH, CROP_HEIGHT], np.float32)
    return np.add(share * sizes[:, None], (centres - sizes / 2)[:, None], dtype=np.float32)
