"""Reading folders of people: layouts, what is left out, and splits that keep people apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from or_mv_anon.attack import identities
from or_mv_anon.attack.identities import face_region, read_identity_set, split_enrolment, split_identities
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.landmarks import FoundFaces
from tests.attack.toy_people import toy_faces


class Finder:
    """Finds as many faces as the picture's first pixel says, each 40 px high; with 9, a large and a small one."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def find(self, picture: np.ndarray) -> FoundFaces:
        count = round(int(picture[0, 0, 0]) / 10)
        heights = [40.0, 15.0] if count == 9 else [40.0] * count
        box = np.array([[30, 30, 60, 30 + height] for height in heights], np.float32).reshape(-1, 4)
        points = np.array([[38, 40], [52, 40], [45, 50], [40, 58], [50, 58]], np.float32)
        return FoundFaces(box, np.ones(len(box), np.float32), np.repeat(points[None], len(box), axis=0))


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities, "LandmarkFinder", Finder)
    monkeypatch.setattr(identities, "fetch", lambda *_, **__: Path("none"))


def save(path: Path, faces: int, *, side: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((side, side, 3), 10 * faces, np.uint8))


def test_a_subfolder_per_person(tmp_path: Path) -> None:
    for person in ("ann", "bob"):
        for number in range(2):
            save(tmp_path / "clinic" / person / f"{number}.png", 1)
    found = read_identity_set(tmp_path / "clinic")
    assert [face.identity for face in found.faces] == ["clinic/ann"] * 2 + ["clinic/bob"] * 2
    assert found.left_out == {}


def test_names_before_the_number(tmp_path: Path) -> None:
    for name in ("id01_0001.png", "id01_0002.png", "Ann_Lee_0001.png"):
        save(tmp_path / "set" / name, 1)
    assert sorted({face.identity for face in read_identity_set(tmp_path / "set").faces}) == ["set/Ann_Lee", "set/id01"]


def test_pictures_without_one_clear_face_are_counted(tmp_path: Path) -> None:
    for number, faces in enumerate((0, 1, 2, 2, 9)):
        save(tmp_path / "set" / f"id_{number}.png", faces)
    (tmp_path / "set" / "id_5.png").write_bytes(b"no picture")
    found = read_identity_set(tmp_path / "set")
    assert len(found.faces) == 2  # one face; and one with a passer-by behind it
    assert found.left_out == {"no face": 1, "several faces": 2, "unreadable": 1}


def test_large_pictures_are_reduced(tmp_path: Path) -> None:
    save(tmp_path / "set" / "id_1.png", 1, side=2000)
    assert read_identity_set(tmp_path / "set").faces[0].picture.shape == (640, 640, 3)


def test_a_folder_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="one subfolder per person"):
        read_identity_set(tmp_path)
    save(tmp_path / "id_1.png", 0)
    with pytest.raises(UserError, match="exactly one clear face"):
        read_identity_set(tmp_path)


def test_the_region_is_the_pipelines(tmp_path: Path) -> None:
    picture = np.zeros((100, 60, 3), np.uint8)
    region = face_region(picture, np.array([[20, 30, 50, 70]], np.float32), load_config().regions)
    assert region.tolist() == [[11, 18, 59, 82]]  # 1.6 times the face
    cut = face_region(picture, np.array([[30, 70, 60, 100]], np.float32), load_config().regions)
    assert cut.tolist() == [[21, 61, 60, 100]]


def test_everybody_is_enrolled_and_attacked_with_other_pictures() -> None:
    faces = [*toy_faces(4, 5), *toy_faces(1, 1, of="single")]
    gallery, probes = split_enrolment(faces, seed=3)
    assert (
        {face.identity for face in gallery} == {face.identity for face in probes} == {f"set/id0{i}" for i in range(4)}
    )
    assert not {id(face) for face in gallery} & {id(face) for face in probes}
    assert len(gallery) + len(probes) == 20
    again = split_enrolment(faces, seed=3)
    assert [id(face) for face in again[0]] == [id(face) for face in gallery]
    assert [id(face) for face in split_enrolment(faces, seed=4)[0]] != [id(face) for face in gallery]


def test_nobody_is_both_learned_from_and_attacked() -> None:
    known, attacked = split_identities(toy_faces(10, 2), share=0.3, seed=0)
    assert len({face.identity for face in known}) == 3
    assert len({face.identity for face in attacked}) == 7
    assert not {face.identity for face in known} & {face.identity for face in attacked}
