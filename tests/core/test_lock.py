"""One run at a time in an output folder; a run that is gone stops nobody."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.lock import CLAIM, NOTE, held, hold
from or_mv_anon.core.workers import WorkerPool

HOLDER = """
import sys, time
from pathlib import Path
from or_mv_anon.core.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that holds `out`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "out"), "--secret\x1b[2J"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_and_told_whose_the_folder_is(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with (
        pytest.raises(UserError, match=f"process {holder.pid} on .* started 20.*choose another folder") as told,
        hold(tmp_path / "out"),
    ):
        pass
    assert "\x1b" not in str(told.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_killed_run_stops_nobody(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "out" / NOTE).exists()
    with hold(tmp_path / "out"):
        assert json.loads((tmp_path / "out" / NOTE).read_text())["pid"] == os.getpid()
    assert list((tmp_path / "out").iterdir()) == [], "nothing of the lock stays"


def test_the_same_run_may_hold_a_folder_twice(tmp_path: Path) -> None:
    with hold(tmp_path), hold(tmp_path / "." / "x" / ".."):
        assert len(held()) == 1
    assert held() == []


def test_a_folder_that_is_only_read_is_not_made(tmp_path: Path) -> None:
    with hold(tmp_path / "none", make=False):
        assert held() == []
    assert not (tmp_path / "none").exists()


def sleep(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def test_the_folder_is_free_when_the_last_worker_has_ended(tmp_path: Path) -> None:
    """A worker may live a moment longer than the process that started it, and writes until then."""
    with hold(tmp_path):
        with WorkerPool(1) as pool:
            ((_, worker),) = pool.run(sleep, [0.0], title="", frames=0)
            (descriptor,) = held()
            targets = [os.readlink(entry) for entry in Path(f"/proc/{worker}/fd").iterdir()]
        assert os.readlink(f"/proc/self/fd/{descriptor}") in targets


def test_without_locks_a_note_keeps_others_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with hold(tmp_path):
        assert "without locks" in capsys.readouterr().out
        held_by = dict(json.loads((tmp_path / CLAIM).read_text()))
        assert held_by["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / CLAIM).write_text("left behind by a killed run")
    with pytest.raises(UserError, match=f"remove .*{CLAIM}"), hold(tmp_path):
        pass


def test_a_run_that_is_refused_leaves_no_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to do"), hold(tmp_path / "out"):
        raise UserError("There is nothing to do.")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file"), hold(tmp_path / "file" / "out"):
        pass
