"""What lies in the run folder, and the recording itself, are never taken for something that they are not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from or_mv_anon.cli import tool
from or_mv_anon.core.records import Regions
from tests.end_to_end.driving import Ran, audit_of, decoded, looks_covered, run
from tests.end_to_end.people_clips import FACE, Picture, write_people, write_picture_folder

pytestmark = pytest.mark.sample

FRAMES = 12
MIRRORED = {"turn": lambda picture: picture[:, ::-1]}
HOOKED = """
import os, signal, sys
from pathlib import Path
from or_mv_anon.cli import tool
from or_mv_anon.core.store import RunStore
finish, seen = RunStore.finish, []
def hooked(self, stage, *arguments, **more):
    seen.append(stage)
    count = sum("/{kind}" in each for each in seen)
    if "/{kind}" in stage and count == {turn}:
        {act}
    return finish(self, stage, *arguments, **more)
RunStore.finish = hooked
sys.exit(tool("or_mv_anon.pipeline.cli", sys.argv[1:]))
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"


def hooked(kind: str, turn: int, act: str, *arguments: object) -> Ran:
    """Run the tool; before the `turn`-th stage of a `kind` is noted, `act` is done."""
    code = HOOKED.format(kind=kind, turn=turn, act=act)
    return run(*arguments, "--workers", 1, command=(sys.executable, "-c", code))


def exposed(source: Path, output: Path, *, mirrored: bool = False) -> int:
    """How many frames of the output show the face."""
    before, after = decoded(source), decoded(output)
    width = before.pictures.shape[2]
    shown = 0
    for number in range(len(after.times)):
        x1, y1, x2, y2 = FACE.box(number).astype(int)
        if mirrored:
            x1, x2 = width - x2, width - x1
        shown += not looks_covered(before.pictures[number, y1:y2, x1:x2], after.pictures[number, y1:y2, x1:x2])
    return shown


def keep_times(path: Path, change: Callable[[], object]) -> None:
    """Change a file so that its times say nothing of it."""
    times = path.stat()
    change()
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, people: Picture) -> tuple[Path, list[object]]:
    """A folder with a recording and the results of a run over it, and the run's arguments."""
    base = tmp_path_factory.mktemp("integrity")
    (base / "site").mkdir()
    write_people(base / "site" / "cam.mp4", people, frames=FRAMES)
    (base / "small.toml").write_text("[video]\nsegment_s = 0.2\n")
    arguments = ["--videos", "site", "--config", "small.toml", "--out", "out"]
    ran = run(*in_folder(base, arguments))
    assert ran.code == 0, ran.err
    return base, arguments


def in_folder(base: Path, arguments: list[object]) -> list[object]:
    return [base / one if not str(one).startswith("--") else one for one in arguments]


@pytest.fixture
def base(finished: tuple[Path, list[object]], tmp_path: Path) -> Path:
    """The same, to change."""
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def arguments(base: Path, finished: tuple[Path, list[object]]) -> list[object]:
    return in_folder(base, finished[1])


def test_a_segment_of_another_method_is_not_taken_for_a_finished_one(base: Path, arguments: list[object]) -> None:
    """A run is killed after a segment, then one without covering before it notes the same segment."""
    expected = (base / "out" / "cam.mp4").read_bytes()
    shutil.rmtree(base / "out")
    assert hooked("render/", 2, KILL, *arguments).code == -9
    assert hooked("render/", 1, KILL, *arguments, "--method", "none").code == -9
    ran = run(*arguments)
    assert ran.code == 0, ran.err
    assert exposed(base / "site" / "cam.mp4", base / "out" / "cam.mp4") == 0
    assert (base / "out" / "cam.mp4").read_bytes() == expected


def test_a_recording_replaced_before_it_is_rendered(base: Path, arguments: list[object], people: Picture) -> None:
    shutil.rmtree(base / "out")
    other = write_people(base / "other.mp4", people, frames=FRAMES, **MIRRORED)
    source = base / "site" / "cam.mp4"
    ran = hooked("place", 1, f"os.replace({str(other)!r}, {str(source)!r})", *arguments)
    assert ran.code == 1, ran.out + ran.err
    assert "changed" in ran.err
    assert not (base / "out" / "cam.mp4").exists()
    assert audit_of(base / "out")["outputs"] == []


def test_another_recording_of_the_same_size_and_time(base: Path, arguments: list[object], people: Picture) -> None:
    source = base / "site" / "cam.mp4"
    other = write_people(base / "other.mp4", people, frames=FRAMES, **MIRRORED)
    size = max(path.stat().st_size for path in (source, other)) + 8
    for path in (source, other):
        padding = size - path.stat().st_size
        with path.open("ab") as file:
            file.write(padding.to_bytes(4, "big") + b"free" + bytes(padding - 8))
    assert run(*arguments).code == 0
    keep_times(source, lambda: source.write_bytes(other.read_bytes()))
    ran = run(*arguments)
    assert ran.code == 0, ran.err
    assert exposed(source, base / "out" / "cam.mp4", mirrored=True) == 0


