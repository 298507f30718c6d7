"""Faces that people's heads confirm."""

import dataclasses

import numpy as np
import pytest

from or_mv_anon.adaptation.face_labels import FacedCamera, FacePlacer, label_faces
from or_mv_anon.adaptation.head_labels import PosedCamera
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.records import Detections, Keypoints, Tracks
from or_mv_anon.models.pose import Halpe26

CONFIG = load_adaptation_config().faces
TRUSTED = 0.35


def person(x: float, *, head: float = 30.0, away: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Box and keypoints of somebody who stands at `x`; the right side of the body is on the left of the picture."""
    points = np.zeros((len(Halpe26), 2), np.float32)
    side = -1 if away else 1
    middle = np.array([x, 60.0])
    points[Halpe26.NOSE] = middle + np.array([0, 0.1 * head])
    points[Halpe26.LEFT_EYE] = middle + np.array([side * 0.14 * head, 0])
    points[Halpe26.RIGHT_EYE] = middle - np.array([side * 0.14 * head, 0])
    points[Halpe26.LEFT_EAR] = middle + np.array([side * 0.32 * head, 0])
    points[Halpe26.RIGHT_EAR] = middle - np.array([side * 0.32 * head, 0])
    points[Halpe26.HEAD_TOP] = middle - np.array([0, 0.5 * head])
    points[Halpe26.NECK] = middle + np.array([0, 0.8 * head])
    points[Halpe26.LEFT_SHOULDER] = middle + np.array([side * 0.8 * head, head])
    points[Halpe26.RIGHT_SHOULDER] = middle + np.array([-side * 0.8 * head, head])
    return np.array([x - 40, 40, x + 40, 260], np.float32), points


def face_of(points: np.ndarray, head: float = 30.0) -> np.ndarray:
    middle = points[[Halpe26.NOSE, Halpe26.LEFT_EYE, Halpe26.RIGHT_EYE]].mean(axis=0)
    return np.concatenate(
        [middle - np.array([0.3 * head, 0.3 * head]), middle + np.array([0.3 * head, 0.45 * head])]
    ).astype(np.float32)


def camera(people: list[tuple[np.ndarray, np.ndarray]], faces: list[np.ndarray], *, frames: int = 40) -> FacedCamera:
    count = len(people)
    number = np.repeat(np.arange(frames), count)
    detections = Detections(
        frame=number, box=np.tile(np.stack([p[0] for p in people]), (frames, 1)), score=np.full(len(number), 0.9)
    )
    keypoints = Keypoints(
        detection=np.arange(len(number)),
        points=np.tile(np.stack([p[1] for p in people]), (frames, 1, 1)),
        score=np.full((len(number), len(Halpe26)), 0.8),
    )
    boxes = np.array(faces, np.float32).reshape(-1, 4)
    found = Detections(
        frame=np.repeat(np.arange(frames), len(boxes)),
        box=np.tile(boxes, (frames, 1)),
        score=np.full(frames * len(boxes), 0.9),
    )
    posed = PosedCamera(
        name="cam1", size=(640, 360), times=np.arange(frames) / 5, detections=detections, keypoints=keypoints,
        tracks=Tracks.empty(),
    )  # fmt: skip
    return FacedCamera(posed=posed, faces=found, looked=np.arange(frames, dtype=np.int32))


def test_a_face_that_only_the_pose_model_saw_is_placed_like_the_ones_that_both_saw() -> None:
    bare, masked = person(100), person(300)
    scene = camera([bare, masked], [face_of(bare[1])])
    placer = FacePlacer.learn([scene], CONFIG, trusted_score=TRUSTED)
    labels = label_faces(scene, placer, CONFIG, trusted_score=TRUSTED)
    first = labels[(labels.frame == 0) & (labels.weight > 0)]
    assert len(first) == 2
    at = first.box[:, 0].argsort()
    np.testing.assert_allclose(first.box[at[1]], face_of(masked[1]), atol=3)
    np.testing.assert_allclose(first.weight[at], [1.0, CONFIG.placed_weight], rtol=1e-6)


def test_the_back_of_a_head_is_no_face_but_stays_undecided() -> None:
    scene = camera([person(100, away=True)], [])
    placer = FacePlacer.learn([scene], CONFIG, trusted_score=TRUSTED)
    labels = label_faces(scene, placer, CONFIG, trusted_score=TRUSTED)
    assert not (labels.weight > 0).any()
    assert (labels.frame == 0).any()
    box = labels.box[labels.frame == 0][0]
    assert box[0] <= 100 <= box[2]
    assert box[1] <= 60 <= box[3]


def test_what_looks_like_a_face_and_belongs_to_nobody_is_undecided() -> None:
    lamp = np.array([500, 200, 520, 224], np.float32)
    one = person(100)
    scene = camera([one], [face_of(one[1]), lamp])
    placer = FacePlacer.learn([scene], CONFIG, trusted_score=TRUSTED)
    labels = label_faces(scene, placer, CONFIG, trusted_score=TRUSTED)
    on_lamp = np.abs(labels.box - lamp).max(axis=1) < 1
    assert on_lamp.any()
    assert (labels.weight[on_lamp] == 0).all()


@pytest.mark.parametrize("looked", [[], [3, 7]])
def test_only_frames_that_were_looked_at_are_labelled(looked: list[int]) -> None:
    one = person(100)
    scene = dataclasses.replace(camera([one], [face_of(one[1])]), looked=np.array(looked, np.int32))
    placer = FacePlacer.learn([scene], CONFIG, trusted_score=TRUSTED)
    labels = label_faces(scene, placer, CONFIG, trusted_score=TRUSTED)
    assert set(labels.frame.tolist()) == set(looked)
