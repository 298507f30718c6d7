"""The plan of the time: shorter trainings first, then fewer iterations, never more than there is."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core.budget import SPEED_MARGIN, Budget, IterationPlan, affords_iteration, plan_iterations


def plan(left: float, *, step_s: float = 1.0) -> IterationPlan:
    return plan_iterations(left, 3, analysis_s=100, step_s=step_s, steps=300, least_steps=60)


def test_without_a_limit_everything_is_made() -> None:
    assert plan(math.inf) == IterationPlan(3, 300)
    assert plan(10_000) == IterationPlan(3, 300)


def test_steps_are_cut_before_iterations() -> None:
    assert plan(200 + 3 * 100 * SPEED_MARGIN + 1) == IterationPlan(3, 100)
    assert plan(380) == IterationPlan(2, 127)
    assert plan(10) == IterationPlan(0, 0)


@given(st.floats(0, 5000), st.floats(0.01, 10))
def test_a_plan_fits(left: float, step_s: float) -> None:
    made = plan(left, step_s=step_s)
    assert made.iterations == 0 or (made.iterations - 1) * 100 + made.iterations * made.steps * step_s <= left


def test_a_further_iteration_needs_time_for_labels_and_a_short_training() -> None:
    needed = {"analysis_s": 100, "step_s": 1.0, "least_steps": 60}
    assert affords_iteration(160 * SPEED_MARGIN, **needed)
    assert not affords_iteration(150, **needed)
    assert affords_iteration(math.inf, **needed)


def test_a_budget_runs_down_and_stays_at_zero() -> None:
    now = [0.0]
    budget = Budget(2.0, clock=lambda: now[0])
    now[0] = 90.0
    assert (budget.left, budget.limit) == (30.0, 30.0)
    now[0] = 200.0
    assert budget.left == 0
    assert Budget(None).limit is None
