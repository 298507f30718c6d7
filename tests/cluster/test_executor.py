"""Jobs on a real Ray: results, failures, machines that come and go, and nothing told to anybody."""

from __future__ import annotations

import ipaddress
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="could not import 'ray'")

from or_mv_anon.cluster.executor import DEATHS, RayExecutor
from or_mv_anon.core.listening import Caller, Progress, heard_by
from or_mv_anon.core.workers import WORKER_DIED, count_frames


@dataclass(frozen=True)
class Attempted:
    """A job that leaves a line for every attempt at it."""

    log: Path
    number: int


def work(number: int) -> int:
    """Doubles; -1 raises."""
    if number == -1:
        raise ValueError("minus one")
    return 2 * number


def poison(job: Attempted) -> int:
    with job.log.open("a") as log:
        log.write(f"{job.number}\n")
    if job.number < 0:
        os._exit(1)
    return job.number


def many_frames(log: Path, frames: int = 400) -> None:
    for number in range(frames):
        with log.open("a") as file:
            file.write(f"{number}\n")
        count_frames()
        time.sleep(0.01)


def far_too_many_frames(log: Path) -> None:
    many_frames(log, 1_000_000)


def environment(_: int) -> dict[str, str]:
    return dict(os.environ)


@pytest.fixture(scope="module")
def ray_here() -> Iterator[RayExecutor]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with RayExecutor(workers=2) as executor:
        assert {number: signal.getsignal(number) for number in before} == before
        yield executor


def run(executor: RayExecutor, function: Any, jobs: list[Any], **options: Any) -> dict[Any, Any]:
    return dict(executor.run(function, jobs, **{"title": "test", "frames": len(jobs), **options}))


def test_results_and_failures_come_with_their_jobs(ray_here: RayExecutor) -> None:
    results = run(ray_here, work, [1, -1, *range(2, 12)])
    assert isinstance(results.pop(-1), ValueError)
    assert results == {number: 2 * number for number in range(1, 12)}


def test_a_job_that_kills_its_worker_is_given_up_alone(ray_here: RayExecutor, tmp_path: Path) -> None:
    log = tmp_path / "attempts"
    jobs = [Attempted(log, number) for number in (1, -2, 3)]
    results = {job.number: result for job, result in run(ray_here, poison, jobs).items()}
    assert str(results.pop(-2)) == WORKER_DIED
    assert results == {1: 1, 3: 3}
    assert log.read_text().split().count("-2") == DEATHS


def test_progress_is_heard(ray_here: RayExecutor, tmp_path: Path) -> None:
    heard: list[Progress] = []
    with heard_by(Caller(heard.append)):
        run(ray_here, many_frames, [tmp_path / "log"], frames=400)
    assert any(0 < progress.done < 400 for progress in heard)
    assert heard[-1].done == 400


def test_nothing_listens_beyond_this_machine_and_nothing_is_reported(ray_here: RayExecutor) -> None:
    places = listening(descendants(os.getpid()))
    assert len(places) > 3
    assert [place for place in places if not place.startswith(("127.", "::ffff:127.", "::1"))] == []
    assert next(iter(run(ray_here, environment, [0]).values()))["RAY_USAGE_STATS_ENABLED"] == "0"


def test_an_interrupted_run_leaves_nothing_running(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = (
        "import sys; from pathlib import Path; from or_mv_anon.cluster.executor import RayExecutor\n"
        "from tests.cluster.test_executor import far_too_many_frames\n"
        "from or_mv_anon.core.stopping import stopping\n"
        "with stopping(), RayExecutor(workers=1) as executor:\n"
        f"    list(executor.run(far_too_many_frames, [Path({str(log)!r})], title='test', frames=400))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL, start_new_session=True)
    while not log.exists():
        assert process.poll() is None
        time.sleep(0.05)
    family = descendants(process.pid)
    assert len(family) > 3
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) != 0
    seen = log.read_text()
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []
    assert log.read_text() == seen


def descendants(pid: int) -> list[int]:
    """Processes that a process started, and those that these started."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def listening(pids: list[int]) -> list[str]:
    """Addresses at which processes listen."""
    inodes = set()
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                inodes.add(os.readlink(entry))
            except OSError:
                continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.append(_address(fields[1].split(":")[0]))
    return found


def _address(text: str) -> str:
    raw = bytes.fromhex(text)
    turned = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    address = ipaddress.ip_address(turned)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(address if mapped is None else mapped)
