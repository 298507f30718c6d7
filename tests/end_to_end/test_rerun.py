"""Running again: nothing is done twice, other settings redo what depends on them, only safe things are kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.end_to_end.driving import Clip, audit_of, covered_mask, decoded, fingerprints, looks_covered, regions_of, run
from tests.end_to_end.people_clips import FACE, HEADS, SIZE, Picture, write_people

pytestmark = pytest.mark.sample

FRAMES = 12


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, people: Picture) -> tuple[Path, Path]:
    """A site with two cameras, and the results of a run over it."""
    base = tmp_path_factory.mktemp("rerun")
    (base / "site").mkdir()
    for name in ("cam1.mp4", "cam2.mp4"):
        write_people(base / "site" / name, people, frames=FRAMES)
    ran = run("--videos", base / "site", "--out", base / "out")
    assert ran.code == 0, ran.err
    return base / "site", base / "out"


@pytest.fixture
def copied(finished: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """The finished site and its results, to change."""
    for folder in finished:
        shutil.copytree(folder, tmp_path / folder.name)
    return tmp_path / "site", tmp_path / "out"


def face_in(clip: Clip, number: int, *, labelled: int) -> NDArray[np.uint8]:
    """The face as it was labelled in one frame, cut out of another."""
    x1, y1, x2, y2 = FACE.box(labelled).astype(int)
    return clip.pictures[number, y1:y2, x1:x2]


def test_a_finished_run_has_nothing_to_do(finished: tuple[Path, Path]) -> None:
    site, out = finished
    before = fingerprints(out)
    ran = run("--videos", site, "--out", out)
    assert ran.code == 0
    assert "analyse" not in ran.err
    assert "render" not in ran.err
    after = fingerprints(out)
    for name in ("cam1.mp4", "cam2.mp4"):
        assert after[name] == before[name]
    assert audit_of(out)["verdict"]["well"]


def test_a_lost_output_is_made_again(copied: tuple[Path, Path]) -> None:
    """Even where the original of a copied folder still has it."""
    site, out = copied
    before = (out / "cam1.mp4").read_bytes()
    (out / "cam1.mp4").unlink()
    ran = run("--videos", site, "--out", out)
    assert ran.code == 0, ran.err
    assert (out / "cam1.mp4").read_bytes() == before


def test_an_output_that_was_tampered_with_is_not_vouched_for(copied: tuple[Path, Path]) -> None:
    """Such as the recording itself, copied over the anonymized file: the audit must not call it verified."""
    site, out = copied
    right = (out / "cam1.mp4").read_bytes()
    shutil.copyfile(site / "cam1.mp4", out / "cam1.mp4")
    run("--videos", site, "--out", out)
    vouched = {entry["camera"]: entry for entry in audit_of(out)["outputs"]}
    assert (out / "cam1.mp4").read_bytes() == right or "cam1" not in vouched


def test_another_recording_under_the_same_name_is_analysed_anew(copied: tuple[Path, Path], people: Picture) -> None:
    site, out = copied
    write_people(site / "cam1.mp4", people, frames=FRAMES, turn=lambda picture: picture[:, ::-1])
    ran = run("--videos", site, "--out", out)
    assert ran.code == 0, ran.err
    regions = regions_of(out, "cam1")
    for number in range(FRAMES):
        x1, y1, x2, y2 = FACE.box(number).astype(int)
        assert covered_mask(regions, number, SIZE)[y1:y2, SIZE[0] - x2 : SIZE[0] - x1].all()


@pytest.mark.parametrize("method", ["solid", "blur", "pixelate", "none"])
def test_render_only_with_another_method(copied: tuple[Path, Path], tmp_path: Path, method: str, weights: Path) -> None:
    """The networks are not needed for it, so their weights need not be there."""
    site, out = copied
    source = decoded(site / "cam1.mp4")
    nowhere = {"XDG_CACHE_HOME": str(tmp_path / "no_cache"), "PIP_NO_INDEX": "1", "PATH": "/usr/bin:/bin"}
    ran = run("--videos", site, "--out", out, "--render-only", "--method", method, environment=nowhere)
    assert ran.code == (1 if method == "none" else 0), ran.out + ran.err
    output = decoded(out / "cam1.mp4")
    assert output.times == source.times
    for number in range(FRAMES):
        before, after = (face_in(clip, number, labelled=number) for clip in (source, output))
        assert looks_covered(before, after) == (method != "none")
        if method == "solid":
            assert after.max() < 30
    if method == "none":
        audit = audit_of(out)
        assert "NOT ANONYMIZED" in ran.out
        assert ran.sentences[0].startswith("warning: NOT ANONYMIZED"), "before any work"
        assert audit["verdict"]["sentence"].startswith("NOT ANONYMIZED")
        assert not any(output["verified"] for output in audit["outputs"])
        assert "verified" not in audit["verdict"]["sentence"].replace("not verified", "")


def test_render_only_refuses_regions_of_another_interval(copied: tuple[Path, Path]) -> None:
    site, out = copied
    assert run("--videos", site, "--out", out, "--start", 0.1, "--end", 0.2).code == 0
    short = fingerprints(out)
    ran = run("--videos", site, "--out", out, "--render-only")
    assert ran.code == 2, ran.out
    assert ran.sentences[-1].startswith("error: ")
    for name in ("cam1.mp4", "cam2.mp4"):
        assert fingerprints(out)[name] == short[name]


def test_render_only_refuses_regions_of_another_recording(copied: tuple[Path, Path], people: Picture) -> None:
    site, out = copied
    before = fingerprints(out)["cam1.mp4"]
    write_people(site / "cam1.mp4", people, frames=FRAMES, turn=lambda picture: picture[:, ::-1])
    ran = run("--videos", site, "--out", out, "--render-only")
    assert ran.code == 2, ran.out
    assert ran.sentences[-1].startswith("error: ")
    assert fingerprints(out)["cam1.mp4"] == before


def test_a_part_of_the_recording(copied: tuple[Path, Path]) -> None:
    """The part starts at zero: session time 0.2 s becomes the output's 0 s."""
    site, out = copied
    ran = run("--videos", site, "--out", out, "--start", 0.2, "--end", 0.3)
    assert ran.code == 0, ran.err
    source, output = decoded(site / "cam1.mp4"), decoded(out / "cam1.mp4")
    assert output.times == [time - source.times[6] for time in source.times[6:9]]
    regions = regions_of(out, "cam1")
    for number in range(3):
        for head in HEADS:
            x1, y1, x2, y2 = head.box(number + 6).astype(int)
            assert covered_mask(regions, number, SIZE)[y1:y2, x1:x2].all()
        before, after = face_in(source, number + 6, labelled=number + 6), face_in(output, number, labelled=number + 6)
        assert looks_covered(before, after)


