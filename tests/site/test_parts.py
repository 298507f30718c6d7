"""Which files are consecutive parts of one recording, which only look so, and what else lies in folders."""

from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.site import discover
from or_mv_anon.site.part_names import wall_clock
from tests.site.test_layout import fill, layout


def numbered(pattern: str, count: int, first: int = 0) -> list[str]:
    return [pattern.format(i) for i in range(first, first + count)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([*numbered("cam1_{:03d}.mp4", 3), *numbered("cam2_{:03d}.mp4", 2)], {"cam1": 3, "cam2": 2}),
        ([*numbered("ceiling-{:04d}.ts", 3), *numbered("north-{:04d}.ts", 3)], {"ceiling": 3, "north": 3}),
        (["cam1_1.mp4", "cam1_2.mp4", "cam2.mp4"], {"cam1": 2, "cam2": 1}),
        (numbered("ceiling_part{}.mp4", 2, 1), {"ceiling": 2}),
        (["GX010001.MP4", "GX020001.MP4", "GX010002.MP4"], {"GX0001": 2, "GX010002": 1}),
        (["GOPR1234.MP4", "GP011234.MP4", "GP021234.MP4"], {"GOPR1234": 3}),
        (
            ["ch01_20240101_080000.mp4", "ch01_20240101_083000.mp4", "ch02_20240101_080000.mp4"],
            {"ch01": 2, "ch02_20240101_080000": 1},
        ),
        (
            ["NVR_ch1_main_20240101080000_20240101083000.mp4", "NVR_ch1_main_20240101083000_20240101090000.mp4"],
            {"NVR_ch1_main": 2},
        ),
        (["cam1.mp4", "cam2.mp4", "cam3.mp4"], {"cam1": 1, "cam2": 1, "cam3": 1}),
        (["cam_1.mp4", "cam_2.mp4"], {"cam_1": 1, "cam_2": 1}),
        (["camera-01.mp4", "camera-02.mp4"], {"camera-01": 1, "camera-02": 1}),
        (["cam1_000.mp4", "cam1_001.mkv"], {"cam1_000": 1, "cam1_001": 1}),
        (["20240101_080000.mp4", "20240101_080004.mp4"], {"20240101_080000": 1, "20240101_080004": 1}),
        (["20240101_080000.mp4", "20240101_083000.mp4"], {"or1": 2}),
    ],
)
def test_parts_in_one_folder(tmp_path: Path, names: list[str], expected: dict[str, int]) -> None:
    assert layout(fill(tmp_path / "or1", *names)) == {"or1": expected}


@pytest.mark.parametrize(
    "pattern",
    ["{folder}_{i:03d}.mp4", "{i:03d}.mp4", "rec_{i:03d}.mp4", "2024-01-01 08-{i:02d}-00.mkv", "GX{i:02d}0007.MP4"],
)
def test_parts_in_a_folder_per_camera(tmp_path: Path, pattern: str) -> None:
    for folder in ("cam1", "cam2"):
        fill(tmp_path / "or1", *(f"{folder}/{pattern.format(folder=folder, i=i)}" for i in range(1, 4)))
    assert layout(tmp_path / "or1") == {"or1": {"cam1": 3, "cam2": 3}}
    assert layout(tmp_path / "or1" / "cam1") == {"cam1": {"cam1": 3}}


def test_sessions_of_cameras_in_parts(tmp_path: Path) -> None:
    for day in ("day1", "day2"):
        fill(tmp_path, *numbered(f"{day}/cam1_{{:03d}}.mp4", 2), *numbered(f"{day}/cam2_{{:03d}}.mp4", 2))
    assert layout(tmp_path) == {"day1": {"cam1": 2, "cam2": 2}, "day2": {"cam1": 2, "cam2": 2}}


def test_parts_are_in_order_and_no_pictures(tmp_path: Path) -> None:
    fill(tmp_path, *numbered("cam1_{}.mp4", 12))
    (camera,) = discover(tmp_path).sessions[0].cameras
    assert isinstance(camera.files, tuple)
    assert [file.name for file in camera.files] == numbered("cam1_{}.mp4", 12)
    assert not camera.holds_pictures
    assert camera.frame_numbers == ()


