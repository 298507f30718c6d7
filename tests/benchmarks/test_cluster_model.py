"""The model of many machines keeps to what can be counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.cluster_model import Load, Machines, simulate, stage_ms

LOAD = Load(
    rooms=4, cameras=2, hours=0.5, fps=10.0, mbit=8.0, segment_s=30.0, ms={"analyse": 50.0, "render": 20.0},
    dispatch_s=0.0, at_once=4, drivers=4,
)  # fmt: skip
PLENTY = Machines(nodes=1, cores=2, storage=1e12, stream=1e12)
WORK_S = 4 * 2 * 1800 * 10 * 0.07  # rooms, cameras, seconds, frames, a thread's seconds per frame


def test_few_cores_take_as_long_as_there_is_work() -> None:
    found = simulate(LOAD, PLENTY)
    assert found.hours * 3600 == pytest.approx(WORK_S / 2, rel=0.01)
    assert found.first == "cores"
    assert found.cores > 0.99


def test_more_nodes_help_until_the_storage_is_full() -> None:
    storage = 50e6
    slow = replace(PLENTY, storage=storage)
    few, many = simulate(LOAD, slow), simulate(LOAD, replace(slow, nodes=50))
    assert many.hours < few.hours
    moved = 4 * 2 * 1800 * 1e6 * (3 + 5)  # read three times by tasks, written and read five times
    assert many.hours * 3600 >= 0.99 * moved / storage
    assert many.first == "storage"


def test_a_starting_machine_that_dispatches_slowly_is_told() -> None:
    found = simulate(replace(LOAD, dispatch_s=5.0, drivers=1), replace(PLENTY, nodes=100))
    assert found.first == "starting machine"


def test_a_profile_is_added_up_by_stage() -> None:
    rows = [{"stage": "render", "ms": 2.0}, {"stage": "render", "ms": 3.0}, {"stage": "track", "ms": 1.0}]
    assert stage_ms({"rows": rows}) == {"render": 5.0, "track": 1.0}
