"""The pool: results and exceptions come back with their jobs, and a dying worker costs one job only."""

import os
import threading
import time
from multiprocessing import connection

import pytest

from or_mv_anon.core.workers import WORKER_DIED, WorkerPool, count_frames


def work(job):
    """Doubles; -1 raises, -2 kills the worker."""
    count_frames()
    if job == -1:
        raise ValueError("minus one")
    if job == -2:
        os._exit(1)
    time.sleep(0.05)
    return 2 * job


def oversleep(job):
    if job:
        time.sleep(1000)


def die_counting(job):
    """Counts without a pause until the process ends in the middle of it."""
    threading.Timer(0.05, os._exit, [1]).start()
    while True:
        count_frames()


def many_frames(log):
    """Writes a line for each of ten thousand frames of 10 ms."""
    if log is None:
        return
    for number in range(10_000):
        with log.open("a") as file:
            file.write(f"{number}\n")
        count_frames()
        time.sleep(0.01)


def test_results_and_failures_come_with_their_jobs():
    with WorkerPool(2) as pool:
        results = dict(pool.run(work, [1, -1, 3], title="test", frames=3))
    assert results[1] == 2
    assert results[3] == 6
    assert isinstance(results[-1], ValueError)


def test_a_dying_worker_costs_its_own_job_only():
    with WorkerPool(2) as pool:
        results = dict(pool.run(work, [1, -2, 3, 4, 5], title="test", frames=5))
        assert str(results.pop(-2)) == WORKER_DIED
        assert results == {1: 2, 3: 6, 4: 8, 5: 10}
        assert dict(pool.run(work, [7], title="next stage", frames=1)) == {7: 14}


def test_a_worker_that_dies_while_it_counts_holds_nobody_up():
    with WorkerPool(2) as pool:
        results = dict(pool.run(die_counting, list(range(5)), title="test", frames=5, at_once=1))
    assert [str(results[job]) for job in range(5)] == [WORKER_DIED] * 5


@pytest.mark.parametrize(("job", "patience"), [(work, 5.0), (oversleep, 0.5)])
def test_no_worker_survives_an_interruption(job, patience):
    """Those that count their frames stop at the next one; those that sleep through the request are killed."""
    processes = []

    def interrupted():
        with WorkerPool(2, patience=patience) as pool:
            for _ in pool.run(job, list(range(50)), title="test", frames=50):
                processes[:] = pool._executor._processes.values()
                if len(processes) == 2:  # the second starts only once the first is busy
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(processes) == 2
    for process in processes:
        assert connection.wait([process.sentinel], timeout=10)


def test_a_stopped_job_ends_at_its_next_frame(tmp_path):
    log = tmp_path / "frames"

    def interrupted():
        with WorkerPool(1) as pool:
            for _ in pool.run(many_frames, [None, log], title="test", frames=10_000, at_once=2):
                while not log.exists():
                    time.sleep(0.01)
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert log.read_text().count("\n") < 5_000
