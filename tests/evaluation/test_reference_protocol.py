"""The fixed-squares protocol on tiny scenes, against values worked out by hand."""

import dataclasses
import math

import numpy as np
import pytest

from or_mv_anon.core.records import Detections, FrameFlag
from or_mv_anon.evaluation.exposure import ExposureOptions
from or_mv_anon.evaluation.face_points import FacePoints, face_points, squares
from or_mv_anon.evaluation.faceoff_rules import FaceOffOptions
from or_mv_anon.evaluation.protocol_inputs import FACE_IN_HEAD, faceoff_video, squares_pictures, with_heads
from or_mv_anon.evaluation.reference_protocol import SquaresOptions, SquaresPicture, evaluate_squares
from or_mv_anon.evaluation.run_directory import load_run
from or_mv_anon.models.pose import Halpe26
from tests.evaluation.exposure_scenes import RATE, Face, camera_truth, write_run

WIDTH = 1024  # squares of 80 pixels
BODY = (100, 100, 300, 500)
HIDDEN = (600, 100, 800, 500)


def points(*people):
    """Each person as (left eye, right eye, chin); None for a missing point, with an optional fourth entry for score."""
    place, score = np.zeros((len(people), 3, 2), np.float32), np.zeros((len(people), 3), np.float32)
    for i, person in enumerate(people):
        for j, point in enumerate(person[:3]):
            if point is not None:
                place[i, j], score[i, j] = point, person[3] if len(person) > 3 else 1
    return FacePoints(place, score)


def face_at(x, y, score=1.0):
    return ((x + 10, y), (x - 10, y), (x, y + 20), score)


def picture(people=(), found=(), *, camera=0, instant=0):
    """People as (identity, body, points), predictions as (body, score, points)."""
    return SquaresPicture(
        camera,
        instant,
        WIDTH,
        np.array([person for person, _, _ in people], np.int16),
        np.array([body for _, body, _ in people], np.float32).reshape(-1, 4),
        points(*(face for _, _, face in people)),
        np.array([body for body, _, _ in found], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in found], np.float32),
        points(*(face for _, _, face in found)),
    )


def evaluate(*pictures, **options):
    return evaluate_squares(pictures, SquaresOptions(**options))


def test_the_chin_lies_between_nose_and_neck():
    place, score = np.zeros((1, 26, 2), np.float32), np.ones((1, 26), np.float32)
    place[0, Halpe26.NOSE], place[0, Halpe26.NECK] = (50, 100), (60, 150)
    place[0, Halpe26.LEFT_EYE], place[0, Halpe26.RIGHT_EYE] = (60, 90), (40, 90)
    score[0, Halpe26.NECK] = 0.25
    found = face_points(place, score)
    assert found.points[0].tolist() == [[60, 90], [40, 90], [54, 120]]
    assert found.score[0].tolist() == [1, 1, 0.25]
    assert found.mean_score[0] == pytest.approx(0.75)


def test_squares_lie_around_the_middle_of_the_extent():
    assert squares(points(((60, 90), (40, 90), (54, 120))), 80).tolist() == [[10, 65, 90, 145]]
    assert squares(points(((60, 90), None, None)), 80).tolist() == [[20, 50, 100, 130]]


@pytest.mark.parametrize(("shift", "recall"), [(0, 1), (43, 1), (44, 0)])
def test_hits_at_iou_03(shift, recall):
    """Equal squares of 80 px, shifted by s: IoU (80 - s) / (80 + s), 0.3 at 43.08 px."""
    found = evaluate(
        picture(
            [(1, BODY, face_at(200, 150))], [((100 + shift, 100, 300 + shift, 500), 0.9, face_at(200 + shift, 150))]
        )
    )
    assert found.face.targets == 1
    assert found.face.recall == recall
    assert found.eyes.recall == recall
    assert found.face.precision == recall


def test_bodies_at_iou_05():
    near, far = (100, 100, 300, 301), (100, 100, 300, 299)  # of 400 px height
    assert evaluate(picture([(1, BODY, face_at(200, 150))], [(near, 0.9, face_at(200, 150))])).body.recall == 1
    assert evaluate(picture([(1, BODY, face_at(200, 150))], [(far, 0.9, face_at(200, 150))])).body.recall == 0


