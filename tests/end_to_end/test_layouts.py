"""Several sessions, folders of pictures, single files, zones and clock offsets: all layouts that the tool promises."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.end_to_end.driving import audit_of, covered_mask, decoded, looks_covered, regions_of, run
from tests.end_to_end.people_clips import FACE, SIZE, Picture, write_people, write_picture_folder

pytestmark = pytest.mark.sample

COUNT = 4


def assert_pictures_are_covered(folder: Path, source: Path) -> None:
    """Each picture of `source` is in `folder` under its own name, with the face covered and the rest kept."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in source.iterdir())
    for number, path in enumerate(sorted(source.iterdir())):
        before, after = (cv2.imread(str(where)) for where in (path, folder / path.name))
        assert before is not None
        assert after is not None
        assert after.shape == before.shape
        x1, y1, x2, y2 = FACE.box(number).astype(int)
        assert looks_covered(before[y1:y2, x1:x2], after[y1:y2, x1:x2]), path.name
        assert np.abs(after[-100:].astype(int) - before[-100:]).mean() < 3


def test_sessions_of_all_kinds(tmp_path: Path, people: Picture) -> None:
    """Videos in one session, pictures in the others: a folder per camera, and 4D-OR's, all cameras in one folder."""
    site, out = tmp_path / "site", tmp_path / "out"
    (site / "monday").mkdir(parents=True)
    write_people(site / "monday" / "cam1.mp4", people, frames=COUNT)
    write_people(site / "monday" / "cam2.mkv", people, frames=COUNT, time_base=Fraction(1, 1000))
    write_picture_folder(site / "tuesday" / "left", people, suffix=".jpg", count=COUNT)
    write_picture_folder(site / "tuesday" / "right", people, suffix=".png", count=COUNT)
    for camera in ("camera01", "camera02"):
        name = camera + "_colorimage-{:06d}"
        folder = tmp_path / camera
        write_picture_folder(folder, people, suffix=".jpg", count=COUNT, name=name)
        (site / "export" / "colorimage").mkdir(parents=True, exist_ok=True)
        for picture in folder.iterdir():
            picture.rename(site / "export" / "colorimage" / picture.name)
        folder.rmdir()
    ran = run("--videos", site, "--out", out)
    assert ran.code == 0, ran.out + ran.err
    assert sorted(path.name for path in out.iterdir()) == ["export", "monday", "tuesday"]
    for name in ("cam1.mp4", "cam2.mkv"):
        assert decoded(out / "monday" / name).times == decoded(site / "monday" / name).times
    for camera in ("left", "right"):
        assert_pictures_are_covered(out / "tuesday" / camera, site / "tuesday" / camera)
    for camera in ("camera01", "camera02"):
        original = tmp_path / f"original_{camera}"
        original.mkdir()
        for picture in (site / "export" / "colorimage").glob(f"{camera}*"):
            (original / picture.name).write_bytes(picture.read_bytes())
        assert_pictures_are_covered(out / "export" / camera, original)
    for session in ("export", "monday", "tuesday"):
        assert audit_of(out / session)["verdict"]["well"]


def test_a_single_video(tmp_path: Path, site: Callable[..., Path]) -> None:
    videos = site("cam1.mp4", "cam2.mp4", frames=3)
    ran = run("--videos", videos / "cam1.mp4", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert len(decoded(tmp_path / "out" / "cam1.mp4").times) == 3
    assert not (tmp_path / "out" / "cam2.mp4").exists()


def test_offsets_and_zones_of_the_site_settings(tmp_path: Path, site: Callable[..., Path]) -> None:
    """`--start` counts on the session's clock; an always-covered zone is covered in every frame."""
    videos = site("cam1.mp4", "cam2.mp4", frames=12)
    (videos / "site.toml").write_text(
        '[[camera]]\nname = "cam2"\noffset_s = 0.2\nalways_cover = [[100, 300, 200, 400]]\n'
    )
    out = tmp_path / "out"
    ran = run("--videos", videos, "--out", out, "--start", 0.3, "--method", "solid")
    assert ran.code == 0, ran.err
    assert len(decoded(out / "cam1.mp4").times) == 3
    assert len(decoded(out / "cam2.mp4").times) == 9
    output, regions = decoded(out / "cam2.mp4"), regions_of(out, "cam2")
    for number in range(9):
        assert covered_mask(regions, number, SIZE)[300:400, 100:200].all()
        assert output.pictures[number, 304:396, 104:196].max() < 30
