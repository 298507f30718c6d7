"""Several sessions as one list: every one has a status, and they go on without one that fails."""

from __future__ import annotations

import io
import json
import threading

import pytest

from or_mv_anon.core.executor import InProcess
from or_mv_anon.core.listening import JsonLines, Status, heard_by, tell
from or_mv_anon.core.workers import Stopped
from or_mv_anon.pipeline.sessions import run_sessions

NAMES = ("monday", "tuesday", "wednesday")


def judge(outcome: int) -> Status:
    return "done" if outcome < 20 else "problems"


def events(text: str, kind: str) -> list[dict[str, object]]:
    return [event for line in text.splitlines() if (event := json.loads(line))["event"] == kind]


@pytest.mark.parametrize("executor", [None, InProcess()])
def test_outcomes_come_in_order_and_every_status_is_told(executor: InProcess | None) -> None:
    out = io.StringIO()
    with heard_by(JsonLines(out)):
        assert run_sessions(NAMES, lambda number: 10 * number, judge=judge, executor=executor) == [0, 10, 20]
    told = [(event["session"], event["status"]) for event in events(out.getvalue(), "session")]
    assert told[:3] == [(name, "waiting") for name in NAMES]
    assert {name: [status for one, status in told if one == name][1:] for name in NAMES} == {
        "monday": ["running", "done"],
        "tuesday": ["running", "done"],
        "wednesday": ["running", "problems"],
    }


def test_on_a_cluster_sessions_go_at_once_and_say_whose_sentence_it_is() -> None:
    out = io.StringIO()
    together = threading.Barrier(len(NAMES), timeout=20)

    def run(number: int) -> int:
        together.wait()  # none of them passes unless all are here
        tell(f"sentence {number}")
        return number

    with heard_by(JsonLines(out)):
        run_sessions(NAMES, run, judge=judge, executor=InProcess())
    said = {event["text"] for event in events(out.getvalue(), "said")}
    assert said == {f"[{name}] sentence {number}" for number, name in enumerate(NAMES)}


def test_an_error_that_is_no_sessions_own_stops_all() -> None:
    stopped = threading.Event()

    class Cluster(InProcess):
        def stop(self) -> None:
            stopped.set()

    def run(number: int) -> int:
        if number == 0:
            raise RuntimeError("a bug")
        assert stopped.wait(20)
        raise Stopped

    with pytest.raises(RuntimeError, match="a bug"):
        run_sessions(NAMES, run, judge=judge, executor=Cluster())
