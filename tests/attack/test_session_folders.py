"""A recording and its output opened side by side: who is who, and what does not fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.attack import session_folders
from or_mv_anon.attack.session_folders import attacked_cameras
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Detections, Frames, Identities, Keypoints, Regions, Tracks
from or_mv_anon.core.truth import CameraTruth, FaceMasks, Truth, TruthFrames, TruthPeople
from or_mv_anon.evaluation.run_directory import CameraRun, Run
from or_mv_anon.video.orientation import Orientation
from tests.clips import write_clip

FRAMES = 6
LEFT, RIGHT, BOTH = (0, 0, 30, 40), (32, 0, 62, 40), (0, 0, 64, 48)


def regions(rows: list[tuple[int, int, tuple[int, ...]]]) -> Regions:
    """From (frame, track, box)."""
    return Regions(
        frame=[frame for frame, _, _ in rows],
        box=np.array([box for _, _, box in rows], np.float32),
        kind=np.zeros(len(rows)),
        track=[track for _, track, _ in rows],
        uncertainty=np.zeros(len(rows)),
    )


def tracks(numbers: list[int]) -> Tracks:
    zeros = np.zeros(len(numbers))
    return Tracks(
        frame=zeros, track=numbers, box=np.zeros((len(numbers), 4)), score=zeros, provenance=zeros, detection=zeros
    )


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A recording of one camera, its output, and the run that is told to lie beside it."""

    def make(*, frames: int = FRAMES, method: str = "solid", name: str = "cam1", identities: Identities | None = None):
        for folder, count in (("in", FRAMES), ("out", frames)):
            (tmp_path / folder).mkdir()
            write_clip(tmp_path / folder / "cam1.mp4", frames=count, size=(64, 48), rate=10)
        covered = regions([*((number, 0, LEFT) for number in range(5)), (5, 0, RIGHT), (5, 1, BOTH), (5, -2, LEFT)])
        camera = CameraRun(
            name=name,
            size=(64, 48),
            orientation=Orientation(),
            frames=Frames.empty(),
            persons=Detections.empty(),
            keypoints=Keypoints.empty(),
            faces=Detections.empty(),
            tracks=tracks([0, 1]),
            face_tracks=Tracks.empty(),
            regions=covered,
            identities=identities,
        )
        monkeypatch.setattr(session_folders, "load_run", lambda path: Run(path, method, {name: camera}))
        return tmp_path / "in", tmp_path / "out"

    return make


def truth_of(faces: list[tuple[int, int, tuple[int, ...]]]) -> Truth:
    """From (frame, person, face box)."""
    count = len(faces)
    boxes = np.array([box for _, _, box in faces], np.float32)
    people = TruthPeople(
        frame=[frame for frame, _, _ in faces],
        person=[person for _, person, _ in faces],
        amodal_box=boxes,
        visible_box=boxes,
        visible_fraction=np.ones(count),
        head_box=boxes,
        face_box=boxes,
        face_angle=np.zeros(count),
        face_pixels=np.full(count, 9),
        face_visible=np.full(count, 9),
        bare_visible=np.full(count, 9),
        keypoints=np.zeros((count, 26, 3)),
        action=np.zeros(count),
        mask=np.zeros(count),
    )
    none = FaceMasks(np.zeros(0, np.int32), np.zeros(0, np.int16), [], [])
    return Truth({"cam1": CameraTruth(64, 48, 10, TruthFrames.empty(), people, none)})


def test_the_asked_frames_are_read_from_both(session) -> None:
    (camera,) = attacked_cameras(*session())
    for read in (camera.original, camera.anonymized):
        assert [number for number, _ in read(np.array([1, 4]))] == [1, 4]
    assert camera.followed == [0, 1]  # face tracks are nobody's


def test_without_identities_every_track_is_somebody(session) -> None:
    (camera,) = attacked_cameras(*session())
    assert len(set(camera.identities.values())) == 2


def test_the_runs_own_identities(session) -> None:
    found = Identities(track=[0, 1], identity=[7, 7], confidence=[1, 1])
    (camera,) = attacked_cameras(*session(identities=found))
    assert camera.identities == {0: 7, 1: 7}


def test_truth_names_the_person_most_often_alone_in_a_region(session) -> None:
    left, right = (4, 4, 20, 20), (40, 4, 56, 20)
    faces = [*((number, 3, left) for number in range(6)), *((number, 8, right) for number in range(6))]
    (camera,) = attacked_cameras(*session(), truth_of(faces))
    assert camera.identities == {0: 3}  # track 1 held both at once


def test_what_does_not_fit_is_refused(session) -> None:
    with pytest.raises(UserError, match=r"6 frames and the output 4"):
        attacked_cameras(*session(frames=4))


def test_another_recording_is_refused(session) -> None:
    with pytest.raises(UserError, match="lacks cam9"):
        attacked_cameras(*session(name="cam9"))


def test_a_run_that_covered_nothing_is_refused(session) -> None:
    with pytest.raises(UserError, match="nothing is covered"):
        attacked_cameras(*session(method="none"))
