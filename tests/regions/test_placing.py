"""Regions hold the head in every frame, whatever is known of it, and smoothing never uncovers anything."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import (
    Detections,
    FrameFlag,
    Frames,
    Keypoints,
    Provenance,
    RegionKind,
    Regions,
    Tracks,
    TransferredHeads,
)
from or_mv_anon.models.pose import Halpe26
from or_mv_anon.regions.heads import locate_heads
from or_mv_anon.regions.placing import camera_regions
from or_mv_anon.regions.smoothing import smooth
from or_mv_anon.regions.source import CameraScene

CONFIG = load_config()
SIZE = (640, 480)


def frames_at(times, flags=None):
    count = len(times)
    return Frames(
        frame=np.arange(count),
        pts=np.arange(count),
        time=np.asarray(times, float),
        flags=np.zeros(count) if flags is None else flags,
    )


def tracks_of(boxes, *, detection=None):
    count = len(boxes)
    return Tracks(
        frame=np.arange(count),
        track=np.zeros(count),
        box=np.asarray(boxes, np.float32),
        score=np.full(count, 0.9),
        provenance=np.full(count, Provenance.DETECTED),
        detection=np.arange(count) if detection is None else detection,
    )


def standing_person(x, y, height):
    """Keypoints and box of a person facing the camera; (x, y) is the top of the head."""
    head = height / 7
    points = np.zeros((26, 2), np.float32)
    scores = np.zeros(26, np.float32)
    for name, dx, dy in [
        (Halpe26.HEAD_TOP, 0, 0), (Halpe26.NOSE, 0, 0.6), (Halpe26.LEFT_EYE, 0.14, 0.45),
        (Halpe26.RIGHT_EYE, -0.14, 0.45), (Halpe26.LEFT_EAR, 0.32, 0.5), (Halpe26.RIGHT_EAR, -0.32, 0.5),
        (Halpe26.NECK, 0, 1.3), (Halpe26.LEFT_SHOULDER, 0.8, 1.4), (Halpe26.RIGHT_SHOULDER, -0.8, 1.4),
        (Halpe26.MID_HIP, 0, 3.7),
    ]:  # fmt: skip
        points[name] = x + dx * head, y + dy * head
        scores[name] = 0.8
    box = np.array([x - head, y, x + head, y + height], np.float32)
    head_box = np.array([x - 0.4 * head, y, x + 0.4 * head, y + head], np.float32)
    return points, scores, box, head_box


def run(frames, tracks, *, keypoints=None, faces=None, detections=None, config=None, **zones):
    detections = detections or Detections(frame=tracks.frame, box=tracks.box, score=tracks.score)
    heads = locate_heads(keypoints or Keypoints.empty(), detections, trusted_score=CONFIG.pose.trusted_score)
    transferred = zones.pop("transferred", TransferredHeads.empty())
    always, never = zones.pop("always", ()), zones.pop("never", ())
    scene = CameraScene(frames, SIZE, heads, tracks, faces or Tracks.empty(), transferred, always)
    whole = CONFIG if config is None else dataclasses.replace(CONFIG, regions=config)
    return camera_regions(scene, whole, never=never)


def holds(region, box):
    return bool((region[:2] <= box[:2] + 0.01).all() and (region[2:] >= box[2:] - 0.01).all())


@pytest.mark.parametrize("height", [60, 140, 400])
def test_trusted_keypoints_place_a_region_around_the_head_only(height):
    points, scores, box, head = standing_person(320, 50, height)
    keypoints = Keypoints(detection=[0], points=points[None], score=scores[None])
    regions = run(frames_at([0.0]), tracks_of([box]), keypoints=keypoints)
    assert regions.kind.tolist() == [RegionKind.HEAD]
    assert holds(regions.box[0], head)
    assert bx.area(regions.box)[0] < 0.35 * bx.area(box[None])[0] + 12 * 12


def test_without_keypoints_the_top_of_the_box_is_covered():
    _, _, box, head = standing_person(320, 50, 280)
    regions = run(frames_at([0.0]), tracks_of([box]))
    assert regions.kind.tolist() == [RegionKind.BOX_TOP]
    assert holds(regions.box[0], head)
    assert regions.uncertainty[0] == 1


@pytest.mark.parametrize(
    "box", [[100, 200, 400, 300], [100, 200, 110, 225]], ids=["lying patient", "tiny person in the background"]
)
def test_lying_and_tiny_people_are_covered_whole(box):
    regions = run(frames_at([0.0]), tracks_of([box]))
    assert regions.kind.tolist() == [RegionKind.PERSON]
    assert holds(regions.box[0], np.array(box))


def test_untrusted_keypoints_are_not_believed():
    points, scores, box, head = standing_person(320, 50, 280)
    points += 200  # far outside of the box, with low scores
    keypoints = Keypoints(detection=[0], points=points[None], score=scores[None] * 0.1)
    regions = run(frames_at([0.0]), tracks_of([box]), keypoints=keypoints)
    assert holds(regions.box[0], head)


def test_confident_keypoints_of_another_place_are_not_believed():
    points, scores, box, head = standing_person(320, 50, 280)
    points[:, 1] += 400
    keypoints = Keypoints(detection=[0], points=points[None], score=scores[None])
    regions = run(frames_at([0.0]), tracks_of([box]), keypoints=keypoints)
    assert holds(regions.box[0], head)


def test_head_follows_a_walking_person_between_pose_samples():
    """Pose on every sixth frame; the person walks 4 px a frame."""
    people = [standing_person(100 + 4 * t, 60, 280) for t in range(31)]
    sampled = np.arange(0, 31, 6)
    keypoints = Keypoints(
        detection=sampled,
        points=np.stack([people[t][0] for t in sampled]),
        score=np.stack([people[t][1] for t in sampled]),
    )
    regions = run(frames_at(np.arange(31) / 60), tracks_of([p[2] for p in people]), keypoints=keypoints)
    assert (regions.kind == RegionKind.HEAD).all()
    for t, person in enumerate(people):
        assert holds(regions.box[t], person[3])


def test_far_from_any_pose_sample_coverage_grows():
    points, scores, box, head = standing_person(320, 50, 280)
    keypoints = Keypoints(detection=[0], points=points[None], score=scores[None])
    regions = run(frames_at(np.arange(60) / 25), tracks_of([box] * 60), keypoints=keypoints)
    areas = bx.area(regions.box)
    assert areas.max() > 1.5 * areas[0]
    assert all(holds(region, head) for region in regions.box)
    assert regions.kind[-1] == RegionKind.BOX_TOP


def test_face_without_a_person_is_covered_and_face_inside_a_head_is_not_doubled():
    points, scores, box, head = standing_person(320, 50, 280)
    keypoints = Keypoints(detection=[0], points=points[None], score=scores[None])
    inside = (head + np.array([6, 10, -6, -8])).tolist()
    faces = Tracks(
        frame=[0, 0], track=[0, 1], box=[inside, [500, 300, 520, 325]], score=[0.9, 0.9],
        provenance=[0, 0], detection=[0, 1],
    )  # fmt: skip
    regions = run(frames_at([0.0]), tracks_of([box]), keypoints=keypoints, faces=faces)
    assert sorted(regions.kind.tolist()) == [RegionKind.HEAD, RegionKind.FACE]
    assert holds(regions.box[regions.kind == RegionKind.FACE][0], np.array([500, 300, 520, 325]))


@pytest.mark.parametrize(
    ("side", "off", "covered"),
    [(30, 0, 1), (30, 20, 1), (30, 28, 2), (90, 0, 2)],
    ids=["the same head", "its margin sticks out", "half out", "far larger"],
)
def test_a_face_is_covered_by_itself_unless_a_head_region_covers_its_head(side, off, covered):
    """Whatever is left out, every face stays covered."""
    points, scores, box, _ = standing_person(320, 50, 280)
    keypoints = Keypoints(detection=[0], points=points[None], score=scores[None])
    (alone,) = run(frames_at([0.0]), tracks_of([box]), keypoints=keypoints).box
    middle = (alone[:2] + alone[2:]) / 2 + [off, 0]
    face = np.concatenate([middle - side / 2, middle + side / 2]).astype(np.float32)
    faces = Tracks(frame=[0], track=[0], box=[face], score=[0.9], provenance=[0], detection=[0])
    regions = run(frames_at([0.0]), tracks_of([box]), keypoints=keypoints, faces=faces)
    assert len(regions) == covered
    assert any(holds(region, face) for region in regions.box)


def test_zones_and_unjudged_frames():
    frames = frames_at([0, 0.1, 0.2], flags=[0, FrameFlag.FAILED, FrameFlag.CORRUPT])
    poster = [300, 100, 320, 140]
    regions = run(frames, tracks_of([poster] * 3), always=[(0, 0, 30, 40)], never=[(200, 0, 420, 300)])
    assert (regions.frame[regions.kind == RegionKind.ZONE] == [0, 1, 2]).all()
    assert regions.frame[regions.kind == RegionKind.FRAME].tolist() == [1, 2]
    np.testing.assert_array_equal(regions.box[regions.kind == RegionKind.FRAME], [[0, 0, *SIZE]] * 2)
    assert not (np.isin(regions.kind, [RegionKind.PERSON, RegionKind.BOX_TOP, RegionKind.HEAD])).any()


def test_never_zone_does_not_uncover_who_only_touches_it():
    regions = run(frames_at([0.0]), tracks_of([[300, 100, 360, 300]]), never=[(330, 0, 640, 480)])
    assert len(regions) == 1


def test_nothing_in_nothing_out():
    assert len(run(frames_at([0.0, 0.1]), Tracks.empty())) == 0


walk = st.lists(
    st.tuples(st.floats(0, 600, width=32), st.floats(0, 400, width=32), st.floats(4, 90, width=32)),
    min_size=1,
    max_size=40,
)


@given(
    walk,
    st.sampled_from(["hull", "faceoff3", "faceoff5", "faceoff7", "none"]),
    st.sampled_from([1, 5, 10, 25, 60]),
    st.sampled_from([0.0, 0.7]),
)
def test_smoothing_never_removes_coverage(steps, smoother, fps, unsure):
    box = np.array([[x, y, x + side, y + side] for x, y, side in steps], np.float32)
    count = len(box)
    regions = Regions(
        frame=np.arange(count), box=box, kind=np.zeros(count), track=np.zeros(count), uncertainty=np.full(count, unsure)
    )
    config = dataclasses.replace(CONFIG.regions, smoother=smoother)
    smoothed = smooth(regions, frames_at(np.arange(count) / fps), config)
    for before, after in zip(regions.box, smoothed.box, strict=True):
        assert holds(after, before)


def test_hull_takes_the_jitter_out():
    random = np.random.default_rng(0)
    center = 200 + random.normal(0, 3, (200, 2))
    box = np.concatenate([center - 30, center + 30], axis=1)
    regions = Regions(frame=np.arange(200), box=box, kind=np.zeros(200), track=np.zeros(200), uncertainty=np.zeros(200))
    smoothed = smooth(regions, frames_at(np.arange(200) / 25), CONFIG.regions)
    assert np.abs(np.diff(smoothed.box[:, 0])).mean() < 0.2 * np.abs(np.diff(box[:, 0])).mean()


@pytest.mark.parametrize(("fps", "unsure", "joined"), [(5, 0.6, True), (5, 0.1, False), (1, 0.6, False)])
def test_a_doubtful_head_that_jumps_for_one_of_few_frames_is_covered_where_its_neighbours_are(fps, unsure, joined):
    box = np.array([[100, 100, 120, 120]] * 5, np.float32)
    box[2] = [110, 130, 122, 142]
    regions = Regions(
        frame=np.arange(5),
        box=box,
        kind=np.zeros(5),
        track=np.zeros(5),
        uncertainty=np.array([0.1, 0.1, unsure, 0.1, 0.1]),
    )
    smoothed = smooth(regions, frames_at(np.arange(5) / fps), CONFIG.regions)
    assert holds(smoothed.box[2], box[1]) == joined


def test_tracks_are_smoothed_apart():
    box = np.array([[0, 0, 20, 20]] * 5 + [[500, 300, 520, 320]] * 5, np.float32)
    regions = Regions(
        frame=np.tile(np.arange(5), 2), box=box, kind=np.zeros(10), track=np.repeat([0, 1], 5), uncertainty=np.zeros(10)
    )
    np.testing.assert_allclose(smooth(regions, frames_at(np.arange(5) / 25), CONFIG.regions).box, box, atol=1e-3)


@given(walk, walk, st.sampled_from([5, 25]))
def test_every_face_lies_in_a_region_whatever_its_person_does(person, face, fps):
    count = min(len(person), len(face))
    body = np.array([[x, y, x + side, y + 3 * side] for x, y, side in person[:count]], np.float32)
    box = np.array([[x, y, x + side, y + side] for x, y, side in face[:count]], np.float32)
    box = bx.clip(box, width=SIZE[0], height=SIZE[1])
    faces = Tracks(
        frame=np.arange(count), track=np.zeros(count), box=box, score=np.full(count, 0.9),
        provenance=np.zeros(count), detection=np.arange(count),
    )  # fmt: skip
    regions = run(frames_at(np.arange(count) / fps), tracks_of(body), faces=faces)
    for frame in range(count):
        assert any(holds(region, box[frame]) for region in regions.box[regions.frame == frame])
