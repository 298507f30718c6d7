"""Ctrl-C, SIGTERM, SIGHUP and a reader that goes away: one sentence or none, the right code, nobody left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from or_mv_anon.core.stopping import Requests

ROOT = Path(__file__).resolve().parents[2]
TOOLS = sorted((ROOT / "tools").glob("*.py"))
PATIENCE = 120  # seconds
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
PROGRAM = """
import sys, time
from or_mv_anon.cli import guarded
def job():
    try:
        print("ready", flush=True)
        time.sleep(100)
    finally:
        {tidy}
sys.exit(guarded(job))
"""


def _as_from_a_terminal() -> None:
    """A test runner in the background passes on that it ignores signals; a terminal does not."""
    for number in CODES:
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def started(*command: object, prepare: object = _as_from_a_terminal) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=prepare, cwd=ROOT,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("number", list(CODES))
def test_each_signal_unwinds_and_says_one_sentence(number: int) -> None:
    with started("-c", PROGRAM.format(tidy="print('tidied', flush=True)")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == CODES[signal.Signals(number)]
    assert out == "tidied\n"
    assert len(err.splitlines()) == 1, err
    assert "run the same command again" in err


def test_a_request_where_python_drops_exceptions_is_not_lost() -> None:
    program = """
import sys, time, weakref
from or_mv_anon.cli import guarded
class Thing:
    pass
def forgotten(_):
    print("ready", flush=True)
    time.sleep(100)
def job():
    thing = Thing()
    kept = weakref.ref(thing, forgotten)
    del thing
    print("went on", flush=True)
    time.sleep(100)
sys.exit(guarded(job))
"""
    with started("-c", program) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert len(err.splitlines()) == 1, err


def test_the_same_request_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `timeout` and terminals that are closed send it: to the process, and to its group."""
    now, ended = [100.0], []
    monkeypatch.setattr("or_mv_anon.core.stopping.time.monotonic", lambda: now[0])
    monkeypatch.setattr("or_mv_anon.core.stopping.end_at_once", ended.append)
    requests = Requests()
    answers = []
    for wait in (0.0, 0.0, 0.3, 0.4):
        now[0] += wait
        answers.append(requests.is_first(signal.SIGTERM))
    assert answers == [True, False, False, False]
    assert ended == [signal.SIGTERM]


def test_a_second_one_ends_it_at_once() -> None:
    with started("-c", PROGRAM.format(tidy="print('tidying', flush=True); time.sleep(100)")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "tidying\n"
        time.sleep(0.7)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_what_was_ignored_from_the_start_stays_ignored() -> None:
    """As under nohup."""

    def hangup_ignored() -> None:
        _as_from_a_terminal()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with started("-c", PROGRAM.format(tidy="pass"), prepare=hangup_ignored) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 143


@pytest.mark.parametrize("tool", TOOLS, ids=lambda path: path.stem)
def test_ctrl_c_while_a_tool_is_loading(tool: Path) -> None:
    with started(tool, "--help") as process:
        deadline = time.monotonic() + PATIENCE
        while not signal_handled(process.pid, signal.SIGTERM) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err, err
    assert process.returncode in (130, 0)


def signal_handled(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    with contextlib.suppress(OSError):
        for line in (Path("/proc") / str(pid) / "status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


@pytest.mark.parametrize("arguments", [["weights", "list"], ["--help"], ["anonymize", "--help"]], ids=" ".join)
def test_a_reader_that_goes_away(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    program = f"import sys; from or_mv_anon.cli import main; sys.exit(main({arguments!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT
    )
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 141
