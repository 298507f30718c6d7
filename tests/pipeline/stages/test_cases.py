"""The stage that lists cases, over what the stages before it stored."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.audit import grouping
from or_mv_anon.audit.cases import Case, read_cases
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.executor import InProcess
from or_mv_anon.core.records import Detections, Regions
from or_mv_anon.core.run_layout import CASES, PERSONS, REGIONS, STATIC_HEADS
from or_mv_anon.core.store import RunStore
from or_mv_anon.corrections.actions import Action, Keyframe, Merge, NotAPerson, Place, Split, Withdraw
from or_mv_anon.corrections.log import append, read
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.runner import run_stages
from or_mv_anon.pipeline.stages.cases import LIST_CASES, CasesStage
from or_mv_anon.pipeline.stages.place import PLACE
from or_mv_anon.pipeline.stages.track import TRACK
from tests.pipeline.stages.test_associate import COUNT, PERSON, RATE, analysed, session_run
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


LEFT, RIGHT = (30.0, 10.0, 45.0, 60.0), (60.0, 10.0, 75.0, 60.0)


@pytest.fixture
def vanishing(
    plans: tuple[CameraPlan, ...], store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> tuple[CameraPlan, ...]:
    """The same cameras; in the first, one person vanishes in mid-picture, and soon afterwards another.

    Seconds of video afford few cases, and what is looked at here is not their order: none falls off the list's end.
    """
    monkeypatch.setattr(grouping, "CASE_S", 0.0)
    monkeypatch.setattr(grouping, "LEAST_LOOK_S", 0.01)
    release(store)
    plan = plans[0]
    frame = np.concatenate([np.arange(9), np.arange(14)])
    box = np.concatenate([np.tile(LEFT, (9, 1)), np.tile(RIGHT, (14, 1))])
    order = np.argsort(frame, kind="stable")
    persons = Detections(frame=frame[order], box=box[order], score=np.full(len(frame), 0.9))
    store.write(plan.file(PERSONS, plan.segments[0]), persons)
    store.write(plans[1].file(STATIC_HEADS, plans[1].segments[0]), Detections.empty())
    vouch(store)
    return plans


def decided(plans: tuple[CameraPlan, ...], store: RunStore, *actions: Action) -> tuple[RunContext, list[Case]]:
    for action in actions:
        append(store.root.parent, action, author="N. Urse")
    return listed(plans, RunStore.open(store.root)), read_cases(RunStore(store.root))


def person(cases: list[Case], track: int) -> int | None:
    """Whose the case about the end of a track's cover in the first camera is."""
    (found,) = (each for each in cases if each.tracks == (("cam0", track),) and "cover_ends" in each.reasons)
    return found.identity


def test_cases_are_of_whom_reviewers_say_until_that_is_withdrawn(
    vanishing: tuple[CameraPlan, ...], store: RunStore
) -> None:
    run, before = decided(vanishing, store)
    assert person(before, 0) is None
    assert person(before, 1) is None
    in_other = Place("cam1", 1.5, PERSON)  # of the session, whose clock is half a second ahead there
    line = append(store.root.parent, Merge((Place("cam0", 1.0, LEFT), in_other)), author="N. Urse")
    run, merged = decided(vanishing, store)
    assert run.problems == []
    assert person(merged, 0) is not None
    assert person(merged, 1) is None
    assert {each.identity for each in merged if each.tracks == (("cam1", 0),)} == {person(merged, 0)}
    _, split = decided(vanishing, store, Split((in_other, Place("cam0", 1.0, LEFT), Place("cam0", 1.0, RIGHT))))
    assert len({person(split, 0), person(split, 1), person(merged, 0)}) == 3
    assert None not in {person(split, 0), person(split, 1)}
    other = read(store.root.parent)[-1]
    _, again = decided(vanishing, store, Withdraw(other.id))
    assert again == merged
    _, none = decided(vanishing, store, Withdraw(line.id))
    assert none == before


def test_who_cannot_be_told_apart_is_said_and_changes_nothing(
    vanishing: tuple[CameraPlan, ...], store: RunStore
) -> None:
    _, before = decided(vanishing, store)
    one_track = Split((Place("cam0", 0.4, LEFT), Place("cam0", 1.0, LEFT)))
    nobody = Merge((Place("cam0", 1.0, LEFT), Place("cam1", 1.0, (80.0, 1.0, 90.0, 9.0))))
    run, after = decided(vanishing, store, one_track, nobody)
    assert after == before
    first, second = run.facts(LIST_CASES.name)["unheeded"]
    assert "one track is at both places" in first
    assert "nobody is followed" in second


def test_who_is_somebody_stays_covered(vanishing: tuple[CameraPlan, ...], store: RunStore) -> None:
    def covered() -> int:
        return len(RunStore(store.root).read(vanishing[0].file(REGIONS, vanishing[0].segments[0]), Regions))

    decided(vanishing, store)
    whole = covered()
    gone = NotAPerson("cam0", 0, (Keyframe(0.0, LEFT), Keyframe(1.6, LEFT)))
    decided(vanishing, store, gone)
    assert covered() < whole
    merge = append(store.root.parent, Merge((Place("cam0", 1.0, LEFT), Place("cam1", 1.0, PERSON))), author="B")
    run, _ = decided(vanishing, store)
    assert covered() == whole
    assert "also decided who" in run.facts("cam0/place")["unheeded"][0]
    decided(vanishing, store, Withdraw(merge.id))
    assert covered() < whole
