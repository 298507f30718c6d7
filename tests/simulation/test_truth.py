"""Ground truth of marbles, worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.core.truth import CameraTruth, FaceMasks, Truth, TruthFrames, TruthPeople, decode_runs
from or_mv_anon.evaluation.truth_coco import write_coco
from or_mv_anon.simulation.cameras.lens import Lens, Optics, focal_length
from or_mv_anon.simulation.cameras.viewpoints import look_at
from or_mv_anon.simulation.overlay import draw_truth
from or_mv_anon.simulation.scene import MaskState
from or_mv_anon.simulation.truth_maker import Seen, TruthCollector
from tests.simulation.marble_stage import Marble, MarbleStage

WIDTH, HEIGHT = 320, 180


def optics(lens: Lens = Lens(-0.1, 0.01)) -> Optics:  # noqa: B008
    eye = np.array([0.0, -4.0, 1.0])
    rotation = look_at(eye, np.array([0.0, 0.0, 1.0]))
    focal = focal_length(width=WIDTH, field_of_view=np.radians(75), lens=lens)
    return Optics(WIDTH, HEIGHT, focal, lens, rotation, -rotation @ eye)


def truth_of(*marbles: Marble, camera: Optics | None = None) -> tuple[TruthPeople, FaceMasks, Seen]:
    camera = camera or optics()
    stage = MarbleStage(marbles)
    subjects = stage.set_time(0.0)
    picture = stage.render(camera.pinhole)
    seen = Seen(camera.ids(picture.person), camera.ids(picture.surface), camera.ids(picture.depth))
    collector = TruthCollector()
    collector.add(7, camera, seen, subjects, stage.alone)
    return collector.people(), collector.faces(), seen


def test_a_person_in_the_open_is_wholly_visible() -> None:
    people, faces, seen = truth_of(Marble(3, (0.5, 0, 1)))
    assert people.frame.tolist() == [7]
    assert people.person.tolist() == [3]
    assert people.visible_fraction[0] == 1
    np.testing.assert_array_equal(people.amodal_box, people.visible_box)
    rows, columns = np.nonzero(seen.person == 3)
    np.testing.assert_array_equal(people.visible_box[0], [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    assert people.face_visible[0] == people.face_pixels[0] == people.bare_visible[0] == (seen.surface == 3).sum()
    assert decode_runs(faces.face[0], HEIGHT, WIDTH).sum() == people.face_visible[0]


def test_a_ball_behind_another_shows_the_share_that_sticks_out() -> None:
    """Equal balls seen from afar, half a radius apart: the visible share of a disc's lens-shaped overlap is known."""
    camera = optics(Lens())
    near, far = Marble(1, (0, 0, 1.0)), Marble(2, (0.16 * 8 / 4, 4.0, 1.0), 0.6)  # same size in the picture
    people, _, _ = truth_of(near, far, camera=camera)
    assert people.visible_fraction[people.person == 1][0] == 1
    shift = 0.16 / 0.3  # of the discs' radius
    overlap = (2 * np.arccos(shift / 2) - shift / 2 * np.sqrt(4 - shift**2)) / np.pi
    assert people.visible_fraction[people.person == 2][0] == pytest.approx(1 - overlap, abs=0.03)


def test_a_hidden_person_has_a_row_without_pixels() -> None:
    people, faces, _ = truth_of(Marble(1, (0, 0, 1.0), 0.5), Marble(2, (0, 1.0, 1.0), 0.2))
    row = people[people.person == 2]
    assert row.visible_fraction[0] == 0
    assert row.visible_box[0].tolist() == [0, 0, 0, 0]
    assert row.amodal_box[0, 2] > row.amodal_box[0, 0]
    assert row.face_pixels[0] > 0
    assert row.face_visible[0] == 0
    assert faces.person.tolist() == [1]
    assert set(row.keypoints[0, :, 2]) == {1}


