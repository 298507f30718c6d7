"""Views from tracks: which frame stands for an instant, and where body points come from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.association.build import BOX_WEIGHT, build_view, common_instants
from or_mv_anon.association.views import BodyPoint, View
from or_mv_anon.core.records import Detections, Keypoints, Provenance, Tracks
from or_mv_anon.models.pose import Halpe26

SIZE = (640, 360)


def walker(frames: int, *, track: int = 3, speed: float = 4.0, start: int = 0) -> tuple[Tracks, Detections, Keypoints]:
    """A person who walks to the right and has a pose in every frame: the neck 40 px down, the head 15."""
    frame = np.arange(start, start + frames)
    left = 100 + speed * frame
    box = np.stack([left, np.full(frames, 50.0), left + 60, np.full(frames, 250.0)], axis=1)
    points = np.zeros((frames, 26, 2))
    points[:, Halpe26.NECK] = np.stack([left + 30, np.full(frames, 90.0)], axis=1)
    points[:, Halpe26.NOSE] = np.stack([left + 30, np.full(frames, 65.0)], axis=1)
    points[:, Halpe26.LEFT_SHOULDER] = points[:, Halpe26.NECK] + [25, 0]
    points[:, Halpe26.RIGHT_SHOULDER] = points[:, Halpe26.NECK] - [25, 0]
    score = np.zeros((frames, 26))
    score[:, [Halpe26.NECK, Halpe26.NOSE, Halpe26.LEFT_SHOULDER, Halpe26.RIGHT_SHOULDER]] = 0.8
    rows = np.arange(frames)
    tracks = Tracks(
        frame=frame,
        track=np.full(frames, track),
        box=box,
        score=np.full(frames, 0.9),
        provenance=np.full(frames, Provenance.DETECTED),
        detection=rows,
    )
    persons = Detections(frame=frame, box=box, score=np.full(frames, 0.9))
    return tracks, persons, Keypoints(detection=rows, points=points, score=score)


def view_of(tracks: Tracks, persons: Detections, keypoints: Keypoints, *, fps: float, step_s: float = 0.2) -> View:
    times = np.arange(tracks.frame.max() + 1) / fps
    instants = common_instants([times], step_s=step_s)
    return build_view("cam1", SIZE, times=times, instants=instants, tracks=tracks, persons=persons, keypoints=keypoints)


def test_instants_are_where_any_camera_took_a_picture() -> None:
    instants = common_instants([np.array([1.0, 2.0]), np.array([-0.5, 1.5]), np.zeros(0)], step_s=0.5)
    assert instants.tolist() == [-0.5, 1.0, 1.5, 2.0]
    assert len(common_instants([], step_s=0.5)) == 0


def test_points_come_from_the_keypoints() -> None:
    tracks, persons, keypoints = walker(10)
    seen = view_of(tracks, persons, keypoints, fps=5.0).observations
    assert seen.instant.tolist() == list(range(10))
    np.testing.assert_allclose(seen.points[:, BodyPoint.NECK], keypoints.points[:, Halpe26.NECK], atol=1e-3)
    np.testing.assert_allclose(seen.points[:, BodyPoint.HEAD], keypoints.points[:, Halpe26.NOSE], atol=1e-3)
    np.testing.assert_allclose(seen.weight[:, BodyPoint.NECK], 0.8, atol=1e-4)
    assert not seen.weight[:, BodyPoint.LEFT_HIP].any()
    np.testing.assert_allclose(seen.head, 0.62 * 50, rtol=1e-4)


def test_points_travel_with_the_box_between_samples() -> None:
    tracks, persons, keypoints = walker(26)
    some = keypoints[::3]  # every 0.12 s
    seen = view_of(tracks, persons, some, fps=25.0).observations
    assert seen.instant.tolist() == list(range(6))
    np.testing.assert_allclose(seen.points[:, BodyPoint.NECK], keypoints.points[::5, Halpe26.NECK], atol=1e-2)
    assert (seen.weight[:, BodyPoint.NECK] > 0.7).all()


def test_far_from_a_pose_only_the_box_speaks() -> None:
    tracks, persons, keypoints = walker(50)
    seen = view_of(tracks, persons, keypoints[:1], fps=25.0).observations
    last = seen[seen.instant == 9]
    assert last.weight.max() == pytest.approx(BOX_WEIGHT)
    np.testing.assert_allclose(last.points[0, BodyPoint.HEAD, 0], last.box[0, [0, 2]].mean(), rtol=1e-5)


def test_poses_of_another_track_are_not_used() -> None:
    tracks, persons, keypoints = walker(10)
    both = Tracks.concat([tracks, tracks.replace(track=np.full(10, 7), detection=np.full(10, 10))])
    persons = Detections.concat([persons, persons[:1]])
    seen = view_of(both, persons, keypoints, fps=5.0).observations
    assert seen.weight[seen.track == 7].max() == pytest.approx(BOX_WEIGHT)
    assert seen.weight[seen.track == 3].max() == pytest.approx(0.8)


def test_prolonged_ends_are_left_out_and_gaps_are_not() -> None:
    tracks, persons, keypoints = walker(10)
    detection = tracks.detection.copy()
    detection[[0, 1, 5, 9]] = -1
    view = view_of(tracks.replace(detection=detection), persons, keypoints, fps=5.0)
    assert view.observations.instant.tolist() == [2, 3, 4, 5, 6, 7, 8]
    never = view_of(tracks.replace(detection=np.full(10, -1)), persons, keypoints, fps=5.0)
    assert not len(never.observations)
    assert never.tracks.tolist() == [3]


def test_a_pause_of_the_camera_has_no_observations() -> None:
    tracks, persons, keypoints = walker(10)
    times = np.r_[np.arange(5) * 0.2, 3 + np.arange(5) * 0.2]
    instants = common_instants([times], step_s=0.2)
    view = build_view("cam1", SIZE, times=times, instants=instants, tracks=tracks, persons=persons, keypoints=keypoints)
    assert view.observations.instant.tolist() == list(range(10))
    np.testing.assert_allclose(instants, times)


def test_keypoints_of_other_detections_are_refused() -> None:
    tracks, persons, keypoints = walker(10)
    with pytest.raises(ValueError, match="only 5"):
        view_of(tracks, persons[:5], keypoints, fps=5.0)


@given(fps=st.floats(4, 60), offset=st.floats(-5, 5), step_s=st.sampled_from([0.1, 0.2, 0.5]))
def test_every_observation_is_the_frame_nearest_to_its_instant(fps: float, offset: float, step_s: float) -> None:
    tracks, persons, keypoints = walker(40)
    times = np.arange(40) / fps + offset
    instants = common_instants([times, np.arange(-6.0, 6.0, 0.04)], step_s=step_s)
    seen = build_view(
        "cam1", SIZE, times=times, instants=instants, tracks=tracks, persons=persons, keypoints=keypoints
    ).observations
    assert (np.diff(seen.instant) > 0).all()
    frame = np.round((seen.box[:, 0] - 100) / 4).astype(int)
    away = np.abs(times[frame] - instants[seen.instant])
    assert (away <= np.abs(times[:, None] - instants[seen.instant]).min(axis=0) + 1e-9).all()
    assert (away <= max(step_s, 1 / fps) / 2 + 1e-5).all()
