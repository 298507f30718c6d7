"""The example for SLURM: which room a job takes, what it starts, and that a preempted job stops and is queued again.

SLURM and Ray are stand-ins that write down how they were called.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "slurm.sh"
STUBS = {
    "srun": 'while [ "$1" != ray ]; do shift; done; exec "$@"',
    "ray": 'echo "ray $*" >>"$LOG"; [ "$1" = status ] || exec sleep 60',
    "scontrol": 'echo "scontrol $*" >>"$LOG"; [ "$1" != show ] || printf "%s\\n" "$(hostname)" other',
    "or-mv-anon": 'echo "or-mv-anon $*" >>"$LOG"; trap "exit 143" TERM; '
    '[ -z "${QUICK:-}" ] || exit 0; while :; do sleep 0.1; done',
}


@pytest.fixture
def job(tmp_path: Path) -> dict[str, str]:
    """The environment of a job, with three rooms to do."""
    for room in ("c", "a", "b"):
        (tmp_path / "rooms" / room).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name, text in STUBS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "log").touch()
    return {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path), "LOG": str(tmp_path / "log"),
        "SLURM_JOB_ID": "17", "SLURM_JOB_NODELIST": "x[1-2]", "SLURM_CPUS_PER_TASK": "16",
    }  # fmt: skip


def command(folder: Path) -> list[str]:
    return ["bash", str(SCRIPT), str(folder / "rooms"), str(folder / "out"), "--crf", "24"]


def test_a_job_takes_the_room_of_its_number(job: dict[str, str], tmp_path: Path) -> None:
    environment = {**job, "QUICK": "1", "SLURM_ARRAY_TASK_ID": "2"}
    done = subprocess.run(command(tmp_path), env=environment, timeout=60, check=False, start_new_session=True)
    assert done.returncode == 0
    told = (tmp_path / "log").read_text()
    ran = next(line for line in told.splitlines() if line.startswith("or-mv-anon"))
    assert f"--videos {tmp_path}/rooms/b --out {tmp_path}/out/b --executor ray --address" in ran
    assert ran.endswith("--crf 24")
    starts = [line for line in told.splitlines() if line.startswith("ray start")]
    assert len(starts) == 2
    assert all("--disable-usage-stats" in line for line in starts)
    assert sum("--include-dashboard=false" in line for line in starts) == 1
    assert list(tmp_path.glob(".or-mv-anon-*")) == []


def test_a_preempted_job_stops_and_is_queued_again(job: dict[str, str], tmp_path: Path) -> None:
    process = subprocess.Popen(command(tmp_path), env=job, start_new_session=True)
    deadline = time.monotonic() + 60
    while "or-mv-anon" not in (tmp_path / "log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)  # until it waits
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert "scontrol requeue 17" in (tmp_path / "log").read_text()


def test_a_number_without_a_room_is_refused(job: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path), env={**job, "SLURM_ARRAY_TASK_ID": "4"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.strip().endswith("has no room number 4.")