def test_somebody_outside_has_no_row_and_somebody_on_the_edge_is_clipped() -> None:
    people, _, _ = truth_of(Marble(1, (9.0, 0, 1)), Marble(2, (0, -6.0, 1)), Marble(4, (3.1, 0, 1)))
    assert people.person.tolist() == [4]
    assert people.amodal_box[0, 2] == WIDTH
    assert people.head_box[0, 2] == WIDTH
    assert people.visible_fraction[0] == 1  # of what the picture could hold


def test_a_mask_hides_the_bare_face_but_not_the_face() -> None:
    people, faces, _ = truth_of(Marble(1, (0, 0, 1), mask=MaskState.WORN))
    assert people.face_visible[0] > 20
    assert people.bare_visible[0] == 0
    assert people.mask[0] == MaskState.WORN
    assert decode_runs(faces.bare[0], HEIGHT, WIDTH).sum() == 0


@pytest.mark.parametrize(("degrees", "expected"), [(0, 0), (60, 60), (180, 180)])
def test_the_face_angle_counts_from_the_camera(degrees: float, expected: float) -> None:
    angle = np.radians(degrees)
    people, _, _ = truth_of(Marble(1, (0, 0, 1), 0.05, forward=(np.sin(angle), -np.cos(angle), 0.0)))
    assert people.face_angle[0] == pytest.approx(expected, abs=1)


def test_keypoints_on_the_near_side_are_seen_and_on_the_far_side_hidden() -> None:
    people, _, _ = truth_of(Marble(1, (0, 0, 1)))
    points = people.keypoints[0]
    assert points[0, 2] == 2  # the nose, in front
    assert points[1, 2] == 1  # put behind the ball
    assert points[0, 0] == pytest.approx(WIDTH / 2, abs=1)


def test_a_back_turned_face_has_no_pixels_but_a_box() -> None:
    people, faces, _ = truth_of(Marble(1, (0, 0, 1), forward=(0, 1, 0)))
    assert people.face_pixels[0] == 0
    assert people.face_box[0, 2] > people.face_box[0, 0]
    assert len(faces) == 0


def _session() -> Truth:
    people, faces, _ = truth_of(Marble(1, (0, 0, 1.0), 0.5), Marble(2, (0, 1.0, 1.0), 0.2), Marble(3, (1.0, 0, 1)))
    frames = TruthFrames(np.arange(9), np.arange(9) + 1, np.arange(9) / 10)
    return Truth({"cam1": CameraTruth(WIDTH, HEIGHT, 10.0, frames, people, faces)}, ["roll", "rest"])


def test_coco_json_is_read_by_pycocotools(tmp_path: Path) -> None:
    pycocotools = pytest.importorskip("pycocotools.coco")
    write_coco(_session(), tmp_path / "coco.json")
    coco = pycocotools.COCO(str(tmp_path / "coco.json"))
    assert len(coco.getImgIds()) == 9
    found = coco.loadAnns(coco.getAnnIds(catIds=[1]))
    assert [annotation["person"] for annotation in found] == [1, 3]  # the hidden one is left out
    people = _session().cameras["cam1"].people
    left, top, width, height = found[0]["bbox"]
    np.testing.assert_allclose([left, top, left + width, top + height], people.visible_box[0], atol=0.01)
    assert coco.loadImgs(found[0]["image_id"])[0]["frame"] == 7
    assert len(found[0]["keypoints"]) == 78
    assert found[0]["num_keypoints"] == 26


def test_coco_names_its_keypoints(tmp_path: Path) -> None:
    write_coco(_session(), tmp_path / "coco.json")
    category = json.loads((tmp_path / "coco.json").read_text())["categories"][0]
    assert category["keypoints"][0] == "nose"
    assert len(category["keypoints"]) == 26
    assert all(1 <= end <= 26 for bone in category["skeleton"] for end in bone)


def test_the_overlay_marks_faces_and_leaves_other_frames_alone() -> None:
    truth = _session().cameras["cam1"]
    grey = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert (draw_truth(grey, truth, 6) == grey).all()
    drawn = draw_truth(grey, truth, 7)
    face = decode_runs(truth.faces.face[0], HEIGHT, WIDTH)
    assert (drawn[face] != 90).any(axis=1).mean() > 0.9
    assert (grey == 90).all()
