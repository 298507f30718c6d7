"""Names that outputs cannot carry, and files that look like settings and are none."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.pipeline.plan import plan_session
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.site import discover
from or_mv_anon.site.names import shown
from tests.clips import write_clip


def recording(folder: Path, name: str | bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with open(os.path.join(os.fsencode(folder), os.fsencode(name)), "wb"):
        pass


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cam\n1.mp4", r"'cam\\n1\.mp4'"),
        ("cam\x1b[31m.mp4", r"\\x1b\[31m"),
        ("cam\u202e4pm.mp4", r"\\u202e"),
        (b"cam\xff.mp4", "valid UTF-8"),
        (b"\xed\xa0\x80.mp4", "valid UTF-8"),
        ("x" * 251 + ".mp4", "251 bytes"),
        ("ä" * 120 + ".mp4", "240 bytes"),
        ("timing.mp4", "'timing', which is kept"),
        ("TIMING.mp4", "which is kept"),
        ("geometry.json.mp4", "which is kept"),
        ("manifest.json.mp4", "which is kept"),
        ("stages.mp4", "which is kept"),
        ("cam.partial.mp4", "which is kept"),
    ],
)
def test_a_camera_that_no_output_can_be_named_after(tmp_path: Path, name: str | bytes, words: str) -> None:
    recording(tmp_path / "site", name)
    with pytest.raises(UserError, match=words) as raised:
        discover(tmp_path / "site")
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", ["day\n1", b"day\xff", "stages", "audit.json"])
def test_a_session_that_no_output_can_be_named_after(tmp_path: Path, name: str | bytes) -> None:
    for folder in (os.fsencode(name), b"other"):
        recording(Path(os.fsdecode(os.path.join(os.fsencode(tmp_path / "site"), folder))), "cam1.mp4")
    with pytest.raises(UserError) as raised:
        discover(tmp_path / "site")
    assert str(raised.value).isprintable()


def test_another_name_in_the_settings_helps(tmp_path: Path) -> None:
    recording(tmp_path, "timing.mp4")
    (tmp_path / "site.toml").write_text('[[camera]]\nname = "north"\nfile = "timing"\n')
    assert [camera.name for camera in discover(tmp_path).sessions[0].cameras] == ["north"]


def test_names_that_only_some_systems_tell_apart(tmp_path: Path) -> None:
    for name in ("caf\u00e9.mp4", "cafe\u0301.mkv"):
        recording(tmp_path, name)
    with pytest.raises(UserError, match="Two cameras"):
        discover(tmp_path)


@pytest.mark.parametrize("name", ["Site.toml", "SITE.TOML", "site.toml.txt", "sites.toml"])
def test_settings_under_another_name_are_not_passed_over(tmp_path: Path, name: str) -> None:
    recording(tmp_path, "cam1.mp4")
    (tmp_path / name).write_text('[[camera]]\nname = "cam1"\nalways_cover = [[0, 0, 9, 9]]\n')
    if name != "site.toml" and (tmp_path / "site.toml").exists():
        pytest.skip("this file system does not tell capitals apart")
    with pytest.raises(UserError, match=r"name it site\.toml"):
        discover(tmp_path)


def test_notes_about_other_files_can_be_printed(tmp_path: Path) -> None:
    for name in ("cam1.mp4", "a\x1b]0;x\x07.txt", b"b\xff.txt"):
        recording(tmp_path, name)
    (note,) = discover(tmp_path).sessions[0].notes
    assert note.isprintable()
    assert r"\x1b" in note


def test_shown_keeps_what_can_be_printed() -> None:
    assert shown("ä ö ❤ a'b") == "ä ö ❤ a'b"
    assert shown("a\r\n\udcff") == r"a\r\n\udcff"


def planned(site: Path) -> list[str]:
    (session,) = discover(site).sessions
    spec = RunSpec(config=load_config(), endoscopy=load_endoscopy_config(None))
    plan = plan_session(session, site.parent / "out", spec)
    return [camera.destination.name for camera in plan.cameras]


def test_outputs_that_would_overwrite_each_other_are_found_before_any_work(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "b.mp4").mkdir(parents=True)
    write_clip(site / "b.avi", frames=2)
    for number in range(2):
        assert cv2.imwrite(str(site / "b.mp4" / f"{number}.png"), np.zeros((48, 64, 3), np.uint8))
    (single,) = planned_alone(tmp_path, site / "b.avi")
    (site / "b.mp4").rename(site / single)
    with pytest.raises(UserError, match=f"would both become {single}"):
        planned(site)


def planned_alone(folder: Path, video: Path) -> list[str]:
    alone = folder / "alone"
    alone.mkdir()
    (alone / video.name).write_bytes(video.read_bytes())
    return planned(alone)


@pytest.mark.parametrize(
    ("zone", "refused"),
    [([70, 0, 90, 40], True), ([0, 50, 20, 60], True), ([60, 40, 90, 90], False), ([0, 0, 64, 48], False)],
)
def test_zones_beside_the_picture_are_refused(tmp_path: Path, zone: list[int], refused: bool) -> None:
    write_clip(tmp_path / "site.mp4", frames=2, size=(64, 48))
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "site.mp4").rename(site / "cam1.mp4")
    (site / "site.toml").write_text(f'[[camera]]\nname = "cam1"\nalways_cover = [{zone}]\n')
    if refused:
        with pytest.raises(UserError, match="lies outside its picture of 64x48"):
            planned(site)
    else:
        assert planned(site) == ["cam1.mp4"]
