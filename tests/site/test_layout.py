"""What a folder turns out to be: every layout that people use, and refusal where it could be read in two ways."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core.errors import UserError
from or_mv_anon.site import discover
from or_mv_anon.site.layout import natural_key


def fill(folder: Path, *names: str) -> Path:
    """Empty files (and their folders) under `folder`; names ending in / are empty folders."""
    for name in names:
        path = folder / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()
    return folder


def layout(folder: Path) -> dict[str, dict[str, int]]:
    """session -> camera -> number of files, in the order found."""
    return {
        session.name: {c.name: 1 if isinstance(c.files, Path) else len(c.files) for c in session.cameras}
        for session in discover(folder).sessions
    }


def pictures(pattern: str, count: int) -> list[str]:
    return [pattern.format(i) for i in range(count)]


def test_videos_in_the_folder_are_one_session_in_natural_order(tmp_path: Path) -> None:
    fill(tmp_path / "or1", "cam10.MP4", "cam2.mkv", "cam1.avi")
    found = layout(tmp_path / "or1")
    assert found == {"or1": {"cam1": 1, "cam2": 1, "cam10": 1}}
    assert list(found["or1"]) == ["cam1", "cam2", "cam10"]


def test_folder_per_session(tmp_path: Path) -> None:
    fill(tmp_path, "day10/cam1.mp4", "day2/cam1.mp4", "day2/cam2.mp4")
    found = layout(tmp_path)
    assert list(found) == ["day2", "day10"]
    assert found["day2"] == {"cam1": 1, "cam2": 1}


def test_folder_of_pictures_per_camera(tmp_path: Path) -> None:
    fill(tmp_path / "room", *pictures("00_03/00_03_{:08d}.jpg", 3), *pictures("00_12/00_12_{:08d}.jpg", 2))
    assert layout(tmp_path / "room") == {"room": {"00_03": 3, "00_12": 2}}


def test_pictures_are_in_number_order_and_have_a_rate(tmp_path: Path) -> None:
    fill(tmp_path, "a/9.png", "a/10.png", "a/1.png", "b/1.png")
    camera = discover(tmp_path).sessions[0].cameras[0]
    assert [file.name for file in camera.files] == ["1.png", "9.png", "10.png"]
    assert camera.frame_numbers == (1, 9, 10)
    assert camera.fps is not None


@pytest.mark.parametrize("below", ["", "colorimage/"])
@pytest.mark.parametrize("cameras", [1, 3])
def test_4d_or_layout(tmp_path: Path, below: str, cameras: int) -> None:
    for i in range(1, cameras + 1):
        fill(tmp_path / "take1", *pictures(f"{below}camera{i:02d}_colorimage-{{:06d}}.jpg", 4))
        fill(tmp_path / "take1", *pictures(f"depthimage/camera{i:02d}_depthimage-{{:06d}}.tiff", 4))
    fill(tmp_path / "take1", "pcds/000001.pcd")
    assert layout(tmp_path / "take1") == {"take1": {f"camera{i:02d}": 4 for i in range(1, cameras + 1)}}


@pytest.mark.parametrize("cameras", [1, 3])
def test_several_4d_or_takes(tmp_path: Path, cameras: int) -> None:
    for take in ("take1", "take2"):
        for i in range(1, cameras + 1):
            fill(tmp_path, *pictures(f"{take}/colorimage/camera{i:02d}_colorimage-{{:06d}}.jpg", 2))
    expected = {f"camera{i:02d}": 2 for i in range(1, cameras + 1)}
    assert layout(tmp_path) == {"take1": expected, "take2": expected}


def test_mvor_layout_has_a_colour_folder_per_camera(tmp_path: Path) -> None:
    for day in ("day1", "day2"):
        for camera in ("cam1", "cam2"):
            fill(tmp_path, *pictures(f"{day}/{camera}/color/{{:06d}}.png", 2), f"{day}/{camera}/depth/000000.png")
    assert layout(tmp_path) == {"day1": {"cam1": 2, "cam2": 2}, "day2": {"cam1": 2, "cam2": 2}}


def test_camera_folder_keeps_its_name_when_its_pictures_carry_a_prefix(tmp_path: Path) -> None:
    fill(tmp_path, "north/camera01_0001.jpg", "south/camera02_0001.jpg")
    assert layout(tmp_path)[tmp_path.name] == {"north": 1, "south": 1}


def test_pictures_named_by_time_are_one_camera(tmp_path: Path) -> None:
    fill(tmp_path, *(f"north/2024-01-31_12-{m:02d}-{s:02d}.jpg" for m in range(3) for s in range(3)))
    assert layout(tmp_path) == {tmp_path.name: {"north": 9}}


def test_videos_and_picture_folders_make_one_session(tmp_path: Path) -> None:
    fill(tmp_path, "cam1.mp4", "cam2/0001.jpg")
    assert layout(tmp_path)[tmp_path.name] == {"cam1": 1, "cam2": 1}


def test_pictures_straight_in_the_folder(tmp_path: Path) -> None:
    fill(tmp_path / "north", "0001.jpg", "0002.jpg")
    assert layout(tmp_path / "north") == {"north": {"north": 2}}


def test_one_video(tmp_path: Path) -> None:
    fill(tmp_path, "cam1.mp4", "cam2.mp4")
    assert layout(tmp_path / "cam2.mp4") == {"cam2": {"cam2": 1}}


def test_whatever_is_left_out_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "cam1.mp4", "notes.docx", "cam2.mp4.partial", "poster1.jpg", ".hidden.mp4", ".trash/cam9.mp4")
    fill(tmp_path, "calibration/board.yml", "out/audit.json", "out/cam1.mp4", "run/stages/", "run/cam1.mp4")
    session = discover(tmp_path).sessions[0]
    text = "\n".join((*session.notes, *discover(tmp_path).notes))
    assert [camera.name for camera in session.cameras] == ["cam1"]
    for name in ("notes.docx", "cam2.mp4.partial", "poster1.jpg", "board.yml", "calibration", "out", "run"):
        assert name in text
    assert "hidden" not in text
    assert ".trash" not in text


def test_notes_of_session_folders_are_kept(tmp_path: Path) -> None:
    fill(tmp_path, "day1/cam1.mp4", "day1/a.xml", "readme.txt", "empty/")
    site = discover(tmp_path)
    assert "a.xml" in site.sessions[0].notes[0]
    assert any("readme.txt" in note for note in site.notes)
    assert any("empty" in note for note in site.notes)


def test_links_are_followed_and_broken_ones_refused(tmp_path: Path) -> None:
    fill(tmp_path / "disk", "a.mp4")
    fill(tmp_path / "site", "cam2.mp4")
    (tmp_path / "site" / "cam1.mp4").symlink_to(tmp_path / "disk" / "a.mp4")
    assert layout(tmp_path / "site") == {"site": {"cam1": 1, "cam2": 1}}
    (tmp_path / "site" / "cam3.mp4").symlink_to(tmp_path / "gone.mp4")
    with pytest.raises(UserError, match=r"cam3.mp4 .* target is missing"):
        discover(tmp_path / "site")


def test_link_loop_ends(tmp_path: Path) -> None:
    fill(tmp_path, "day1/cam1.mp4")
    (tmp_path / "day1" / "again").symlink_to(tmp_path / "day1")
    with pytest.raises(UserError):
        discover(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["cam1.mp4", "day1"])
def test_unreadable(tmp_path: Path, name: str) -> None:
    fill(tmp_path, "cam1.mp4" if name == "cam1.mp4" else "day1/cam1.mp4")
    (tmp_path / name).chmod(0)
    try:
        with pytest.raises(UserError, match=name):
            discover(tmp_path)
    finally:
        (tmp_path / name).chmod(0o700)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "No videos"),
        (("a.txt",), "No videos"),
        (("plan.jpg",), "No videos"),
        (("cam1.mp4", "cam1.mkv"), "named 'cam1'"),
        (("cam1.mp4", "CAM1.mkv"), "overwrite"),
        (("cam1.mp4", "cam1/0001.jpg"), "named 'cam1'"),
        (("cam1.mp4", "day1/cam1.mp4"), "both cameras .* and session folders"),
        (("north/0001.jpg", "day1/cam1.mp4"), "both cameras .* and session folders"),
        (("0001.jpg", "north/0001.jpg"), "numbered pictures .* beside folders"),
        (("north/0001.jpg", "north/0001.png"), "two pictures named 0001"),
        (("or1/day1/cam1.mp4", "or1/day2/cam1.mp4"), "pass --videos .*or1 instead"),
        (("audit.json", "cam1.mp4"), "output of this tool"),
    ],
)
def test_refused(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        discover(fill(tmp_path, *names))


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        discover(tmp_path / "nowhere")


def test_site_is_named_after_its_folder_however_it_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "or1", "cam1.mp4", "inner/")
    monkeypatch.chdir(tmp_path / "or1" / "inner")
    assert discover(Path("..")).name == "or1"
    monkeypatch.chdir(tmp_path / "or1")
    assert discover(Path(".")).name == "or1"


@given(st.sets(st.integers(0, 10**6), min_size=1), st.sampled_from(["cam{}", "Tk {} b", "{}", "x-{}-1"]), st.randoms())
def test_natural_order_is_the_order_of_the_numbers(numbers: set[int], pattern: str, shuffler: random.Random) -> None:
    names = [pattern.format(number) for number in numbers]
    shuffler.shuffle(names)
    assert sorted(names, key=natural_key) == [pattern.format(number) for number in sorted(numbers)]


@given(st.lists(st.text(max_size=12), max_size=8))
def test_natural_order_accepts_any_names_and_separates_different_ones(names: list[str]) -> None:
    ordered = sorted(names, key=natural_key)
    assert ordered == sorted(reversed(names), key=natural_key)
    assert len({repr(natural_key(name)) for name in names}) == len(set(names))


SAFE = st.text("abcxyz019-_ ", min_size=1, max_size=8).filter(lambda name: name == name.strip() and name[0] != "-")


@given(st.dictionaries(SAFE, st.sets(SAFE, min_size=1, max_size=4), min_size=1, max_size=4))
def test_no_video_is_ever_lost(tmp_path_factory: pytest.TempPathFactory, sessions: dict[str, set[str]]) -> None:
    root = tmp_path_factory.mktemp("site")
    reserved = {"depth", "rgb", "stages"}
    sessions = {name: cameras for name, cameras in sessions.items() if name not in reserved}
    fill(root, *(f"{session}/{camera}.mp4" for session, cameras in sessions.items() for camera in cameras))
    if sessions:
        found = {
            (session.name, file.stem)
            for session in discover(root).sessions
            for camera in session.cameras
            for file in (camera.files if isinstance(camera.files, tuple) else [camera.files])
        }
        files = {(session, name) for session, cameras in sessions.items() for name in cameras}
        assert {name for _, name in found} == {name for _, name in files}
        assert len(found) == len(files)
