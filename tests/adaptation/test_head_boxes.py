"""Labels of heads: which are believed, where one was overlooked, and that nobody's head becomes background."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.adaptation.coco import LabelledImage, read_coco, write_coco
from or_mv_anon.adaptation.head_boxes import HeadBoxes, label_head_boxes
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels, label_camera
from or_mv_anon.adaptation.results import CameraResults
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Keypoints, Provenance
from or_mv_anon.models.pose import Halpe26
from tests.adaptation.label_scenes import box_at, detections, findings

CONFIG = load_adaptation_config()
PIPELINE = load_config()
HEAD = [112.0, 100.0, 128.0, 120.0]  # of the person at 100
FRAMES = 30


def scene(
    scores: dict[int, float], *, posed: dict[int, float] | None = None, shift: float = 0.0, frames: int = FRAMES
) -> CameraResults:
    """One person who stands still; `scores` of the detected heads and of the keypoints of `posed` heads, by frame."""
    rows = [(0, frame, box_at(100), 0.9, Provenance.DETECTED) for frame in range(frames)]
    heads = detections([(frame, HEAD, score) for frame, score in sorted(scores.items())])
    found = findings(rows, frames=frames, heads=heads)
    points, score = np.zeros((frames, 26, 2), np.float32), np.full((frames, 26), 0.6, np.float32)
    score[:, [*range(5), Halpe26.HEAD_TOP, Halpe26.NECK, Halpe26.LEFT_SHOULDER, Halpe26.RIGHT_SHOULDER]] = 0.0
    for frame, sure in (posed or {}).items():
        points[frame, Halpe26.NOSE] = [120 + shift, 110]
        points[frame, Halpe26.LEFT_EAR] = [126 + shift, 110]
        points[frame, Halpe26.RIGHT_EAR] = [114 + shift, 110]
        score[frame, [Halpe26.NOSE, Halpe26.LEFT_EAR, Halpe26.RIGHT_EAR]] = sure
    keypoints = Keypoints(detection=np.arange(frames), points=points, score=score)
    return dataclasses.replace(found, keypoints=keypoints)


def labels_of(found: CameraResults) -> HeadBoxes:
    return label_head_boxes(found, label_camera(found, CONFIG.labels), CONFIG.heads, PIPELINE)


def weights(found: HeadBoxes) -> dict[int, float]:
    return dict(zip(found.frame[found.trusted].tolist(), found.weight[found.trusted].tolist(), strict=True))


def test_a_sure_head_is_believed_unless_the_keypoints_say_that_it_is_elsewhere() -> None:
    everywhere = dict.fromkeys(range(FRAMES), 0.9)
    assert weights(labels_of(scene(everywhere))) == dict.fromkeys(range(FRAMES), CONFIG.heads.detected)
    denied = labels_of(scene(everywhere, posed={5: 0.9, 6: 0.9, 7: 0.9, 8: 0.9}, shift=18.0))
    assert set(range(FRAMES)) - set(weights(denied)) == {5, 6, 7, 8}


def test_a_weak_head_is_believed_where_the_keypoints_place_it() -> None:
    found = labels_of(scene({3: 0.2, 20: 0.2}, posed={3: 0.9}))
    assert weights(found) == {3: CONFIG.heads.detected}
    assert found.frame[~found.trusted].tolist() == sorted([*({*range(FRAMES)} - {3}), 20])  # its box, and the candidate


def test_an_overlooked_head_is_as_large_as_others_are_about_their_keypoints() -> None:
    found = labels_of(scene(dict.fromkeys(range(25), 0.9), posed=dict.fromkeys(range(FRAMES), 0.9)))
    assert weights(found)[29] == pytest.approx(CONFIG.heads.posed)
    assert found.box[found.frame == 29] == pytest.approx(np.array([HEAD]), abs=1e-3)
    few = labels_of(scene(dict.fromkeys(range(10), 0.9), posed=dict.fromkeys(range(FRAMES), 0.9)))
    assert 29 not in weights(few)


def test_a_head_between_two_others_is_where_they_place_it() -> None:
    found = labels_of(scene({0: 0.9, 2: 0.9, 10: 0.9, 20: 0.9}))
    assert weights(found) == {0: 1.0, 1: pytest.approx(CONFIG.heads.between), 2: 1.0, 10: 1.0, 20: 1.0}
    assert found.box[(found.frame == 1) & found.trusted] == pytest.approx(np.array([HEAD]), abs=1e-3)


def test_nothing_is_taught_in_the_box_of_a_person_who_is_not_trusted() -> None:
    found = scene(dict.fromkeys(range(FRAMES), 0.9))
    people = label_camera(found, CONFIG.labels)
    undecided = people.replace(weight=np.zeros(len(people)))
    labels = label_head_boxes(found, undecided, CONFIG.heads, PIPELINE)
    assert not labels.trusted.any()
    assert (labels.box == np.array(box_at(100))).all(axis=1).sum() == FRAMES


def test_labels_of_heads_are_written_and_read(tmp_path: Path) -> None:
    heads = HeadBoxes(frame=[4, 4], box=[HEAD, box_at(200)], weight=[1.0, 0.0])  # type: ignore[arg-type]
    image = LabelledImage(
        number=1, camera="s/cam1", frame=4, time=0.4, size=(640, 360), labels=PseudoLabels.empty(), heads=heads
    )
    write_coco([image, dataclasses.replace(image, number=2, heads=None)], tmp_path / "labels.json")
    known, unknown = read_coco(tmp_path / "labels.json")
    assert known.heads is not None
    assert known.heads.box == pytest.approx(heads.box)
    assert known.heads.weight.tolist() == [1.0, 0.0]
    assert unknown.heads is None


def test_where_nobody_looked_for_heads_nothing_is_taught(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="could not import 'torch'")
    assert torch is not None
    pytest.importorskip("mmdet", reason="could not import 'mmdet'")
    from or_mv_anon.core.pictures import PictureBank
    from or_mv_anon.openmmlab.draws import read_labels

    path = tmp_path / "labels.json"
    write_coco([LabelledImage(number=1, camera="c", frame=0, time=0, size=(64, 48), labels=PseudoLabels.empty())], path)
    (labels,) = read_labels(path, PictureBank({1: np.zeros((48, 64, 3), np.uint8)}), classes=2)
    assert (labels.ignored.tolist(), labels.classes.tolist()) == ([[0, 0, 64, 48]], [1])
    (people,) = read_labels(path, PictureBank({1: np.zeros((48, 64, 3), np.uint8)}), classes=1)
    assert len(people.boxes) == len(people.ignored) == 0
