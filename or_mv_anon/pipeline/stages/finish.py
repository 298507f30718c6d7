"""Joins one camera's rendered segments into its output, checks it, and puts it in place."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from or_mv_anon.core.run_layout import VIDEO
from or_mv_anon.core.workers import count_frames
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan, discard_leftovers, join, open_camera
from or_mv_anon.pipeline.stage import Stage, Task
from or_mv_anon.pipeline.stages.render import RENDER
from or_mv_anon.video.sound import is_lost


@dataclass(frozen=True)
class FinishJob:
    """Join one camera's segments into its output."""

    plan: CameraPlan
    audio: bool
    missing: tuple[int, ...] = field(default=())


@dataclass(frozen=True)
class Finished:
    """What a `FinishJob` reports."""

    seconds: float
    notes: list[str]
    left_out: list[str]  # sentences about sound that is missing although it was asked for


def finish(job: FinishJob) -> Finished:
    """Join and check the output; the main process puts it in place when its hash is known."""
    started = time.perf_counter()
    plan = job.plan
    pts = open_camera(plan.camera, plan.store).pts[plan.first : plan.stop]
    expected = pts[~np.isin(pts, job.missing)] - plan.shift
    notes = join(plan, expected, audio=job.audio)
    count_frames(len(pts))
    lost = [note for note in notes if is_lost(note)]
    return Finished(time.perf_counter() - started, [note for note in notes if note not in lost], lost)


class FinishStage(Stage):
    """Makes the outputs."""

    name = "finish"
    run = staticmethod(finish)
    reads = (VIDEO,)

    def done(self, context: RunContext, plan: CameraPlan) -> bool:
        """Whether a camera's output is in place, made from these very inputs and settings, and as it was then."""
        return RENDER.done(context, plan)

    def tasks(self, context: RunContext) -> list[Task]:
        """One per camera."""
        tasks = []
        for plan in context.cameras(self):
            if self.done(context, plan):
                continue
            task = Task(
                plan.stage(self.name),
                RENDER.finish_key(context, plan),
                [plan.output],
                FinishJob(plan, context.spec.audio, context.missing(plan)),
                plan.camera.name,
                len(plan),
                made_of=[plan.stage(RENDER.name, segment) for segment in plan.segments],
                moved={plan.output: plan.joined_file},
            )
            tasks.append(task)
        return tasks

    def after(self, context: RunContext) -> None:
        """Remove what was only needed until the outputs were in place.

        Rendered segments stay, so that a correction costs only those that it touches; uncovered ones go.
        """
        for plan in context.cameras(self):
            if self.done(context, plan):
                discard_leftovers(plan, segments=context.spec.method == "none")


FINISH = FinishStage()
