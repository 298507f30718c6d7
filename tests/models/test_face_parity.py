"""The face detector equals OpenCV's own implementation of YuNet."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.models.detectors.yunet import FaceDetector

CONFIG = dataclasses.replace(load_config().face, input_long_side=640, min_score=0.3, nms_iou=0.3)


@pytest.mark.sample
@pytest.mark.parametrize("video", ["cam01.mp4", "cam02.mp4", "cam03.mp4", "cam04.mp4"])
def test_faces_are_those_of_opencv(weights, sample_frame, video: str) -> None:
    path = weights("yunet-2023mar")
    frame = sample_frame(video, 59)
    height, width = frame.shape[:2]
    detector = FaceDetector(path, CONFIG, device="cpu", precision="f32", threads=1)
    size = detector.input_size(width, height)
    resized = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    ((boxes, scores),) = detector.detect([resized], size=size)

    opencv = cv2.FaceDetectorYN.create(str(path), "", size, CONFIG.min_score, CONFIG.nms_iou, 5000)
    _, faces = opencv.detect(resized)
    assert faces is not None
    corners = np.concatenate([faces[:, :2], faces[:, :2] + faces[:, 2:4]], axis=1)
    expected = np.clip(corners, 0, [size[0], size[1]] * 2)
    order = np.argsort(-faces[:, 14])
    np.testing.assert_allclose(scores, faces[order, 14], atol=1e-3)
    np.testing.assert_allclose(boxes, expected[order], atol=0.1)