def test_a_missing_part_is_told(tmp_path: Path) -> None:
    fill(tmp_path, "cam1_000.mp4", "cam1_002.mp4")
    assert any("WARNING" in note and "numbers 1 are missing" in note for note in discover(tmp_path).sessions[0].notes)


def test_what_only_looks_like_parts_stays_apart_with_a_warning(tmp_path: Path) -> None:
    fill(tmp_path, *numbered("record_{:03d}.mp4", 3))
    (session,) = discover(tmp_path).sessions
    assert len(session.cameras) == 3
    assert any("WARNING" in note and "look like consecutive parts" in note for note in session.notes)
    (tmp_path / "site.toml").write_text('parts = "joined"')
    assert layout(tmp_path) == {tmp_path.name: {"record": 3}}


def test_parts_may_be_kept_apart(tmp_path: Path) -> None:
    fill(tmp_path, *numbered("cam1_{:03d}.mp4", 3))
    (tmp_path / "site.toml").write_text('parts = "separate"')
    assert len(discover(tmp_path).sessions[0].cameras) == 3
    (tmp_path / "site.toml").write_text('parts = "all"')
    with pytest.raises(UserError, match=r"'parts' in .* joined, separate"):
        discover(tmp_path)


def test_cameras_start_when_their_recorders_names_say(tmp_path: Path) -> None:
    fill(tmp_path, "ch1_20240101_080000.mp4", "ch1_20240101_081500.mp4", "ch2_20240101_080003.mp4")
    cameras = {camera.name: camera for camera in discover(tmp_path).sessions[0].cameras}
    assert cameras["ch1"].offset == 0
    assert cameras["ch2_20240101_080003"].offset == 3
    (tmp_path / "site.toml").write_text('[[camera]]\nname = "ch2_20240101_080003"\noffset_s = 7.5')
    assert discover(tmp_path).sessions[0].cameras[1].offset == 7.5


@pytest.mark.parametrize(
    ("stem", "moment"),
    [
        ("cam1_19700101_000102", 62),
        ("1970-01-02T00-00-01", 86401),
        ("19700101000003", 3),
        ("x 1970.01.01 00.01.00 y", 60),
        ("cam1", None),
        ("20240231_120000", None),
        ("123456789012345678", None),
    ],
)
def test_times_in_names(stem: str, moment: float | None) -> None:
    assert wall_clock(stem) == moment


@pytest.mark.parametrize("root", ["PRIVATE/AVCHD/BDMV/STREAM", "AVCHD/BDMV/STREAM", "BDMV/STREAM", "bdmv/stream"])
def test_cards_are_one_recording_of_their_camera(tmp_path: Path, root: str) -> None:
    for camera in ("north", "south"):
        fill(tmp_path / "or1", *numbered(f"{camera}/{root}/{{:05d}}.MTS", 3), f"{camera}/{root}/../INDEX.BDM")
    assert layout(tmp_path / "or1") == {"or1": {"north": 3, "south": 3}}
    assert any("INDEX.BDM" in note for note in discover(tmp_path / "or1").sessions[0].notes)


def test_an_action_cameras_card(tmp_path: Path) -> None:
    fill(tmp_path / "or1", "cam1/DCIM/100GOPRO/GX010001.MP4", "cam1/DCIM/100GOPRO/GX020001.MP4", "cam2.mp4")
    assert layout(tmp_path / "or1") == {"or1": {"cam1": 2, "cam2": 1}}


@pytest.mark.parametrize("folder", ["#recycle", "$RECYCLE.BIN", "@eaDir", ".Trash-1000", "System Volume Information"])
def test_system_folders_are_ignored_with_a_note(tmp_path: Path, folder: str) -> None:
    fill(tmp_path, "cam1.mp4", f"{folder}/cam9.mp4", f"{folder}/deep/er/cam8.mp4")
    assert layout(tmp_path) == {tmp_path.name: {"cam1": 1}}
    assert any(folder in note and "2 files" in note for note in discover(tmp_path).sessions[0].notes)


def test_every_ignored_file_is_named_largest_first(tmp_path: Path) -> None:
    fill(tmp_path, "cam1.mp4", *(f"note{i}.xyz" for i in range(9)))
    (tmp_path / "big.unknown").write_bytes(bytes(2500))
    (note,) = discover(tmp_path).sessions[0].notes
    assert all(f"note{i}.xyz" in note for i in range(9))
    assert "big.unknown (2.5 kB), note0.xyz" in note
