"""Whose a file is: nothing goes that an earlier run did not write, and nobody else may read what one did."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest

from or_mv_anon.cli import main
from or_mv_anon.core.lock import hold
from tests.end_to_end.driving import Ran, decoded
from tests.end_to_end.people_clips import Picture, write_people

pytestmark = pytest.mark.sample

FAULTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "faults"
Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, people: Picture) -> Path:
    """Two cameras, one of them a folder of pictures, and the results of a run, made with an open umask."""
    base = tmp_path_factory.mktemp("finished")
    (base / "site" / "cam2").mkdir(parents=True)
    write_people(base / "site" / "cam1.mp4", people, frames=4)
    for number, picture in enumerate(decoded(base / "site" / "cam1.mp4").pictures[:2]):
        cv2.imwrite(str(base / "site" / "cam2" / f"{number:03}.png"), picture)
    before = os.umask(0o022)
    try:
        code = main(["anonymize", "--videos", str(base / "site"), "--out", str(base / "out"), "--workers", "1"])
    finally:
        os.umask(before)
    assert code == 0
    return base


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def anonymize(copied: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs once more over the copy, in this process."""

    def run(*arguments: object, videos: Path = copied / "site", out: Path = copied / "out") -> Ran:
        code = main(["anonymize", "--videos", str(videos), "--out", str(out), "--workers", "1", *map(str, arguments)])
        said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return run


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def recordings_stay(copied: Path) -> Iterator[None]:
    before = content(copied / "site")
    yield
    assert content(copied / "site") == before


@pytest.mark.usefixtures("recordings_stay")
@pytest.mark.parametrize("place", ["site", "site/cam2", "site/cam2/out", ".", "link", "link/cam2"])
def test_no_results_among_recordings(anonymize: Run, copied: Path, place: str) -> None:
    (copied / "link").symlink_to(copied / "site")
    before = sorted(copied.rglob("*"))
    for more in ((), ("--overwrite",)):
        assert anonymize(*more, out=copied / place).refused_with("--out", "choose another")
    assert sorted(copied.rglob("*")) == before


@pytest.mark.skipif(not FAULTS.is_dir(), reason="the recordings with faults are not here")
def test_the_layout_of_mvor(anonymize: Run, tmp_path: Path) -> None:
    site = tmp_path / "mvor"
    shutil.copytree(FAULTS / "mvor_layout", site)
    before = content(site)
    assert anonymize("--overwrite", videos=site / "day1", out=site / "day1").refused_with("--out")
    assert content(site) == before


@pytest.mark.usefixtures("recordings_stay")
@pytest.mark.parametrize("mode", ["", "--overwrite"])
@pytest.mark.parametrize("kind", ["file", "folder", "link", "hard link"])
def test_what_somebody_put_in_the_place_of_an_output_stays(
    anonymize: Run, copied: Path, tmp_path: Path, kind: str, mode: str
) -> None:
    out = tmp_path / "fresh"
    out.mkdir()
    theirs = out / "cam1.mp4"
    if kind == "file":
        theirs.write_text("precious")
    elif kind == "folder":
        (theirs / "below").mkdir(parents=True)
        (theirs / "below" / "notes.txt").write_text("precious")
    elif kind == "link":
        theirs.symlink_to(copied / "site" / "cam1.mp4")
    else:
        os.link(copied / "site" / "cam1.mp4", theirs)
    before = content(out)
    assert anonymize(*filter(None, [mode]), out=out).refused_with("cam1.mp4", "--overwrite")
    assert {name: data for name, data in content(out).items() if not name.startswith("stages")} == before
    assert theirs.is_symlink() == (kind == "link")


@pytest.mark.parametrize("place", ["cam1.mp4", "cam2/000.png", "cam2/mine.txt", "cam2/mine/notes.txt"])
def test_overwrite_keeps_an_output_that_was_changed(anonymize: Run, copied: Path, place: str) -> None:
    theirs = copied / "out" / place
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("precious")
    ran = anonymize("--overwrite")
    assert ran.code == 0, ran.err
    output, *below = Path(place).parts
    aside = Path(output).stem + ".found-1" + Path(output).suffix
    assert aside in ran.out
    assert (copied / "out" / aside).joinpath(*below).read_text() == "precious"


