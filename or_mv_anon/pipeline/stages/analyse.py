"""The first pass over the pixels of one segment of one camera: what every source of regions notes of its frames."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from or_mv_anon.core.config import PipelineConfig, config_hash
from or_mv_anon.core.records import FrameFlag, Frames
from or_mv_anon.core.run_layout import FRAMES
from or_mv_anon.core.workers import count_frames
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.pipeline.stage import Stage, Task
from or_mv_anon.pipeline.weights import network_files
from or_mv_anon.regions.networks import NetworkFiles, load_networks
from or_mv_anon.regions.observe import Observations, observe_frames, plan_schedule
from or_mv_anon.regions.registry import observed_tables, sections
from or_mv_anon.video.segments import Segment


@dataclass(frozen=True)
class AnalyseJob:
    """Find people in one segment."""

    plan: CameraPlan
    segment: Segment
    networks: NetworkFiles
    config: PipelineConfig


@dataclass(frozen=True)
class Analysed:
    """What an `AnalyseJob` reports: seconds of work, what went wrong, which engine ran each network, what it saw."""

    seconds: float
    problems: list[str]
    missing: list[int]
    providers: dict[str, str]
    moving: list[tuple[float, float]] = field(default_factory=list)
    colour: float = 0.0


def analyse(job: AnalyseJob) -> Analysed:
    """Let every source look at a segment, and store what they note."""
    started = time.perf_counter()
    networks = load_networks(job.networks, job.config)
    source = open_camera(job.plan.camera, job.plan.store, scrutiny="thorough")
    schedule = plan_schedule(source.times, job.config, first=job.plan.first, stop=job.plan.stop)
    frames = source.frames(job.segment, wanted=schedule.any)
    found = observe_frames(frames, networks, schedule, job.config, first=job.plan.first, done=count_frames)
    _store(job, found, source.missing)
    count_frames(len(job.segment) - len(found.frames))
    seconds = time.perf_counter() - started
    shift = float(job.plan.shift * source.time_base)
    moving = [(start - shift, stop - shift) for start, stop in found.moving]
    return Analysed(seconds, found.problems, list(source.missing), networks.providers, moving, found.colour)


def _store(job: AnalyseJob, found: Observations, missing: list[int]) -> None:
    plan, segment = job.plan, job.segment
    plan.write(FRAMES, flagged_frames(plan, segment, found.frames, found.flags, missing), segment)
    for table in observed_tables():
        plan.write(table, found.table(table), segment)


def flagged_frames(
    plan: CameraPlan, segment: Segment, numbers: Sequence[int], flags: Sequence[int], missing: Sequence[int]
) -> Frames:
    """All frames that a segment should have; those that could not be decoded count as failed and damaged.

    Args:
        plan: the camera's.
        segment: which part.
        numbers: frames that were looked at.
        flags: what happened to each of them.
        missing: the source's timestamps of frames that could not be decoded.
    """
    frames = _every_frame(plan)[segment.first - plan.first : segment.stop - plan.first]
    flag = np.where(np.isin(frames.pts + plan.shift, missing), int(FrameFlag.FAILED | FrameFlag.CORRUPT), 0)
    flag[np.array(numbers, int) - int(frames.frame[0])] = flags
    return frames.replace(flags=flag)


def _every_frame(plan: CameraPlan) -> Frames:
    """All frames that the processed part should have, on the output's clock, without any flag."""
    source = open_camera(plan.camera, plan.store)
    pts = source.pts[plan.first : plan.stop] - plan.shift
    return Frames(
        frame=np.arange(len(pts)),
        pts=pts,
        time=pts * float(source.time_base),
        flags=np.zeros(len(pts)),
    )


class AnalyseStage(Stage):
    """Lets every source of regions look at a room's cameras."""

    name = "analyse"
    scope = "segment"
    networks = True
    run = staticmethod(analyse)
    writes = (FRAMES, *observed_tables())

    def key(self, context: RunContext, plan: CameraPlan) -> str:
        """What its results in a camera rest on."""
        spec = context.spec
        return config_hash(
            context.recording(plan),
            [weights.sha256 for weights in context.weights_for(plan)],
            [*sections(spec.config, "observes_by"), spec.config.verdict.least_change],
            [*(table.name for table in self.writes), *(field.name for field in fields(Analysed))],
            [spec.device, spec.precision],
        )

    def tasks(self, context: RunContext) -> list[Task]:
        """One per segment."""
        tasks = []
        for plan in context.cameras(self):
            networks = network_files(context.weights_for(plan), context.spec.engine(threads=context.threads))
            key = self.key(context, plan)
            for segment in plan.segments:
                files = [plan.file(table, segment) for table in self.writes]
                job = AnalyseJob(plan, segment, networks, context.spec.config)
                tasks.append(Task(plan.stage(self.name, segment), key, files, job, plan.camera.name, len(segment)))
        return tasks


ANALYSE = AnalyseStage()
