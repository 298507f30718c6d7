"""The pool: results and exceptions come back with their jobs, and a dying worker costs one job only."""

import os
import time

import pytest

from or_mv_anon.workers import WORKER_DIED, WorkerPool, count_frames


def work(job):
    """Doubles; -1 raises, -2 kills the worker."""
    count_frames()
    if job == -1:
        raise ValueError("minus one")
    if job == -2:
        os._exit(1)
    time.sleep(0.05)
    return 2 * job


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


def test_no_worker_survives_an_interruption():
    processes = []

    def interrupted():
        with WorkerPool(2) as pool:
            for _ in pool.run(work, list(range(50)), title="test", frames=50):
                processes.extend(pool._executor._processes.values())
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(processes) == 2
    assert not any(process.is_alive() for process in processes)
