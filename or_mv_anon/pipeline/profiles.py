"""The lists of stages that cameras go through: a camera's kind names one, and rendering alone is another."""

from __future__ import annotations

from contextlib import nullcontext

from or_mv_anon.core.executor import Executor
from or_mv_anon.core.workers import WorkerPool
from or_mv_anon.pipeline.context import Profiles, RunContext
from or_mv_anon.pipeline.plan import SessionPlan
from or_mv_anon.pipeline.runner import run_stages
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.stage import Stage
from or_mv_anon.pipeline.stages.analyse import ANALYSE
from or_mv_anon.pipeline.stages.associate import ASSOCIATE
from or_mv_anon.pipeline.stages.attack import ATTACK
from or_mv_anon.pipeline.stages.cases import LIST_CASES
from or_mv_anon.pipeline.stages.endoscope import CLASSIFY, DECIDE
from or_mv_anon.pipeline.stages.finish import FINISH
from or_mv_anon.pipeline.stages.follow import FOLLOW
from or_mv_anon.pipeline.stages.hash import HASH
from or_mv_anon.pipeline.stages.place import PLACE, require_placed
from or_mv_anon.pipeline.stages.render import RENDER
from or_mv_anon.pipeline.stages.track import TRACK

PROFILES: Profiles = {
    "room": (HASH, ANALYSE, TRACK, ASSOCIATE, FOLLOW, PLACE, LIST_CASES, RENDER, FINISH, ATTACK),
    "endoscope": (HASH, CLASSIFY, FOLLOW, DECIDE, LIST_CASES, RENDER, FINISH),
}
LOOKING: tuple[Stage, ...] = (HASH, ANALYSE, CLASSIFY, FOLLOW, DECIDE, TRACK, ASSOCIATE, PLACE)
"""From the recordings to the regions."""
COVERING: tuple[Stage, ...] = (LIST_CASES, RENDER, FINISH, ATTACK)
"""From the regions to what is to be reviewed, and to the outputs."""


def new_context(plan: SessionPlan, spec: RunSpec) -> RunContext:
    """A session's run before its first stage."""
    return RunContext(plan, spec, PROFILES)


def run_session(
    context: RunContext, *, render: bool = True, render_only: bool = False, executor: Executor | None = None
) -> None:
    """Run what is not done yet.

    Args:
        context: of the session.
        render: False ends with the regions.
        render_only: take the regions of an earlier run.
        executor: where jobs run, already entered; None for this machine.

    Raises:
        UserError: `render_only` without an earlier run's regions.
    """
    with WorkerPool(context.workers) if executor is None else nullcontext(executor) as place:
        if render_only:
            run_stages(context, (HASH,), place)
            require_placed(context)
        else:
            run_stages(context, LOOKING, place)
        if render:
            run_stages(context, COVERING, place)