def test_a_picture_replaced_before_it_is_rendered(tmp_path: Path, people: Picture) -> None:
    folder = write_picture_folder(tmp_path / "site" / "cam", people, suffix=".bmp", count=4)
    other = tmp_path / "other.bmp"
    cv2.imwrite(str(other), np.ascontiguousarray(people[2][:, ::-1]))
    picture = folder / "000002.bmp"
    replace = f"os.replace({str(other)!r}, {str(picture)!r})"
    ran = hooked("place", 1, replace, "--videos", tmp_path / "site", "--out", tmp_path / "out")
    assert ran.code == 1, ran.out + ran.err
    assert "000002.bmp changed" in ran.err
    assert not (tmp_path / "out" / "cam").exists()


def test_a_changed_output_is_made_again(base: Path, arguments: list[object]) -> None:
    """Whatever its time says. What was found is kept, for this tool did not write it, and named."""
    output = base / "out" / "cam.mp4"
    expected = output.read_bytes()
    keep_times(output, lambda: os.truncate(output, len(expected) - 200))
    ran = run(*arguments)
    assert ran.code == 1, ran.out
    assert output.read_bytes() == expected
    (problem,) = audit_of(base / "out")["problems"]
    assert "cam.found-1.mp4" in problem
    assert (base / "out" / "cam.found-1.mp4").read_bytes() == expected[:-200]


def without_rows(path: Path) -> None:
    pq.write_table(Regions.from_table(pq.read_table(path))[:0].to_table(), path)


def bit_flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 16
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "regions-00001.parquet": without_rows,
    "tracks.parquet": bit_flipped,
    "persons-00000.parquet": bit_flipped,
    "audit.json": lambda path: path.write_text('{"summary": 3}'),
    "index.json": lambda path: path.write_text("[]"),
}


def test_damaged_stage_files_are_made_again(base: Path, arguments: list[object]) -> None:
    """And the output, which was made of the whole ones, is right as it is."""
    paths = {base / "out" / "stages" / "cam" / name: damage for name, damage in DAMAGE.items()}
    before = {path: path.read_bytes() for path in [*paths, base / "out" / "cam.mp4"]}
    for path, damage in paths.items():
        keep_times(path, partial(damage, path))
        assert path.read_bytes() != before[path]
    ran = run(*arguments)
    assert ran.code == 0, ran.err
    assert "damaged after it was written" in ran.out
    assert "render" not in ran.err
    assert {path: path.read_bytes() for path in before} == before


def in_here(capsys: pytest.CaptureFixture[str], arguments: list[object], *more: object) -> Ran:
    """A run that is refused before it starts workers, in this process: quicker."""
    code = tool("or_mv_anon.pipeline.cli", [str(each) for each in (*arguments, *more)])
    said = capsys.readouterr()
    return Ran(code, said.out, said.err)


@pytest.mark.parametrize("method", ["solid", "blur"])
def test_render_only_refuses_edited_regions(
    base: Path, arguments: list[object], method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = base / "out" / "stages" / "cam" / "regions-00001.parquet"
    regions = Regions.from_table(pq.read_table(path))
    pq.write_table(regions.replace(box=regions.box * 0.5).to_table(), path)
    before = (base / "out" / "cam.mp4").read_bytes()
    ran = in_here(capsys, arguments, "--render-only", "--method", method)
    assert ran.refused_with("regions-00001.parquet", "editing")
    assert (base / "out" / "cam.mp4").read_bytes() == before


HOLDER = "import sys, time, pathlib; from or_mv_anon.core.lock import hold\nwith hold(pathlib.Path(sys.argv[1])): " + (
    "print(1, flush=True); time.sleep(300)"
)


def test_a_second_run_is_refused_and_touches_nothing(
    base: Path, arguments: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(base / "out")], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        before = {path: path.read_bytes() for path in (base / "out").rglob("*") if path.is_file()}
        for more in ([], ["--method", "blur"], ["--overwrite"], ["--preview"], ["--render-only"]):
            assert in_here(capsys, arguments, *more).refused_with("Another run", f"process {first.pid}")
        assert {path: path.read_bytes() for path in (base / "out").rglob("*") if path.is_file()} == before
        first.kill()


def test_a_run_of_another_version_is_named_as_such(
    base: Path, arguments: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = base / "out" / "stages" / "manifest.json"
    manifest.write_text(json.dumps({"schema": 1, "stages": {}}))
    assert in_here(capsys, arguments).refused_with("another version", "--overwrite")
