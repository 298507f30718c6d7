"""A companion answers; whatever happens to it, who asks hears of it and can go on asking."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from or_mv_anon.core.companion import Companion, CompanionLostError

ROOT = Path(__file__).resolve().parents[2]


def adding_up() -> Callable[[float], float]:
    """Adds up what it is asked; infinity hangs it, a negative number is an error."""
    total = 0.0

    def answer(number: float) -> float:
        nonlocal total
        if number < 0:
            raise ValueError(f"{number:g} is negative")
        if number == float("inf"):
            time.sleep(60)
        total += number
        return total

    return answer


def failing() -> Callable[[float], float]:
    raise OSError("nothing works")


@contextmanager
def adder(patience_s: float = 30.0) -> Iterator[Companion[float, float]]:
    companion: Companion[float, float] = Companion(adding_up, patience_s=patience_s)
    try:
        yield companion
    finally:
        companion.close()


def test_it_answers_and_an_error_there_is_one_here() -> None:
    with adder() as companion:
        assert companion.ask(1) == 1
        with pytest.raises(RuntimeError, match="ValueError: -3 is negative"):
            companion.ask(-3)
        assert companion.ask(2) == 3


def test_who_is_killed_is_replaced_by_one_that_knows_nothing() -> None:
    with adder() as companion:
        companion.ask(1)
        assert companion.process is not None
        os.kill(companion.process, signal.SIGKILL)
        with pytest.raises(CompanionLostError):
            companion.ask(2)
        assert companion.ask(3) == 3


def test_who_does_not_answer_is_replaced() -> None:
    with adder(patience_s=0.2) as companion:
        with pytest.raises(CompanionLostError):
            companion.ask(float("inf"))
        assert companion.ask(3) == 3


def test_one_that_cannot_begin_says_why_and_is_gone() -> None:
    before = multiprocessing.active_children()
    with pytest.raises(RuntimeError, match="OSError: nothing works"):
        Companion(failing)
    assert multiprocessing.active_children() == before


def test_whoever_ends_without_closing_it_does_not_wait_for_it() -> None:
    script = (
        "from tests.core.test_companion import adding_up; from or_mv_anon.core.companion import Companion\n"
        "if __name__ == '__main__':\n"
        "    companion = Companion(adding_up)\n"
        "    raise SystemExit(3)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60).returncode == 3


@pytest.mark.skipif(sys.platform != "linux", reason="processes end with their parent on Linux alone")
def test_it_ends_with_whoever_started_it_and_ignores_ctrl_c() -> None:
    script = (
        "import os, signal, sys, time; from tests.core.test_companion import adding_up\n"
        "from or_mv_anon.core.companion import Companion\n"
        "if __name__ == '__main__':\n"
        "    companion = Companion(adding_up)\n"
        "    os.kill(companion.process, signal.SIGINT); assert companion.ask(2) == 2\n"
        "    print(companion.process, flush=True); time.sleep(60)\n"
    )
    asking = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert asking.stdout is not None
    process = int(asking.stdout.readline())
    asking.kill()
    asking.wait()
    asking.stdout.close()
    end = time.monotonic() + 30
    while Path(f"/proc/{process}").exists() and "zombie" not in Path(f"/proc/{process}/status").read_text():
        assert time.monotonic() < end
        time.sleep(0.02)
