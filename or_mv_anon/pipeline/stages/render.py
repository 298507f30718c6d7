"""The second pass over the pixels: a segment is covered, encoded and checked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from or_mv_anon.core.config import PipelineConfig, config_hash
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained
from or_mv_anon.core.run_layout import REGIONS, VIDEO
from or_mv_anon.core.seals import same_content, signature
from or_mv_anon.operators.cells import Method
from or_mv_anon.operators.drawn.operator import LearnedOperator, LearnedSettings, load_learned
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.covering import RegionsByFrame, Rendered, render_segment
from or_mv_anon.pipeline.learned_method import Learned
from or_mv_anon.pipeline.media import CameraPlan, discard, open_camera, open_writer, read_back, set_aside
from or_mv_anon.pipeline.stage import Stage, Task
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.segments import Segment


@dataclass(frozen=True)
class RenderJob:
    """Cover and encode one segment."""

    plan: CameraPlan
    segment: Segment
    method: Method
    config: PipelineConfig
    threads: int
    learned: LearnedSettings | None = None  # draws heads over what `method` covers


@dataclass(frozen=True)
class RenderedSegment:
    """What a `RenderJob` reports.

    Attributes:
        seconds: of work.
        result: what happened to the frames.
        missing: timestamps of frames that could not be decoded.
        provider: the engine that drew heads, if any did.
    """

    seconds: float
    result: Rendered
    missing: list[int]
    provider: str = ""


def render(job: RenderJob) -> RenderedSegment:
    """Cover, encode and check a segment."""
    started = time.perf_counter()
    plan = job.plan
    source = open_camera(plan.camera, plan.store)
    path, checked = plan.store / plan.segment_file(job.segment), None

    def finished_file() -> Iterator[Frame]:
        nonlocal checked
        checked = signature(path)
        return read_back(plan, job.segment)

    regions = plan.read(REGIONS, job.segment)
    networks = None if job.learned is None else load_learned(job.learned, job.config.learned)
    drawer = None if networks is None else partial(LearnedOperator, networks, job.config.operators, job.config.learned)
    try:
        result = render_segment(
            lambda: source.frames(job.segment),
            lambda: open_writer(plan, job.segment, job.config.video, threads=job.threads),
            finished_file,
            RegionsByFrame(regions, first=plan.first),
            job.method,
            job.config.operators,
            drawer=drawer,
        )
        if checked is None or not same_content(checked, path):
            raise UserError(f"{path} changed while it was checked; find out what else writes there, and run again.")
    except BaseException:
        discard(path)  # nothing that failed its check stays
        raise
    provider = "" if networks is None else networks.modifier.provider
    return RenderedSegment(time.perf_counter() - started, result, sorted(set(source.missing)), provider)


class RenderStage(Stage):
    """Covers the regions of every segment, as long as the camera's output is not there."""

    name = "render"
    scope = "segment"
    run = staticmethod(render)
    reads = (REGIONS,)
    writes = (VIDEO,)

    def key(self, context: RunContext, plan: CameraPlan, segment: Segment) -> str:
        """What its result in a segment rests on: the recording, the segment's own regions, and how it is covered."""
        spec, drawn = context.spec, []
        if (learned := self._learned(context, plan)) is not None:
            networks = [weights.sha256 for weights in learned.weights]
            drawn = [spec.config.learned, networks, spec.device, spec.precision]
        return config_hash(
            context.recording(plan),
            context.store.files(plan.stage("place"))[plan.file(REGIONS, segment)].sha256,
            [spec.operator, spec.config.operators, spec.config.video],
            plan.encoding,
            *drawn,
        )

    def finish_key(self, context: RunContext, plan: CameraPlan) -> str:
        """What the joined output of a camera rests on."""
        keys = [self.key(context, plan, segment) for segment in plan.segments]
        return config_hash(keys, context.spec.audio, plan.destination.name)

    def done(self, context: RunContext, plan: CameraPlan) -> bool:
        """Whether a camera's output is in place, made from these very inputs and settings, and as it was then."""
        placed = context.is_current(plan.stage("place"))
        return placed and context.store.trusted(plan.stage("finish"), self.finish_key(context, plan))

    def tasks(self, context: RunContext) -> list[Task]:
        """One per segment."""
        tasks = []
        for plan in context.cameras(self):
            if self.done(context, plan):
                continue
            _make_room(context, plan)
            learned = self._learned(context, plan)
            settings = None if learned is None else learned.settings
            for segment in plan.segments:
                job = RenderJob(plan, segment, context.spec.operator, context.spec.config, context.threads, settings)
                key, stage = self.key(context, plan, segment), plan.stage(self.name, segment)
                files, made_of = [plan.segment_file(segment)], [plan.file(REGIONS, segment)]
                tasks.append(Task(stage, key, files, job, plan.camera.name, len(segment), made_of=made_of))
        return tasks

    def _learned(self, context: RunContext, plan: CameraPlan) -> Learned | None:
        """An endoscope's pictures are covered whole, so there is nothing to draw."""
        return context.spec.learned if plan.camera.kind == "room" else None


def _make_room(context: RunContext, plan: CameraPlan) -> None:
    """Take what is in the output's place away, once nothing vouches for it."""
    own = context.store.owns(plan.output)
    context.store.withdraw([plan.stage("finish")])
    with explained(plan.destination):
        if sentence := set_aside(plan, own=own):
            context.problems.append(sentence)


RENDER = RenderStage()
