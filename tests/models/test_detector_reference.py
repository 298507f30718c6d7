"""The person detector equals mmdet's pipeline; reference.json holds mmdet's numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.config import DetectionConfig
from or_mv_anon.models.detectors.dense import letterbox
from or_mv_anon.models.detectors.yolox import PersonDetector
from tests.models.reference_inputs import HEAD_PICTURE, LONG_SIDE, generated_picture, sampled_pixels, yolox_heads
from tests.models.tiny_networks import write_tiny_yolox

CONFIG = DetectionConfig(input_long_side=LONG_SIDE, interval_s=0.0, min_score=0.1, nms_iou=0.65)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> PersonDetector:
    path = write_tiny_yolox(tmp_path_factory.mktemp("tiny") / "tiny.onnx")
    return PersonDetector(path, CONFIG, device="cpu", precision="f32", threads=1)


def test_input_size_and_padding_equal_mmdet(tiny: PersonDetector, reference: dict[str, Any]) -> None:
    for case in reference["preprocessing"]:
        width, height = case["frame"]
        size = tiny.input_size(width, height)
        assert list(size) == case["resized"]
        resized = cv2.resize(generated_picture(width, height), size, interpolation=cv2.INTER_LINEAR)
        (padded,) = letterbox([resized], value=tiny.pad_value)
        assert list(padded.shape[1::-1]) == case["padded"]
        difference = np.abs(np.array(sampled_pixels(padded)) - np.array(case["pixels"]))
        assert difference.max() <= 1  # OpenCV versions round differently


def test_decoding_and_suppression_equal_mmdet(tiny: PersonDetector, reference: dict[str, Any], monkeypatch) -> None:
    height, width = HEAD_PICTURE
    heads = {name: head[None] for name, head in yolox_heads().items()}
    monkeypatch.setattr(tiny._model, "infer", lambda batch: heads)
    ((boxes, scores),) = tiny.detect([np.zeros((height, width, 3), np.uint8)], size=(width * 2, height * 2))
    expected = reference["head_decoding"]
    expected_boxes = geometry.clip(np.array(expected["boxes"], np.float32), width=width * 2, height=height * 2)
    assert len(scores) > 50
    np.testing.assert_allclose(scores, expected["scores"], atol=2e-5)
    np.testing.assert_allclose(boxes, expected_boxes, atol=2e-3)


@given(width=st.integers(1, 5000), height=st.integers(1, 5000))
def test_input_size_keeps_the_aspect(tiny: PersonDetector, width: int, height: int) -> None:
    to_width, to_height = tiny.input_size(width, height)
    assert max(to_width, to_height) == LONG_SIDE
    assert min(to_width, to_height) >= 1
    factor = LONG_SIDE / max(width, height)
    assert abs(to_width - width * factor) <= 1
    assert abs(to_height - height * factor) <= 1


def test_pictures_of_mixed_sizes_keep_their_order(tiny: PersonDetector) -> None:
    pictures = [generated_picture(96, 64), generated_picture(64, 96), generated_picture(96, 64)[::-1].copy()]
    together = tiny.detect(pictures, size=(960, 640))
    for picture, (boxes, scores) in zip(pictures, together, strict=True):
        ((alone, alone_scores),) = tiny.detect([picture], size=(960, 640))
        assert len(scores) > 0
        np.testing.assert_allclose(scores, alone_scores, atol=1e-4)
        np.testing.assert_allclose(boxes, alone, atol=0.05)


def test_boxes_are_float32_inside_the_frame_and_best_first(tiny: PersonDetector) -> None:
    ((boxes, scores),) = tiny.detect([generated_picture(96, 64)], size=(960, 640))
    assert boxes.dtype == scores.dtype == np.float32
    assert (boxes >= 0).all()
    assert (boxes <= [960, 640, 960, 640]).all()
    assert (np.diff(scores) <= 0).all()
    assert (scores >= CONFIG.min_score).all()


def test_scores_that_are_no_numbers_never_pass_for_an_empty_frame(tiny: PersonDetector, monkeypatch) -> None:
    heads = {name: head[None] for name, head in yolox_heads().items()}
    heads["obj_16"][0, 0, 0, 0] = np.nan
    monkeypatch.setattr(tiny._model, "infer", lambda batch: heads)
    with pytest.raises(FloatingPointError):
        tiny.detect([np.zeros((*HEAD_PICTURE, 3), np.uint8)], size=(160, 96))


def test_no_pictures_no_results(tiny: PersonDetector) -> None:
    assert tiny.detect([], size=(96, 64)) == []


@pytest.mark.sample
def test_people_in_the_sample_are_mmdets(weights, sample_frame, reference: dict[str, Any]) -> None:
    path: Path = weights("yolox-tiny-humanart")
    detector = PersonDetector(path, CONFIG, device="cpu", precision="f32", threads=1)
    for case in reference["whole_models"]:
        frame = sample_frame(case["video"], case["frame"])
        height, width = frame.shape[:2]
        resized = cv2.resize(frame, detector.input_size(width, height), interpolation=cv2.INTER_LINEAR)
        ((boxes, scores),) = detector.detect([resized], size=(width, height))
        np.testing.assert_allclose(scores, case["scores"], atol=0.003)
        np.testing.assert_allclose(boxes, case["boxes"], atol=1.0)
