"""Pseudo-labels: who is trusted, who is left undecided, and that thin evidence makes nobody background."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchmarks.pseudo_labels import judge_labels
from or_mv_anon.adaptation.coco import LabelledImage, read_coco, write_coco
from or_mv_anon.adaptation.pseudo_labels import label_camera
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Provenance
from or_mv_anon.core.truth import CameraTruth, FaceMasks, TruthFrames, TruthPeople
from tests.adaptation.label_scenes import NOTHING, box_at, findings

CONFIG = dataclasses.replace(load_adaptation_config().labels, remember_s=0.0)
DETECTED, TRACKED, INTERPOLATED = Provenance.DETECTED, Provenance.TRACKED, Provenance.INTERPOLATED
CROSS_VIEW = Provenance.CROSS_VIEW


def clear_track(*middle: tuple[float, Provenance], track: int = 0) -> list:
    """Two sure frames, the `middle`, two sure frames."""
    scores = [(0.9, DETECTED), (0.9, DETECTED), *middle, (0.9, DETECTED), (0.9, DETECTED)]
    return [(track, frame, box_at(100), score, kind) for frame, (score, kind) in enumerate(scores)]


def test_a_clear_track_is_trusted_by_where_its_boxes_come_from() -> None:
    labels = label_camera(findings(clear_track((0.4, TRACKED), (0.15, TRACKED))), CONFIG)
    assert labels.frame.tolist() == [0, 1, 2, 3, 4, 5]
    assert labels.weight == pytest.approx([1, 1, CONFIG.tracked, 0, 1, 1])
    helped = label_camera(findings(clear_track((0.4, CROSS_VIEW), (0.15, CROSS_VIEW))), CONFIG)
    assert helped.weight == pytest.approx([1, 1, CONFIG.cross_view, 0, 1, 1])


def test_a_sure_box_in_which_nobody_is_seen_is_left_undecided() -> None:
    labels = label_camera(findings(clear_track(), posture={0: 0.6, 1: 0.4, 2: 0.15, 3: 0.15}), CONFIG)
    assert labels.weight == pytest.approx([1, 0.4 / CONFIG.sure_posture, 0, 0])
    assert labels.evidence == pytest.approx([1, 0.4 / CONFIG.sure_posture, 0, 0])


def test_what_the_starting_detector_was_sure_of_needs_no_pose() -> None:
    original = [(frame, box_at(103), score) for frame, score in enumerate((0.9, 0.5, 0.9, 0.9))]
    labels = label_camera(findings(clear_track(), posture=0.15, original=original), CONFIG)
    assert labels.weight == pytest.approx([1, 0, 1, 1])


def test_a_filled_box_is_no_surer_than_the_poses_on_either_side() -> None:
    rows = clear_track((0.9, INTERPOLATED))
    seen = label_camera(findings(rows), CONFIG)
    assert seen.weight[2] == pytest.approx(CONFIG.interpolated)
    doubtful = label_camera(findings(rows, posture={1: 0.6, 3: 0.15}), CONFIG)
    assert doubtful.weight[:4] == pytest.approx([1, 1, 0, 0])


def test_a_track_without_any_pose_is_left_undecided() -> None:
    labels = label_camera(findings(clear_track(), posture=-1), CONFIG)
    assert not labels.trusted.any()
    assert labels.evidence.tolist() == [1] * 4  # but nobody was denied


def test_whom_only_the_starting_detector_finds_is_not_background() -> None:
    original = [(1, box_at(400), 0.2), (1, box_at(103), 0.9), (2, box_at(400), 0.05)]
    labels = label_camera(findings(clear_track(), original=original), CONFIG)
    undecided = labels[~labels.trusted]
    assert (undecided.frame.tolist(), undecided.box[:, 0].tolist()) == ([1], [400])


def test_weak_candidates_are_denied_only_where_a_pose_was_estimated() -> None:
    loose = [(0, box_at(400), 0.3), (1, box_at(400), 0.15)]
    labels = label_camera(findings(clear_track(), loose=loose, posture={0: 0.15, 1: -1}), CONFIG)
    assert labels[labels.track == NOTHING].evidence.tolist() == [0, 1]


def test_the_place_of_somebody_who_was_just_seen_is_undecided() -> None:
    labels = label_camera(findings(clear_track(), frames=20), dataclasses.replace(CONFIG, remember_s=1.0))
    assert labels.frame.tolist() == [0, 1, 2, 3, 4, 5]
    assert labels.trusted.tolist() == [True] * 4 + [False] * 2


def test_a_track_that_is_never_clear_is_left_undecided() -> None:
    weak = [(0, frame, box_at(100), 0.45, TRACKED) for frame in range(6)]
    brief = [(1, 0, box_at(300), 0.9, DETECTED)]
    labels = label_camera(findings(weak + brief), CONFIG)
    assert len(labels) == 7
    assert not labels.trusted.any()


def test_only_short_gaps_are_filled_with_trust() -> None:
    config = dataclasses.replace(CONFIG, most_gap_s=1.0)
    short = label_camera(findings(clear_track((0.9, INTERPOLATED))), config)  # 0.8 s between detections
    long = label_camera(findings(clear_track((0.9, INTERPOLATED), (0.9, INTERPOLATED))), config)  # 1.2 s
    assert short.weight[2] == pytest.approx(config.interpolated)
    assert long.weight[2:4].tolist() == [0, 0]


def test_padding_beyond_the_detections_is_undecided() -> None:
    rows = [*clear_track(), (0, 4, box_at(100), 0.9, INTERPOLATED)]
    assert label_camera(findings(rows), CONFIG).weight[-1] == 0


def test_unclaimed_detections_become_ignored_regions_unless_a_trusted_box_says_the_same() -> None:
    beside, same = (1, box_at(400), 0.3), (1, box_at(103), 0.3)
    labels = label_camera(findings(clear_track(), loose=[beside, same]), CONFIG)
    undecided = labels[~labels.trusted]
    assert undecided.box[:, 0].tolist() == [400]
    assert undecided.track.tolist() == [NOTHING]


def test_frames_that_were_not_looked_at_have_no_labels() -> None:
    camera = findings(clear_track())
    looked = np.array([True, False] * 5)
    labels = label_camera(dataclasses.replace(camera, looked=looked), CONFIG)
    assert set(labels.frame.tolist()) == {0, 2}


def image_of(labels: object, number: int = 1) -> LabelledImage:
    return LabelledImage(number=number, camera="s/cam1", frame=0, time=0.0, size=(640, 360), labels=labels)  # type: ignore[arg-type]


def test_coco_comes_back_as_it_was_written(tmp_path: Path) -> None:
    labels = label_camera(findings(clear_track((0.4, TRACKED)), loose=[(0, box_at(300.25), 0.2)]), CONFIG)
    image = image_of(labels[labels.frame == 0])
    write_coco([image], tmp_path / "labels.json")
    back = read_coco(tmp_path / "labels.json")
    assert len(back) == 1
    for name in image.labels.columns:
        np.testing.assert_array_equal(getattr(back[0].labels, name), getattr(image.labels, name))
    (tmp_path / "labels.json").write_text("{}")
    with pytest.raises(UserError, match="holds no pseudo-labels"):
        read_coco(tmp_path / "labels.json")


def truth_of(*boxes: list[float]) -> CameraTruth:
    count = len(boxes)
    box = np.array(boxes, np.float32)
    blank = {name: np.zeros((count, *shape), dtype) for name, (dtype, shape) in TruthPeople.columns.items()}
    people = TruthPeople(**{**blank, "amodal_box": box, "visible_box": box, "visible_fraction": np.ones(count)})
    frames = TruthFrames(frame=np.array([0]), instant=np.array([0]), time=np.array([0.0]))
    empty = FaceMasks(np.zeros(0, np.int32), np.zeros(0, np.int16), [], [])
    return CameraTruth(640, 360, 5.0, frames, people, empty)


def test_judging_tells_found_undecided_and_background_apart() -> None:
    labels = label_camera(
        findings(
            [*clear_track(), *[(1, f, box_at(500), 0.9, DETECTED) for f in range(3)]], loose=[(0, box_at(300), 0.3)]
        ),
        CONFIG,
    )
    result = judge_labels(
        [image_of(labels[labels.frame == 0])], {"cam1": truth_of(box_at(100), box_at(300), box_at(200))}
    )
    assert result.people == 3
    assert result.trusted.recall == pytest.approx(1 / 3)
    assert result.trusted.precision == pytest.approx(1 / 2)
    assert result.by_provenance["detected"].boxes == 2
    assert result.ignored == pytest.approx(1 / 3)
    assert result.background == pytest.approx(1 / 3)
