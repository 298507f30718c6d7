"""The attack on a session: faces before and after are paired by frame, track and place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.attack.anonymizers import as_frame, product
from or_mv_anon.attack.face_pairs import AttackedCamera, face_pairs
from or_mv_anon.attack.session import CLEAR, NAIVE, attack_session
from or_mv_anon.attack.table import session_table
from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.core.records import Regions
from or_mv_anon.models.landmarks import FoundFaces
from or_mv_anon.video.frame import Frame
from tests.attack.toy_people import FACE, LANDMARKS, ToyRecognizer, toy_picture

FRAMES = 24
STRENGTH = OperatorConfig(cells=2, blur_cells=2, solid_luma=0.0)


class Finder:
    """Finds the toy face in its enlarged cut."""

    def find(self, picture: np.ndarray) -> FoundFaces:
        scale = picture.shape[0] / 96  # the cut is the whole toy picture
        box = np.array([FACE], np.float32) * scale
        return FoundFaces(box, np.ones(1, np.float32), LANDMARKS[None] * scale)


def camera(
    people: list[int], method: str = "solid", *, missing: tuple[int, ...] = (), name: str = "cam1"
) -> AttackedCamera:
    """One person after another is before the camera, each for `FRAMES` frames; `missing` frames lack in the output."""
    cover = product(method, STRENGTH)
    region = np.array([FACE], np.float32)
    total = FRAMES * len(people)

    def picture(number: int) -> np.ndarray:
        return toy_picture(people[number // FRAMES], number)

    def original(numbers: np.ndarray) -> Iterator[tuple[int, Frame]]:
        yield from ((int(number), as_frame(picture(number))) for number in numbers)

    def hidden(numbers: np.ndarray) -> Iterator[tuple[int, Frame]]:
        yield from (
            (int(number), as_frame(cover(picture(number), region))) for number in numbers if number not in missing
        )

    regions = Regions(
        frame=np.arange(total),
        box=np.repeat(region, total, axis=0),
        kind=np.zeros(total),
        track=np.arange(total) // FRAMES,
        uncertainty=np.zeros(total),
    )
    return AttackedCamera(name, original, hidden, regions, dict(enumerate(people)))


def test_solid_regions_tell_nothing() -> None:
    found = attack_session([camera([1, 2, 3, 4, 5, 6])], [ToyRecognizer()], Finder(), looks_per_track=6)
    toy = found.recognizers["toy"]
    assert (found.tracks_followed, found.tracks_judged, found.people) == (6, 6, 6)
    assert toy[CLEAR].tracks.rank1.value == 1
    assert toy[CLEAR].accepted.value == 1
    assert toy[CLEAR].mistaken.value == 0
    assert toy[NAIVE].tracks.within_chance
    assert toy[NAIVE].accepted.value == 0
    assert "6 of 6 covered tracks" in session_table(found.as_dict())


def test_an_output_that_covers_nothing_is_seen_through() -> None:
    found = attack_session([camera([1, 2, 3, 4, 5, 6], "none")], [ToyRecognizer()], Finder(), looks_per_track=6)
    assert found.recognizers["toy"][NAIVE].tracks.rank1.value == 1
    assert not found.recognizers["toy"][NAIVE].tracks.within_chance


def test_pictures_do_not_slip_where_frames_are_missing() -> None:
    one = camera([1, 2], "none", missing=(0, 1, 2, 30, 31, 32, 33, 34))
    taken = list(face_pairs(one, Finder(), FRAMES))
    assert [look.number for look in taken] == [*range(3, 30), *range(35, 48)]
    for look in taken:
        assert np.abs(look.before.astype(int) - look.after).mean() < 3


def test_people_are_the_same_over_cameras() -> None:
    cameras = [camera([1, 2]), camera([2, 1], name="cam2")]
    found = attack_session(cameras, [ToyRecognizer()], Finder(), looks_per_track=4)
    assert (found.tracks_judged, found.people) == (4, 2)
    assert found.recognizers["toy"][CLEAR].faces.rank1.value == 1


def test_one_person_alone_gives_no_figures() -> None:
    found = attack_session([camera([1])], [ToyRecognizer()], Finder(), looks_per_track=4)
    assert found.recognizers == {}
    assert "at least two people" in session_table(found.as_dict())


def test_faces_outside_the_region_are_not_this_tracks() -> None:
    one = camera([1, 2])
    aside = one.regions.replace(box=one.regions.box + 60)
    moved = AttackedCamera(one.name, one.original, one.anonymized, aside, one.identities)
    assert list(face_pairs(moved, Finder(), 4)) == []


def test_followed_are_the_tracks_with_an_identity() -> None:
    one = camera([1, 2, 3])
    some = AttackedCamera(one.name, one.original, one.anonymized, one.regions, {0: 1, 2: 3})
    assert some.followed == [0, 2]
    assert {look.track for look in face_pairs(some, Finder(), 2)} == {("cam1", 0), ("cam1", 2)}


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_every_time(seed: int, tmp_path: Path) -> None:
    first, second = (
        attack_session([camera([1, 2, 3])], [ToyRecognizer()], Finder(), looks_per_track=4, seed=seed).as_dict()
        for _ in range(2)
    )
    assert first == second