def test_a_part_beyond_the_end_of_one_camera(tmp_path: Path, site: Callable[..., Path]) -> None:
    videos = site("long.mp4", frames=12)
    site("short.mp4", frames=4)
    ran = run("--videos", videos, "--out", tmp_path / "out", "--start", 0.3)
    assert ran.code == 1
    assert len(decoded(tmp_path / "out" / "long.mp4").times) == 3
    assert not (tmp_path / "out" / "short.mp4").exists()
    assert [problem for problem in audit_of(tmp_path / "out")["problems"] if "short" in problem]


def test_overwrite_starts_afresh(copied: tuple[Path, Path]) -> None:
    site, out = copied
    before = decoded(out / "cam1.mp4")
    (out / "cam2.mp4").write_text("a file of somebody else's")
    (out / "notes.txt").write_text("kept")
    ran = run("--videos", site, "--out", out, "--overwrite")
    assert ran.code == 0, ran.err
    assert "analyse" in ran.err
    assert (decoded(out / "cam1.mp4").pictures == before.pictures).all()
    assert len(decoded(out / "cam2.mp4").times) == FRAMES
    assert (out / "notes.txt").read_text() == "kept"


def test_preview_shows_no_face_and_writes_nothing_else(
    tmp_path: Path, site: Callable[..., Path], people: Picture
) -> None:
    out = tmp_path / "out"
    ran = run("--videos", site("cam.mp4", frames=6), "--out", out, "--preview")
    assert ran.code == 0, ran.err
    assert [path.name for path in out.iterdir() if path.name != "stages"] == ["preview.png"]
    assert not [path for path in out.rglob("*") if path.suffix in (".mp4", ".jpg")]
    sheet = cv2.imread(str(out / "preview.png"))
    assert sheet is not None
    assert sheet.shape == (SIZE[1], 6 * SIZE[0], 3), "six key frames in a row, at the size of the clip"
    for number in range(6):
        x1, y1, x2, y2 = FACE.box(number).astype(int)
        shown = sheet[y1:y2, number * SIZE[0] + x1 : number * SIZE[0] + x2]
        assert looks_covered(people[number, y1:y2, x1:x2], shown)


def test_dry_run_writes_nothing(tmp_path: Path, site: Callable[..., Path]) -> None:
    out = tmp_path / "out"
    ran = run("--videos", site("cam.mp4", frames=6), "--out", out, "--dry-run")
    assert ran.code == 0, ran.err
    assert "cam: 6 frames" in ran.out
    assert "Nothing was written" in ran.out
    assert [path for path in out.rglob("*") if path.is_file()] == []