def test_overwrite_makes_anew_and_keeps_what_is_not_its_own(anonymize: Run, copied: Path) -> None:
    out = copied / "out"
    notes = [out / "notes.txt", out / "stages" / "notes.txt", out / "stages" / "cam1" / "notes.txt"]
    for path in notes:
        path.write_text("precious")
    (out / "report.html").write_text("with my remarks")
    before, made = (out / "cam1.mp4").read_bytes(), (out / "stages" / "cam1" / "tracks.parquet").stat().st_mtime_ns
    ran = anonymize("--overwrite")
    assert ran.code == 0, ran.err
    assert all(path.read_text() == "precious" for path in notes)
    assert (out / "report.found-1.html").read_text() == "with my remarks"
    assert "report.found-1.html" in ran.out
    assert (out / "cam1.mp4").read_bytes() == before
    assert (out / "stages" / "cam1" / "tracks.parquet").stat().st_mtime_ns != made


def test_overwrite_of_one_camera_leaves_the_others(anonymize: Run, copied: Path) -> None:
    other = {name: data for name, data in content(copied / "out").items() if "cam2" in name}
    assert len(other) > 5
    ran = anonymize("--overwrite", videos=copied / "site" / "cam1.mp4")
    assert ran.code == 0, ran.err
    assert other.items() <= content(copied / "out").items()


@pytest.mark.parametrize("loss", ["damaged", "gone"])
def test_overwrite_knows_its_outputs_by_the_audit_where_the_manifest_is_lost(
    anonymize: Run, copied: Path, loss: str
) -> None:
    if loss == "gone":
        shutil.rmtree(copied / "out" / "stages")
    else:
        (copied / "out" / "stages" / "manifest.json").write_text("{")
    assert anonymize("--overwrite").code == 0


def test_only_this_user_may_read_what_was_made(finished: Path) -> None:
    made = [path for path in (finished / "out").rglob("*")]
    assert len(made) > 20
    assert [path for path in [*made, finished / "out"] if path.stat().st_mode & 0o077] == []


def test_purge_removes_by_products_and_nothing_else(
    anonymize: Run, copied: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = copied / "out"
    (out / "stages" / "cam1" / "notes.txt").write_text("precious")
    before = content(out)
    with hold(out):
        pass
    assert main(["purge", str(out)]) == 1
    said = capfd.readouterr().out
    after = content(out)
    assert "notes.txt is not from this tool" in said
    assert set(before) - set(after) == {
        name for name in before if name.startswith("stages/") and not name.endswith(("notes.txt", "manifest.json"))
    }
    assert {name for name in after if after[name] != before[name]} == {"stages/manifest.json"}
    (out / "stages" / "cam1" / "notes.txt").unlink()
    assert main(["purge", str(out)]) == 0
    assert "cam1.mp4" in capfd.readouterr().out
    assert anonymize().code == 0, "a run after that begins anew, and knows its outputs"
    assert (out / "cam1.mp4").read_bytes() == before["cam1.mp4"]


def test_purge_keeps_what_unfinished_work_needs(copied: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = copied / "out"
    (out / "cam1.mp4").unlink()
    assert main(["purge", str(out)]) == 1
    assert "cam1 is not finished" in capfd.readouterr().out
    assert (out / "stages" / "cam1" / "tracks.parquet").exists()
    assert not (out / "stages" / "cam2" / "tracks.parquet").exists()
    assert main(["purge", str(copied / "site")]) == 2


def test_purge_waits_for_no_run(copied: Path, capfd: pytest.CaptureFixture[str]) -> None:

    program = (
        "import sys; from pathlib import Path\nfrom or_mv_anon.core.lock import hold\n"
        "with hold(Path(sys.argv[1])): input()"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(copied / "out")], stdin=subprocess.PIPE)
    try:
        while not (copied / "out" / ".or-mv-anon.lock").exists():
            assert holder.poll() is None
        before = content(copied / "out" / "stages")
        assert main(["purge", str(copied / "out")]) == 2
        assert "Another run" in capfd.readouterr().err
        assert content(copied / "out" / "stages") == before
    finally:
        holder.kill()
        holder.wait()
