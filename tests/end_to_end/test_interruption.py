"""Killed, interrupted, short of workers: no process survives, and going on gives the same result to the byte."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.driving import PATIENCE, TOOL, Ran, audit_of, run
from tests.end_to_end.people_clips import Picture, write_people

pytestmark = pytest.mark.sample

NAMES = ("cam1.mp4", "cam2.mp4")


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory, people: Picture) -> tuple[list[object], dict[str, bytes]]:
    """Arguments for a run in many small segments, and the outputs of one that nothing disturbed."""
    base = tmp_path_factory.mktemp("interruption")
    (base / "site").mkdir()
    for name in NAMES:
        write_people(base / "site" / name, people, frames=30, b_frames=2)
    config = base / "small.toml"
    config.write_text("[video]\nsegment_s = 0.2\n")
    arguments = ["--videos", base / "site", "--config", config, "--workers", 2]
    ran = run(*arguments, "--out", base / "out")
    assert ran.code == 0, ran.err
    return arguments, {name: (base / "out" / name).read_bytes() for name in NAMES}


def _answer_signals() -> None:
    """A test runner in the background passes on that it ignores Ctrl-C; a terminal does not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The tool as the leader of a process group of its own; the group is gone at the end."""
    process = subprocess.Popen(
        [*TOOL, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=_answer_signals,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE)


def wait_for(process: subprocess.Popen[str], out: Path, pattern: str, *, count: int) -> None:
    """Wait until the run has written `count` stage files of a kind."""
    deadline = time.monotonic() + PATIENCE
    while len(list(out.glob(f"stages/*/{pattern}"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def alive(group: int) -> list[int]:
    """Processes of a group that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] not in "ZX":
                found.append(int(entry.name))
    return found


def workers_of(main: int) -> list[int]:
    """The worker processes of a run, oldest first."""
    return [pid for pid in sorted(alive(main)) if b"spawn_main" in (Path("/proc") / str(pid) / "cmdline").read_bytes()]


def gone(group: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(group) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(group)


def finish(arguments: list[object], out: Path, expected: dict[str, bytes]) -> Ran:
    ran = run(*arguments, "--out", out)
    assert ran.code == 0, ran.out + ran.err
    assert {name: (out / name).read_bytes() for name in NAMES} == expected
    assert audit_of(out)["verdict"]["well"]
    assert not list(out.rglob("*.partial*"))
    return ran


@pytest.mark.parametrize(
    ("pattern", "count"), [("persons-*.parquet", 3), ("video-*.mp4", 2)], ids=["analysing", "rendering"]
)
def test_killed_in_the_middle(
    straight: tuple[list[object], dict[str, bytes]], tmp_path: Path, pattern: str, count: int
) -> None:
    arguments, expected = straight
    with started(*arguments, "--out", tmp_path) as process:
        wait_for(process, tmp_path, pattern, count=count)
        process.kill()
        process.wait()
        assert gone(process.pid), "workers outlive the main process"
    assert not [name for name in NAMES if (tmp_path / name).exists()]
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob(f"stages/*/{pattern}")}
    finish(arguments, tmp_path, expected)
    if pattern.endswith(".parquet"):
        again = [path for path, written in kept.items() if path.stat().st_mtime_ns != written]
        assert len(again) <= 2, "no more than the segments in work are done again"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_asked_to_end(
    straight: tuple[list[object], dict[str, bytes]], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """As from the keyboard, by a batch system, by a terminal that is closed: all processes of the group hear of it."""
    arguments, expected = straight
    with started(*arguments, "--out", tmp_path) as process:
        wait_for(process, tmp_path, "persons-*.parquet", count=2)
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=30)
        ran = Ran(process.returncode, out, err)
        assert gone(process.pid)
    assert ran.code == code
    assert "Traceback" not in err
    assert len(ran.sentences) == 1, err
    assert "run the same command again" in ran.sentences[0]
    finish(arguments, tmp_path, expected)


def test_interrupted_while_workers_start(straight: tuple[list[object], dict[str, bytes]], tmp_path: Path) -> None:
    arguments, _ = straight
    with started(*arguments, "--out", tmp_path) as process:
        while process.poll() is None and not workers_of(process.pid):
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert gone(process.pid)
    assert process.returncode == 130, err
    assert "Traceback" not in err, err


@pytest.mark.parametrize("delay", [0.0, 0.1])
def test_killed_while_workers_start(
    straight: tuple[list[object], dict[str, bytes]], tmp_path: Path, delay: float
) -> None:
    with started(*straight[0], "--out", tmp_path) as process:
        while process.poll() is None and not workers_of(process.pid):
            time.sleep(0.005)
        time.sleep(delay)
        process.kill()
        process.wait()
        assert gone(process.pid), "workers outlive the main process"


def test_a_worker_that_dies_costs_its_own_segment_only(
    straight: tuple[list[object], dict[str, bytes]], tmp_path: Path
) -> None:
    """As when the machine runs out of memory; whatever was lost, the next run completes it."""
    arguments, expected = straight
    with started(*arguments, "--out", tmp_path) as process:
        wait_for(process, tmp_path, "persons-*.parquet", count=2)
        os.kill(workers_of(process.pid)[0], signal.SIGKILL)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, 1), out + err
    assert "Internal error" not in err
    assert "Traceback" not in err
    if process.returncode:
        assert "worker process died" in out + err
    finish(arguments, tmp_path, expected)