def test_a_person_without_visible_eye_is_no_face():
    found = evaluate(picture([(1, BODY, (None, None, (200, 170)))]))
    assert found.face.targets == 0
    assert math.isnan(found.face.recall)
    assert found.body.targets == 1


def test_multi_view_recall_wants_every_view():
    seen = [(1, BODY, face_at(200, 150))]
    hit, miss = [(BODY, 0.9, face_at(200, 150))], []
    found = evaluate(
        picture(seen, hit, camera=0, instant=0),
        picture(seen, miss, camera=1, instant=0),
        picture(seen, hit, camera=0, instant=1),
        picture([(1, HIDDEN, (None, None, None))], miss, camera=1, instant=1),  # not labelled here: no say
    )
    assert found.face.targets == 3
    assert found.face.recall == pytest.approx(2 / 3)
    assert found.face.multi_view_recall == pytest.approx(1 / 2)
    assert found.body.multi_view_recall == 0


def test_average_precision_has_eleven_points():
    """Best first: false, hit, with one of two faces found: precision 1/2 up to recall 1/2, so 6/11 × 1/2."""
    labelled = [(1, BODY, face_at(200, 150)), (2, HIDDEN, face_at(700, 150))]
    lone = (400, 500, 500, 700)
    predicted = [(lone, 0.9, face_at(450, 550, 0.9)), (BODY, 0.8, face_at(200, 150, 0.5))]
    found = evaluate(picture(labelled, predicted))
    assert found.face.average_precision == pytest.approx(6 / 11 / 2)
    assert found.face.recall == pytest.approx(1 / 2)
    assert found.face.precision == pytest.approx(1 / 2)


def test_versions_differ_in_which_false_faces_count():
    """A stray face; a face on a labelled body that shows none."""
    labelled = [(1, BODY, face_at(200, 150)), (2, HIDDEN, (None, None, None))]
    good = (BODY, 0.9, face_at(200, 150))
    stray = ((400, 500, 500, 700), 0.8, face_at(450, 550))
    on_hidden = (HIDDEN, 0.7, face_at(700, 150))
    again = ((605, 100, 805, 300), 0.6, face_at(700, 250))
    assert evaluate(picture(labelled, [good, stray]), version="v1").face.precision == 1
    assert evaluate(picture(labelled, [good, stray]), version="v2").face.precision == pytest.approx(1 / 2)
    assert evaluate(picture(labelled, [good, on_hidden]), version="v2").face.precision == 1
    assert evaluate(picture(labelled, [good, on_hidden, again]), version="v2").face.precision == pytest.approx(1 / 2)


def test_versions_differ_in_what_suppressed_bodies_leave():
    """The weaker of two equal bodies holds the better face."""
    labelled = [(1, BODY, face_at(200, 150))]
    predicted = [(BODY, 0.9, face_at(200, 450, 0.9)), (BODY, 0.8, face_at(200, 150, 0.5))]
    assert evaluate(picture(labelled, predicted), version="v1").face.recall == 1
    assert evaluate(picture(labelled, predicted), version="v2").face.recall == 0


def test_points_outside_their_body_or_too_weak_are_dropped():
    outside = [(BODY, 0.9, ((305, 150), (190, 150), (200, 170)))]
    labelled = [(1, BODY, ((200, 150), (190, 150), (200, 170)))]
    assert evaluate(picture(labelled, outside), version="v2").face.recall == 1  # the point at 305 is left out
    assert evaluate(picture(labelled, outside), version="v1").face.recall == 0  # with it, the middle is 52 px off
    weak = [(BODY, 0.9, ((200, 150), (190, 150), (200, 170), 0.3))]
    assert evaluate(picture(labelled, weak), keypoint_score=0.3).face.targets == 1
    assert evaluate(picture(labelled, weak), keypoint_score=0.3).face.recall == 0


