"""What cannot be done is refused in one clear sentence, and what an earlier run wrote stays as it was."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import onnxruntime
import pytest

from or_mv_anon.cli import tool
from tests.end_to_end.driving import Ran, audit_of, decoded, fingerprints, run
from tests.end_to_end.people_clips import Picture, write_people

pytestmark = pytest.mark.sample

PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
FULL_DISK_KB = 3000


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, people: Picture) -> tuple[Path, Path]:
    """A site with one camera, and the results of a run over it."""
    base = tmp_path_factory.mktemp("finished")
    (base / "site").mkdir()
    write_people(base / "site" / "cam.mp4", people, frames=4)
    ran = run("--videos", base / "site", "--out", base / "out")
    assert ran.code == 0, ran.err
    return base / "site", base / "out"


@pytest.fixture
def attempt(finished: tuple[Path, Path], capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs the tool once more over the finished site, in this process."""

    def run_here(*arguments: object, videos: Path = finished[0], out: Path = finished[1]) -> Ran:
        code = tool("or_mv_anon.pipeline.cli", ["--videos", str(videos), "--out", str(out), *map(str, arguments)])
        said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return run_here


@pytest.fixture
def untouched(finished: tuple[Path, Path]) -> Iterator[None]:
    """Checks that a test changed nothing in the finished results or the recordings."""
    before = [fingerprints(folder) for folder in finished]
    yield
    assert [fingerprints(folder) for folder in finished] == before


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.usefixtures("untouched")
class TestOptions:
    def test_unknown_key_in_the_configuration(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        config = write(tmp_path / "my.toml", "[detection]\nmin_scor = 0.2\n")
        assert attempt("--config", config).refused_with("min_scor", "my.toml", "min_score")

    def test_configuration_that_is_no_toml(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        assert attempt("--config", write(tmp_path / "my.toml", "[detection\n")).refused_with("my.toml", "TOML")

    def test_no_such_configuration(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        assert attempt("--config", tmp_path / "my.toml").refused_with("my.toml")

    def test_unknown_site_model(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        assert attempt("--model", tmp_path / "none").refused_with("none", "site model")

    def test_damaged_site_model(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        section = f'[detector]\nkind = "yolox"\nfile = "d.onnx"\nsha256 = "{"0" * 64}"\n'
        write(tmp_path / "model.toml", f"schema = 2\n{section}")
        write(tmp_path / "d.onnx", "damaged")
        assert attempt("--model", tmp_path).refused_with("d.onnx", "damaged")

    def test_damaged_weights(self, attempt: Callable[..., Ran], weights: Path, tmp_path: Path) -> None:
        for file in weights.glob("*.onnx"):
            shutil.copyfile(file, tmp_path / file.name)
        damaged = next(tmp_path.glob("face_detection*.onnx"))
        damaged.write_bytes(damaged.read_bytes()[:-100])
        assert attempt("--weights-dir", tmp_path).refused_with(damaged.name, "damaged", "replace")

    def test_no_such_weights_folder(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        assert attempt("--weights-dir", tmp_path / "none").refused_with("none", "bundle")

    @pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is there")
    def test_cuda_that_is_not_there(self, attempt: Callable[..., Ran]) -> None:
        assert attempt("--device", "cuda").refused_with("CUDA", "--device cpu")

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (("--start", 60), "60 s"),
            (("--start", "0:00:00.1", "--end", 0.05), "0.05 s"),
            (("--crf", 99), "crf"),
            (("--crf", -1), "crf"),
            (("--preset", "warp"), "warp"),
            (("--detect-every", -1), "interval_s"),
        ],
    )
    def test_values_that_make_no_sense(
        self, attempt: Callable[..., Ran], arguments: tuple[object, ...], word: str
    ) -> None:
        assert attempt(*arguments).refused_with(word)

    @pytest.mark.parametrize(("option", "value"), [("--start", "soon"), ("--workers", "0"), ("--workers", "-3")])
    def test_values_that_cannot_be_read(
        self, attempt: Callable[..., Ran], capfd: pytest.CaptureFixture[str], option: str, value: str
    ) -> None:
        with pytest.raises(SystemExit, match="2"):
            attempt(option, value)
        last = capfd.readouterr().err.splitlines()[-1]
        assert option in last
        assert value in last
        assert "_" not in last.partition(": error:")[2], "no names of functions"


@pytest.mark.usefixtures("untouched")
class TestPlaces:
    def test_no_such_folder(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        assert attempt(videos=tmp_path / "none").refused_with("none", "does not exist")

    def test_folder_without_videos(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        write(tmp_path / "notes.txt", "nothing here")
        assert attempt(videos=tmp_path).refused_with("No videos", "notes.txt")

    def test_output_of_an_earlier_run_as_input(self, attempt: Callable[..., Ran], finished: tuple[Path, Path]) -> None:
        assert attempt(videos=finished[1]).refused_with("output of this tool")

    @pytest.mark.parametrize("below", ["", "new"])
    def test_a_file_where_the_output_folder_should_be(
        self, attempt: Callable[..., Ran], tmp_path: Path, below: str
    ) -> None:
        place = write(tmp_path / "file.txt", "precious")
        ran = attempt(out=place / below)
        assert ran.refused_with("file.txt")
        assert "does not exist" not in ran.err
        assert place.read_text() == "precious"

    def test_a_file_in_the_way_that_another_program_wrote(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        theirs = write(tmp_path / "cam.mp4", "precious")
        assert attempt(out=tmp_path).refused_with("cam.mp4", "--overwrite")
        assert theirs.read_text() == "precious"

    def test_render_only_without_an_earlier_run(self, attempt: Callable[..., Ran], tmp_path: Path) -> None:
        assert attempt("--render-only", out=tmp_path).refused_with("--render-only", "cam")


def test_output_among_the_recordings(finished: tuple[Path, Path], attempt: Callable[..., Ran], tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(finished[0], site)
    before = fingerprints(site)
    assert attempt(videos=site, out=site).refused_with("--out")
    assert fingerprints(site) == before
    assert [path.name for path in site.iterdir()] == ["cam.mp4"], "the folder still counts as recordings"


def test_a_store_that_is_damaged(finished: tuple[Path, Path], attempt: Callable[..., Ran], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished[1], out)
    write(out / "stages" / "manifest.json", "{")
    assert attempt(out=out).refused_with("manifest.json", "--overwrite")


def test_stored_regions_that_are_damaged(finished: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished[1], out)
    regions = out / "stages" / "cam" / "regions-00000.parquet"
    regions.write_bytes(regions.read_bytes()[:100])
    before = (out / "cam.mp4").read_bytes()
    ran = run("--videos", finished[0], "--out", out, "--render-only", "--method", "pixelate")
    assert ran.refused_with("regions-00000.parquet", "--render-only")
    assert (out / "cam.mp4").read_bytes() == before, "a run that is refused touches nothing"


def test_no_permission_to_write(finished: tuple[Path, Path], tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    for out in (locked, locked / "new"):
        ran = run("--videos", finished[0], "--out", out, before=_obey_permissions)
        if os.geteuid() == 0 and ran.code == 0:
            pytest.skip("this user may write everywhere")
        assert ran.refused_with("permission", str(out))
    assert not list(locked.iterdir())


def test_no_permission_to_read(finished: tuple[Path, Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(finished[0], site)
    (site / "cam.mp4").chmod(0)
    ran = run("--videos", site, "--out", tmp_path / "out", before=_obey_permissions)
    if os.geteuid() == 0 and ran.code == 0:
        pytest.skip("this user may read everything")
    assert ran.refused_with("cam.mp4", "ermission")


def test_full_disk_then_room_again(tmp_path: Path, people: Picture) -> None:
    """Finished work is kept: once there is room, the same command goes on and the result is right."""
    site, disk = tmp_path / "site", tmp_path / "disk"
    site.mkdir()
    disk.mkdir()
    write_people(site / "cam.mp4", people, frames=24)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={FULL_DISK_KB}k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not permitted")
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes((FULL_DISK_KB - 100) << 10))
        arguments = ("--videos", site, "--out", disk / "out", "--crf", 5)
        ran = run(*arguments)
        assert ran.code in (1, 2)
        assert "full" in ran.out + ran.err
        assert "Internal error" not in ran.err
        assert not (disk / "out" / "cam.mp4").exists()
        assert not list(disk.rglob("*.partial"))
        ballast.unlink()
        ran = run(*arguments)
        assert ran.code == 0, ran.out + ran.err
        assert decoded(disk / "out" / "cam.mp4").times == decoded(site / "cam.mp4").times
        assert audit_of(disk / "out")["verdict"]["well"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _obey_permissions() -> None:
    """Take the right to override permissions from this process and what it starts; only root has it."""
    for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0)
