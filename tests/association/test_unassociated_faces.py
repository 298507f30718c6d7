"""Heads without bodies: believed when three cameras agree, then told to the fourth and held while they keep still."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.association.recover import Recovered, Scene, recover
from or_mv_anon.association.unassociated_faces import unassociated_faces
from or_mv_anon.core.records import Provenance, Tracks
from tests.association.recovery_scenes import CONFIG, STEP_S, known_association, records
from tests.association.synthetic_room import HEAD_M, Room, synthetic_room

SECONDS = 20
LYING = np.array([0.4, 0.3, 1.1])  # metres
INSTANTS = np.arange(round(SECONDS / STEP_S)) * STEP_S


@pytest.fixture(scope="module")
def room() -> Room:
    return synthetic_room(cameras=4, people=4, seconds=SECONDS, false_tracks=0, breaks_per_minute=0)


def face_track(centre: NDArray[np.float64], head: float, *, first: int = 0, last: int, track: int = 0) -> Tracks:
    """A face that keeps its place in the frames from `first` to `last`."""
    frame = np.arange(first, last + 1)
    half = head / 1.25 / 2
    count = len(frame)
    return Tracks(
        frame=frame,
        track=np.full(count, track),
        box=np.tile(np.concatenate([centre - half, centre + half]), (count, 1)),
        score=np.full(count, 0.3),
        provenance=np.full(count, Provenance.TRACKED),
        detection=np.full(count, -1),
    )


def face_in(room: Room, name: str, place: NDArray[np.float64] = LYING, *, first: int = 0, last: int = 199) -> Tracks:
    camera = room.cameras[name]
    point, depth = camera.project(place)
    return face_track(point, camera.matrix[0, 0] * HEAD_M / float(depth), first=first, last=last)


def recovered_in(room: Room, target: str, faces: dict[str, Tracks]) -> Recovered:
    times = np.arange(0, SECONDS, 0.1)
    views = [
        unassociated_faces(view, faces.get(view.name, Tracks.empty()), times=times, instants=INSTANTS)
        for view in room.views
    ]
    scene = Scene.of(room.views, known_association(room), INSTANTS, faces=views)
    view = next(view for view in room.views if view.name == target)
    return recover(records(view, INSTANTS, size=view.size), scene, CONFIG)


def covered_share(room: Room, target: str, found: Recovered) -> float:
    """Share of the recording's frames in which the lying head is inside a transferred one."""
    point = room.cameras[target].project(LYING)[0]
    inside = (found.heads.box[:, :2] <= point).all(axis=1) & (point <= found.heads.box[:, 2:]).all(axis=1)
    return len(np.unique(found.heads.frame[inside])) / 200


@pytest.mark.parametrize("target", ["cam1", "cam3"])
def test_a_head_that_three_cameras_see_is_covered_in_the_fourth(room: Room, target: str) -> None:
    faces = {name: face_in(room, name) for name in room.cameras if name != target}
    assert covered_share(room, target, recovered_in(room, target, faces)) > 0.95


def test_a_head_that_two_cameras_see_is_not_believed(room: Room) -> None:
    faces = {name: face_in(room, name) for name in ("cam2", "cam3")}
    assert covered_share(room, "cam1", recovered_in(room, "cam1", faces)) < 0.2


def test_faces_that_do_not_agree_are_not_believed(room: Room) -> None:
    places = np.random.default_rng(3).uniform([-1.5, -1.2, 0.5], [1.5, 1.2, 2.0], (3, 3))
    faces = {name: face_in(room, name, place) for name, place in zip(("cam2", "cam3", "cam4"), places, strict=True)}
    assert covered_share(room, "cam1", recovered_in(room, "cam1", faces)) < 0.2


def test_a_still_head_is_held_where_its_own_camera_lost_it(room: Room) -> None:
    faces = {name: face_in(room, name) for name in ("cam2", "cam3")}
    found = recovered_in(room, "cam1", faces | {"cam1": face_in(room, "cam1", first=60, last=120)})
    point = room.cameras["cam1"].project(LYING)[0]
    inside = (found.heads.box[:, :2] <= point).all(axis=1) & (point <= found.heads.box[:, 2:]).all(axis=1)
    frames = set(found.heads.frame[inside].tolist())
    assert frames >= set(range(0, 58)) | set(range(124, 200))


def test_a_face_of_somebody_who_is_followed_is_not_alone(room: Room) -> None:
    view = room.views[0]
    seen = view.observations
    track = view.tracks[np.bincount(np.searchsorted(view.tracks, seen.track)).argmax()]
    rows = np.flatnonzero((seen.track == track) & (seen.weight[:, 0] > 0.35))
    moving = Tracks.concat(
        [
            face_track(seen.points[row, 0], float(seen.head[row]), first=instant * 2, last=instant * 2 + 1)
            for row, instant in zip(rows.tolist(), seen.instant[rows].tolist(), strict=True)
        ]
    )
    alone = unassociated_faces(view, moving, times=np.arange(0, SECONDS, 0.1), instants=INSTANTS)
    assert len(alone.tracks) == 0