def test_reachable_recall_gives_each_person_a_body_of_their_own():
    two = [(1, BODY, face_at(200, 150)), (2, BODY, face_at(220, 200))]
    one_body, both = (
        [(BODY, 0.9, face_at(0, 0))],
        [(BODY, 0.9, face_at(0, 0)), ((90, 90, 310, 510), 0.8, face_at(0, 0))],
    )
    assert evaluate(picture(two, one_body)).reachable_recall == pytest.approx(1 / 2)
    assert evaluate(picture(two, both)).reachable_recall == 1
    cut = [((100, 160, 300, 500), 0.9, face_at(0, 0))]  # holds the chins alone
    assert evaluate(picture(two[:1], cut)).reachable_recall == 0


def test_only_moments_that_all_cameras_looked_at_are_judged(tmp_path):
    """Camera 1 dropped instant 0 and ran the pose model in its frames 0 and 2, camera 2 in all: instants 1 and 3."""
    write_run(tmp_path, {"cam1": (np.arange(1, 4) / RATE, {}), "cam2": (np.arange(4) / RATE, {})})
    runs = dict(load_run(tmp_path).cameras)
    flags = np.array([FrameFlag.POSE, FrameFlag.FACES, FrameFlag.POSE], np.uint8)
    runs["cam1"] = dataclasses.replace(runs["cam1"], frames=runs["cam1"].frames.replace(flags=flags))
    truth = {
        "cam1": camera_truth([Face(frame) for frame in range(3)], instants=[1, 2, 3]),
        "cam2": camera_truth([Face(frame) for frame in range(4)], frames=4),
    }
    keypoints = truth["cam1"].people.keypoints.copy()
    keypoints[:, Halpe26.LEFT_EYE], keypoints[:, Halpe26.RIGHT_EYE] = (30, 20, 2), (20, 20, 1)  # seen, hidden
    keypoints[:, Halpe26.NOSE], keypoints[:, Halpe26.NECK] = (25, 30, 1), (25, 40, 1)
    people = truth["cam1"].people.replace(keypoints=keypoints)
    truth["cam1"] = dataclasses.replace(truth["cam1"], people=people)
    pictures = squares_pictures(truth, runs, SquaresOptions())
    assert [(p.camera, p.instant) for p in pictures] == [(0, 1), (0, 3), (1, 0), (1, 1), (1, 3)]
    assert pictures[0].points.known.tolist() == [[True, False, True]]
    assert pictures[0].points.points[0, 2].tolist() == [25, 34]
    assert pictures[0].found.tolist() == [[0, 0, 9, 9]]


def test_faceoff_counts_frames_that_were_looked_at(tmp_path):
    write_run(tmp_path, {"cam1": (np.arange(5) / RATE, {})})
    run = load_run(tmp_path).cameras["cam1"]
    faces = Detections(frame=np.array([0, 4]), box=np.tile((8, 8, 20, 20), (2, 1)), score=np.ones(2))
    flags = np.array([4, 0, 4, 0, 4], np.uint8)
    run = dataclasses.replace(run, faces=faces, frames=run.frames.replace(flags=flags))
    truth = camera_truth([Face(0), Face(1), Face(2, angle=100), Face(4)], frames=5)
    labels, found = faceoff_video(truth, run, ExposureOptions())
    assert labels.frame.tolist() == [0, 1, 2]
    assert labels.counts.tolist() == [True, False, True]
    assert found.frame.tolist() == [0, 2]


def test_heads_stand_for_faces_where_no_face_was_found():
    """A face in its head, a head alone, one too weak, and one in another frame than the face."""
    face, head = (20, 30, 40, 50), (18, 22, 42, 52)
    faces = Detections(frame=np.array([0]), box=np.array([face]), score=np.array([0.9]))
    heads = Detections(
        frame=np.array([0, 0, 0, 1]), box=np.array([head, (100, 0, 120, 20), (200, 0, 220, 20), head]),
        score=np.array([0.9, 0.3, 0.1, 0.9]),
    )  # fmt: skip
    found = with_heads(faces, heads, FaceOffOptions())
    assert found.frame.tolist() == [0, 0, 1]
    np.testing.assert_allclose(found.box[1], [102, 4, 118, 20])
    assert found.box[0].tolist() == list(face)
    assert found.box[2, 1] == pytest.approx(22 + 30 * FACE_IN_HEAD[1])
