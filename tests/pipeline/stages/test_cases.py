"""The stage that lists cases, over what the stages before it stored."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from or_mv_anon.audit.cases import read_cases
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.executor import InProcess
from or_mv_anon.core.records import Detections
from or_mv_anon.core.run_layout import CASES, STATIC_HEADS
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.runner import run_stages
from or_mv_anon.pipeline.stages.cases import LIST_CASES, CasesStage
from or_mv_anon.pipeline.stages.place import PLACE
from or_mv_anon.pipeline.stages.track import TRACK
from tests.pipeline.stages.test_associate import COUNT, RATE, analysed, session_run
from tests.vouching import release, vouch

HEAD = (60.0, 20.0, 70.0, 30.0)
CONFIG = load_config()


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore.open(tmp_path / "stages")


@pytest.fixture
def plans(tmp_path: Path, store: RunStore) -> tuple[CameraPlan, ...]:
    """Two cameras with a person in every frame; in the second a head that nobody covers is found twice."""
    made = tuple(analysed(tmp_path, f"cam{n}", store, offset=0.5 * n) for n in range(2))
    release(store)
    heads = Detections(frame=[10, 15], box=[HEAD, HEAD], score=[0.9, 0.9])
    store.write(made[1].file(STATIC_HEADS, made[1].segments[0]), heads)
    vouch(store)
    return made


def listed(plans: tuple[CameraPlan, ...], store: RunStore, config: object = CONFIG) -> RunContext:
    run = session_run(plans, store, config)  # type: ignore[arg-type]
    for plan in plans:
        store.finish(plan.stage("analyse", plan.segments[0]), "a", files=[])
    run_stages(run, [TRACK, PLACE, LIST_CASES], InProcess())
    return run


def test_a_run_lists_its_cases_on_the_sessions_clock(plans: tuple[CameraPlan, ...], store: RunStore) -> None:
    run = listed(plans, store)
    assert run.problems == []
    cases = read_cases(store)
    (case,) = (each for each in cases if "open_candidate" in each.reasons)
    assert case.cameras == ("cam1",)
    assert case.start <= 10 / RATE + 0.5 + 1e-6 <= case.end or case.start <= 15 / RATE + 0.5 <= case.end
    assert case.boxes["cam1"] == pytest.approx(HEAD)
    assert case.review_s > 1
    assert all(0 <= each.start < each.end <= COUNT / RATE + 0.5 for each in cases)


def test_it_is_not_listed_again_unless_something_changed(plans: tuple[CameraPlan, ...], store: RunStore) -> None:
    listed(plans, store)
    before = (store.root / CASES.file()).stat().st_mtime_ns
    again = listed(plans, RunStore.open(store.root))
    assert again.is_current(LIST_CASES.name)
    assert (store.root / CASES.file()).stat().st_mtime_ns == before
    changed = dataclasses.replace(CONFIG, regions=dataclasses.replace(CONFIG.regions, head_scale=2.0))
    listed(plans, RunStore.open(store.root), changed)
    assert (store.root / CASES.file()).stat().st_mtime_ns != before


def test_the_same_run_lists_the_same_cases(plans: tuple[CameraPlan, ...], store: RunStore) -> None:
    listed(plans, store)
    first = read_cases(store)
    (store.root / CASES.file()).unlink()
    listed(plans, RunStore.open(store.root))
    assert read_cases(RunStore(store.root)) == first
    assert len({case.id for case in first}) == len(first)


@pytest.mark.parametrize("error", [UserError("The disk is full."), ValueError("shapes")], ids=["user", "bug"])
def test_a_failure_costs_no_camera_and_is_told(
    plans: tuple[CameraPlan, ...], store: RunStore, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(CasesStage, "run", staticmethod(fail))
    run = listed(plans, store)
    assert run.healthy == list(plans)
    (problem,) = run.problems
    assert "look at everything" in problem
    assert str(error) in problem
    with pytest.raises(UserError):
        read_cases(store)


def test_a_session_without_any_regions_has_no_list(plans: tuple[CameraPlan, ...], store: RunStore) -> None:
    assert LIST_CASES.tasks(session_run(plans, store)) == []
