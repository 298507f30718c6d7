"""Which head keypoints are believed, and what training examples are made of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.adaptation.head_augmentation import PAIRS, harder, unchanged
from or_mv_anon.adaptation.head_crops import HeadCrop, choose, cut, held_out
from or_mv_anon.adaptation.head_labels import LABELLED_POINTS, PosedCamera, label_heads
from or_mv_anon.adaptation.pose import adapt_pose
from or_mv_anon.adaptation.settings import PoseAdaptationConfig
from or_mv_anon.core.records import Detections, Keypoints, Provenance, Tracks
from or_mv_anon.models.pose import CROP_HEIGHT, CROP_WIDTH, Halpe26, crop_frames, to_picture

SETTINGS = PoseAdaptationConfig(
    least_score=0.5,
    reach_s=0.5,
    most_deviation=0.35,
    most_epipolar=1.0,
    filled_weight=0.5,
    least_points=1,
    most_crops=100,
    least_crops=10,
    block_s=1.0,
    steps=1,
    batch=1,
    learning_rate=1e-4,
    keep_weight=0.5,
    least_gain=0.02,
)
STEP_S, SPEED = 0.2, 10.0  # seconds and pixels from one frame to the next
NOSE = Halpe26.NOSE


def walker(frames=6, *, track=None, contradicted=None):
    """One person of 100 x 200 pixels who walks to the right, the nose at the middle of the upper edge plus 20 px."""
    number = np.arange(frames)
    left = 50 + SPEED * number
    box = np.stack([left, np.full(frames, 20), left + 100, np.full(frames, 220)], axis=1)
    points = np.zeros((frames, 26, 2), np.float32)
    points[:, NOSE] = np.stack([left + 50, np.full(frames, 40)], axis=1)
    score = np.zeros((frames, 26), np.float32)
    score[:, NOSE] = 0.9
    track = np.zeros(frames, np.int32) if track is None else np.asarray(track)
    return PosedCamera(
        name="cam1",
        size=(640, 360),
        times=number * STEP_S,
        detections=Detections(number, box, np.full(frames, 0.9)),
        keypoints=Keypoints(number, points, score),
        tracks=Tracks(number, track, box, np.full(frames, 0.9), np.full(frames, Provenance.DETECTED), number),
        contradicted=contradicted,
    )


def test_a_point_is_believed_where_its_neighbours_expect_it():
    labels = label_heads(walker(), SETTINGS)
    assert labels.frame.tolist() == [1, 2, 3, 4]  # the first and the last have a neighbour on one side only
    assert (labels.weight[:, NOSE] == 1).all()
    assert labels.weight.sum() == len(labels)


def test_a_point_elsewhere_than_its_neighbours_say_is_dropped():
    camera = walker()
    camera.keypoints.points[2, NOSE] += [0, 90]
    assert 2 not in label_heads(camera, SETTINGS).frame


def test_a_weak_point_is_filled_from_its_neighbours():
    camera = walker()
    camera.keypoints.points[2, NOSE], camera.keypoints.score[2, NOSE] = [300, 200], 0.1
    labels = label_heads(camera, SETTINGS)
    row = labels.frame.tolist().index(2)
    assert labels.weight[row, NOSE] == SETTINGS.filled_weight
    assert labels.filled[row] == 1
    np.testing.assert_allclose(labels.points[row, NOSE], [50 + 2 * SPEED + 50, 40], atol=1e-3)


def test_neighbours_too_far_in_time_say_nothing():
    camera = walker()
    camera.keypoints.score[1:5, NOSE] = 0.1
    assert len(label_heads(camera, SETTINGS)) == 0


def test_another_track_is_no_neighbour():
    assert label_heads(walker(track=[0, 0, 0, 1, 1, 1]), SETTINGS).frame.tolist() == [1, 4]


def test_what_another_camera_contradicts_is_not_learned():
    wrong = np.array([False, False, True, False, False, False])
    assert 2 not in label_heads(walker(contradicted=wrong), SETTINGS).frame


def test_a_point_outside_of_its_box_is_not_believed():
    camera = walker()
    camera.keypoints.points[:, NOSE, 1] = 5
    assert len(label_heads(camera, SETTINGS)) == 0


def test_points_of_the_body_are_never_labelled():
    camera = walker()
    camera.keypoints.points[:] = camera.keypoints.points[:, [NOSE]]
    camera.keypoints.score[:] = 0.9
    weight = label_heads(camera, SETTINGS).weight
    assert set(np.flatnonzero(weight.any(axis=0))) == set(LABELLED_POINTS)


def test_held_out_stretches_come_back_and_are_whole():
    labels = label_heads(walker(frames=60), SETTINGS)
    apart = held_out(labels, SETTINGS)
    assert 0.1 < apart.mean() < 0.3
    assert len({int(t // SETTINGS.block_s) for t in labels.time[apart]} & {int(t) for t in labels.time[~apart]}) == 0


@given(count=st.integers(1, 70), seed=st.integers(0, 9))
@settings(max_examples=20)
def test_examples_are_drawn_once_each(count, seed):
    labels = {"cam1": label_heads(walker(frames=30), SETTINGS), "cam2": label_heads(walker(frames=20), SETTINGS)}
    chosen = choose(labels, count, rng=np.random.default_rng(seed))
    assert sum(len(rows) for rows in chosen.values()) == min(count, 28 + 18)
    for name, rows in chosen.items():
        assert len(set(rows)) == len(rows)
        assert (rows < len(labels[name])).all()


def dotted(point, size=(640, 360)):
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    x, y = round(float(point[0])), round(float(point[1]))
    picture[y - 1 : y + 2, x - 1 : x + 2] = 255
    return picture


def one_crop(frame=2):
    labels = label_heads(walker(), SETTINGS)
    row = labels[labels.frame == frame]

    def read(name, frames):
        for number in frames:
            yield number, dotted(row.points[0, NOSE])

    return cut("cam1", row, read)[0], row


def test_an_unchanged_example_is_what_the_anonymizer_sees():
    crop, row = one_crop()
    picture, points, weight = unchanged(crop)
    assert picture.shape == (CROP_HEIGHT, CROP_WIDTH, 3)
    centres, sizes = crop_frames(row.box)
    np.testing.assert_allclose(to_picture(points[None], centres, sizes)[0, NOSE], row.points[0, NOSE], atol=1e-2)
    y, x = np.unravel_index(picture[..., 0].argmax(), picture.shape[:2])
    assert np.linalg.norm(points[NOSE] - [x, y]) < 3
    assert weight[NOSE] == 1


@given(seed=st.integers(0, 200))
@settings(max_examples=40)
def test_a_harder_example_keeps_its_labels_in_the_picture(seed):
    crop, _ = one_crop()
    picture, points, weight = harder(crop, np.random.default_rng(seed))
    assert picture.shape == (CROP_HEIGHT, CROP_WIDTH, 3)
    assert picture.dtype == np.uint8
    assert np.isfinite(points).all()
    labelled = points[weight > 0]
    assert ((labelled >= 0) & (labelled < [CROP_WIDTH, CROP_HEIGHT])).all()
    again, same, _ = harder(crop, np.random.default_rng(seed))
    np.testing.assert_array_equal(picture, again)
    np.testing.assert_array_equal(points, same)


def test_left_and_right_change_places_in_a_mirrored_example():
    left, right = PAIRS[0]
    points = np.full((26, 2), 100, np.float32)
    points[left], points[right] = [110, 100], [90, 100]
    crop = HeadCrop(
        picture=np.zeros((200, 200, 3), np.uint8),
        centre=np.array([100, 100], np.float32),
        size=np.array([90, 120], np.float32),
        points=points,
        weight=np.ones(26, np.float32),
    )
    for seed in range(20):
        _, found, weight = harder(crop, np.random.default_rng(seed))
        if weight[left] and weight[right]:  # mirrored or not, the person's left eye stays right of the nose
            assert found[left, 0] > found[right, 0]


def test_too_few_people_leave_the_model_alone(tmp_path):
    def never(name, frames):
        return iter(())

    model = tmp_path / "unused.onnx"
    assert adapt_pose(model=model, cameras=[walker()], read=never, out=tmp_path, settings=SETTINGS) is None
    assert list(tmp_path.iterdir()) == []


def test_a_finished_adaptation_is_not_repeated(tmp_path):
    (tmp_path / "pose.onnx").touch()

    def never(name, frames):
        pytest.fail("nothing is to be read")

    found = adapt_pose(model=tmp_path / "x.onnx", cameras=[walker()], read=never, out=tmp_path, settings=SETTINGS)
    assert found == tmp_path / "pose.onnx"
