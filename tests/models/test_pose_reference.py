"""The pose model equals mmpose's pipeline; reference.json holds mmpose's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core.config import PoseConfig
from or_mv_anon.models import pose
from or_mv_anon.models.pose import Halpe26, PoseEstimator
from tests.models.reference_inputs import POSE_BOXES, generated_picture, sampled_pixels, simcc_heads

CONFIG = PoseConfig(interval_s=0.1, min_detection_score=0.2, known_head_score=1.0, batch=2, trusted_score=0.35)


def test_crops_equal_mmpose(reference: dict[str, Any]) -> None:
    picture = generated_picture(333, 217)
    centres, sizes = pose.crop_frames(POSE_BOXES)
    for centre, size, case in zip(centres, sizes, reference["pose_crops"], strict=True):
        np.testing.assert_allclose(centre, case["centre"], atol=1e-3)
        np.testing.assert_allclose(size, case["size"], rtol=1e-4)
        difference = np.abs(np.array(sampled_pixels(pose.crop(picture, centre, size))) - np.array(case["pixels"]))
        assert difference.mean() < 0.5
        assert np.quantile(difference, 0.95) <= 2  # warpAffine rounds positions to 1/32 px


def test_simcc_decoding_equals_mmpose(reference: dict[str, Any]) -> None:
    points, scores = pose.decode_simcc(*simcc_heads())
    np.testing.assert_allclose(points, reference["simcc_decoding"]["points"], atol=1e-3)
    np.testing.assert_allclose(scores, reference["simcc_decoding"]["scores"], atol=1e-5)


@given(
    x=st.floats(-500, 5000),
    y=st.floats(-500, 5000),
    width=st.floats(1, 2000),
    height=st.floats(1, 2000),
)
def test_the_crop_holds_the_padded_box_in_the_networks_aspect(x: float, y: float, width: float, height: float) -> None:
    box = np.array([[x, y, x + width, y + height]], np.float32)
    centres, sizes = pose.crop_frames(box)
    assert sizes[0, 0] / sizes[0, 1] == pytest.approx(192 / 256, rel=1e-4)
    assert sizes[0, 0] >= 1.2499 * (box[0, 2] - box[0, 0])
    assert sizes[0, 1] >= 1.2499 * (box[0, 3] - box[0, 1])
    corners = np.array([[[0, 0], [192, 256], [96, 128]]], np.float32)
    first, last, middle = pose.to_picture(corners, centres, sizes)[0]
    np.testing.assert_allclose(middle, centres[0], atol=0.01)
    np.testing.assert_allclose(last - first, sizes[0], rtol=1e-3)


@given(px=st.integers(20, 170), py=st.integers(20, 230))
def test_a_mark_in_the_crop_maps_back_to_its_place(px: int, py: int) -> None:
    picture = np.zeros((260, 200, 3), np.uint8)
    picture[py - 1 : py + 2, px - 1 : px + 2] = 255
    centres, sizes = pose.crop_frames(np.array([[20, 30, 180, 240]], np.float32))
    cropped = pose.crop(picture, centres[0], sizes[0])[..., 0].astype(float)
    rows, columns = np.mgrid[0:256, 0:192]
    mark = [(cropped * columns).sum() / cropped.sum(), (cropped * rows).sum() / cropped.sum()]
    back = pose.to_picture(np.array([[mark]], np.float32), centres, sizes)[0, 0]
    np.testing.assert_allclose(back, [px, py], atol=0.3)


def test_names_are_halpe26s() -> None:
    assert len(Halpe26) == 26
    assert [Halpe26.NOSE, Halpe26.HEAD_TOP, Halpe26.NECK, Halpe26.RIGHT_HEEL] == [0, 17, 18, 25]


@pytest.mark.sample
def test_poses_in_the_sample_are_mmposes(weights, sample_frame, reference: dict[str, Any]) -> None:
    estimator = PoseEstimator(weights("rtmpose-s-halpe26"), CONFIG, device="cpu", precision="f32", threads=1)
    for case in reference["whole_models"]:
        frame = sample_frame(case["video"], case["frame"])
        points, scores = estimator.estimate(frame, np.array(case["boxes"], np.float32))
        expected = np.array([person["points"] for person in case["poses"]])
        np.testing.assert_allclose(scores, [person["scores"] for person in case["poses"]], atol=0.03)
        distance = np.linalg.norm(points - expected, axis=-1)
        confident = scores > 0.3
        assert np.quantile(distance[confident], 0.9) < 0.1  # a bin's flip moves a point by about 2 px here
        assert distance[confident].max() < 10


@pytest.mark.sample
def test_batches_do_not_change_the_result_and_nobody_is_fine(weights) -> None:
    estimator = PoseEstimator(weights("rtmpose-s-halpe26"), CONFIG, device="cpu", precision="f32", threads=1)
    picture = generated_picture(333, 217)
    points, scores = estimator.estimate(picture, POSE_BOXES)
    assert points.shape == (5, 26, 2)
    for i, box in enumerate(POSE_BOXES):
        alone, alone_scores = estimator.estimate(picture, box[None])
        np.testing.assert_allclose(scores[i], alone_scores[0], atol=1e-3)
        assert np.median(np.abs(points[i] - alone[0])) < 0.01
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    together, _ = estimator.estimate_together(
        [(picture, POSE_BOXES[:2]), (mirrored, POSE_BOXES[:0]), (mirrored, POSE_BOXES[:3])]
    )
    expected = [points[:2], estimator.estimate(mirrored, POSE_BOXES[:3])[0]]
    assert np.median(np.abs(together - np.concatenate(expected))) < 0.01
    points, scores = estimator.estimate(picture, np.zeros((0, 4), np.float32))
    assert points.shape == (0, 26, 2)
    assert scores.shape == (0, 26)
