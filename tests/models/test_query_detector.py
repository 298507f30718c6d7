"""End-to-end detectors: every layout of export gives the same people; what would be misread is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.core.config import DetectionConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.catalogue import known_weights
from or_mv_anon.models.detectors.families import FAMILIES, kind_of, open_detector
from or_mv_anon.models.detectors.query import QueryDetector
from or_mv_anon.models.network_file import Engine, NetworkFile
from tests.models.tiny_networks import LOGITS, QUERIES, QUERY_SIZE, write_tiny_query, write_tiny_yolox

CONFIG = DetectionConfig(input_long_side=416, interval_s=0.0, min_score=0.1, nms_iou=0.65)
FRAME = (960, 640)
EXACT = Engine(device="cpu", precision="f32", threads=1)
BLACK = np.zeros((QUERY_SIZE[1], QUERY_SIZE[0], 3), np.uint8)


def corners(rows: list[int]) -> np.ndarray:
    """The queries as clipped corners in pixels of the full frame."""
    centre, sides = QUERIES[rows, :2], QUERIES[rows, 2:]
    shares = np.concatenate([centre - sides / 2, centre + sides / 2], axis=1).clip(0, 1)
    return shares * np.array([*FRAME, *FRAME])


def expected_scores(rows: list[int], *, person: int, brightness: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(LOGITS[rows, person] + brightness)))


@pytest.mark.parametrize(("classes", "person", "rows"), [(91, 1, [2, 0, 1]), (80, 0, [])])
def test_sparse_coco_counts_a_person_as_one_and_others_as_zero(
    tmp_path: Path, classes: int, person: int, rows: list[int]
) -> None:
    path = write_tiny_query(tmp_path / "d.onnx", layout="logits", classes=classes)
    ((boxes, scores),) = QueryDetector(path, CONFIG, EXACT).detect([BLACK], size=FRAME)
    np.testing.assert_allclose(boxes, corners(rows), atol=1e-3)
    np.testing.assert_allclose(scores, expected_scores(rows, person=person, brightness=0.0), atol=1e-5)


def test_red_is_first_and_the_usual_normalization_of_each_layout_applies(tmp_path: Path) -> None:
    red = BLACK.copy()
    red[..., 2] = 255  # BGR
    for layout, brightness in (("rf-detr", (1 - 0.485) / 0.229), ("logits", 1.0)):
        path = write_tiny_query(tmp_path / f"{layout}.onnx", layout=layout)
        ((_, scores),) = QueryDetector(path, CONFIG, EXACT).detect([red], size=FRAME)
        np.testing.assert_allclose(scores, expected_scores([2, 0, 1], person=1, brightness=brightness), atol=1e-4)


def test_a_file_may_state_its_class_and_normalization(tmp_path: Path) -> None:
    path = write_tiny_query(tmp_path / "d.onnx", person_class="2", normalization="unit")
    ((boxes, scores),) = QueryDetector(path, CONFIG, EXACT).detect([BLACK], size=FRAME)
    np.testing.assert_allclose(boxes, corners([0, 1]), atol=1e-3)
    np.testing.assert_allclose(scores, expected_scores([0, 1], person=2, brightness=0.0), atol=1e-5)
    with pytest.raises(UserError, match="states the normalization 'other'"):
        QueryDetector(write_tiny_query(tmp_path / "o.onnx", normalization="other"), CONFIG, EXACT)


def test_a_post_processor_s_pixels_become_those_of_the_frame(tmp_path: Path) -> None:
    path = write_tiny_query(tmp_path / "d.onnx", layout="finished", classes=3, person_class="1")
    ((boxes, scores),) = QueryDetector(path, CONFIG, EXACT).detect([BLACK], size=FRAME)
    np.testing.assert_allclose(boxes, corners([2]), atol=1e-2)  # of the others another class is the best
    np.testing.assert_allclose(scores, expected_scores([2], person=1, brightness=0.0), atol=1e-5)


def test_pictures_are_asked_for_at_the_export_s_size_and_batches_keep_their_order(tmp_path: Path) -> None:
    detector = QueryDetector(write_tiny_query(tmp_path / "d.onnx"), CONFIG, EXACT)
    assert detector.input_size(*FRAME) == QUERY_SIZE
    white = np.full_like(BLACK, 255)
    together = detector.detect([BLACK, white], size=FRAME)
    assert together[0][1].max() < together[1][1].max()
    strict = detector.with_settings(DetectionConfig(input_long_side=1, interval_s=0.0, min_score=0.9, nms_iou=0.5))
    assert len(strict.detect([BLACK], size=FRAME)[0][0]) < len(together[0][0])


def test_values_that_are_no_numbers_never_pass_for_an_empty_frame(tmp_path: Path, monkeypatch) -> None:
    detector = QueryDetector(write_tiny_query(tmp_path / "d.onnx"), CONFIG, EXACT)
    bad = {"dets": np.full((1, 3, 4), np.nan, np.float32), "labels": np.zeros((1, 3, 91), np.float32)}
    monkeypatch.setattr(detector._model, "infer", lambda picture: bad)
    with pytest.raises(FloatingPointError):
        detector.detect([BLACK], size=FRAME)


def test_a_softmax_with_a_class_for_nothing_is_refused(tmp_path: Path) -> None:
    path = write_tiny_query(tmp_path / "d.onnx", layout="logits", classes=92)
    with pytest.raises(UserError, match="softmax"):
        QueryDetector(path, CONFIG, EXACT)


def test_a_file_tells_its_family_and_the_registry_opens_it(tmp_path: Path) -> None:
    query, yolox = write_tiny_query(tmp_path / "q.onnx"), write_tiny_yolox(tmp_path / "y.onnx")
    assert (kind_of(query), kind_of(yolox)) == ("query", "yolox")
    for path in (query, yolox):
        detector = open_detector(NetworkFile(kind_of(path), path), CONFIG, EXACT)
        size = detector.input_size(*FRAME)
        assert len(detector.detect([np.zeros((size[1], size[0], 3), np.uint8)], size=FRAME)) == 1
    with pytest.raises(UserError, match="kind 'nose'"):
        open_detector(NetworkFile("nose", query), CONFIG, EXACT)


def test_every_registered_detector_is_of_a_family_that_exists() -> None:
    kinds = [asset.kind for asset in known_weights().values() if "detector" in asset.role and asset.kind]
    assert len(kinds) >= 3
    assert set(kinds) <= set(FAMILIES)
