"""What an endoscope's camera takes instead of a room's stages: judge a segment, then decide over the recording.

They leave regions like a room's cameras, so rendering and audit need no other way.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from or_mv_anon.audit.summary import summarize
from or_mv_anon.core.config import PipelineConfig, config_hash
from or_mv_anon.core.records import Frames, Judgements, Regions, Tracks, Verdicts
from or_mv_anon.core.run_layout import CAMERA_AUDIT, FRAMES, JUDGEMENTS, REGIONS, VERDICTS
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.workers import count_frames
from or_mv_anon.corrections.log import Line
from or_mv_anon.endoscopy.borders import Area
from or_mv_anon.endoscopy.classifier import ROLE, OutOfBodyClassifier
from or_mv_anon.endoscopy.covering import outside_regions, outside_risks
from or_mv_anon.endoscopy.judging import judge_frames, recording_area
from or_mv_anon.endoscopy.settings import EndoscopyConfig, JudgingConfig
from or_mv_anon.endoscopy.smoothing import TwoStateSmoother
from or_mv_anon.models.runtime import Device, Precision
from or_mv_anon.pipeline.artifacts import read_joined
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.corrected import corrected_by, drawn_covers, followed_for, unheeded
from or_mv_anon.pipeline.media import CameraPlan, open_camera, reached_by_damage
from or_mv_anon.pipeline.stage import Stage, Task
from or_mv_anon.pipeline.stages.analyse import ANALYSE, Analysed, flagged_frames
from or_mv_anon.pipeline.stages.place import Placed, placed_files, write_camera_audit, write_regions
from or_mv_anon.pipeline.stages.track import analysed
from or_mv_anon.regions.placing import by_frame
from or_mv_anon.regions.sources.manual import drawn_regions
from or_mv_anon.video.segments import Segment


@dataclass(frozen=True)
class NetworkSettings:
    """Which network runs, and where."""

    path: Path
    device: Device
    precision: Precision


@dataclass(frozen=True)
class JudgeJob:
    """Judge one segment."""

    plan: CameraPlan
    segment: Segment
    network: NetworkSettings
    config: JudgingConfig


def judge(job: JudgeJob) -> Analysed:
    """Judge the frames of a segment and store what the network says of them."""
    started = time.perf_counter()
    plan = job.plan
    classifier = load_network(job.network)
    area = _area(plan, job.config)
    source = open_camera(plan.camera, plan.store, scrutiny="thorough")
    found = judge_frames(source.frames(job.segment), classifier, area, job.config, first=plan.first)
    frames = flagged_frames(plan, job.segment, found.frames, found.flags, source.missing)
    probability = np.full(len(frames), np.nan, np.float32)
    looked = np.zeros(len(frames), bool)
    rows = np.array(found.frames, int) - int(frames.frame[0])
    probability[rows], looked[rows] = found.probabilities, found.looked
    plan.write(FRAMES, frames, job.segment)
    plan.write(JUDGEMENTS, Judgements(frame=frames.frame, probability=probability, looked=looked), job.segment)
    count_frames(len(frames) - len(found.frames))
    return Analysed(time.perf_counter() - started, found.problems, list(source.missing), {ROLE: classifier.provider})


@lru_cache(maxsize=1)
def load_network(settings: NetworkSettings) -> OutOfBodyClassifier:
    """The network, loaded once per process; on one thread, so that the number of workers changes nothing."""
    return OutOfBodyClassifier(settings.path, device=settings.device, precision=settings.precision, threads=1)


@lru_cache(maxsize=4)
def _area(plan: CameraPlan, config: JudgingConfig) -> Area:
    return recording_area(open_camera(plan.camera, plan.store), config, first=plan.first, stop=plan.stop)


@dataclass(frozen=True)
class CoverJob:
    """Decide about every frame of one recording."""

    plan: CameraPlan
    config: PipelineConfig
    endoscopy: EndoscopyConfig
    missing: tuple[int, ...] = ()
    corrections: tuple[Line, ...] = ()


def cover(job: CoverJob) -> Placed:
    """Smooth a recording's probabilities, place the regions, and note what a reviewer should look at."""
    started = time.perf_counter()
    plan, store = job.plan, RunStore(job.plan.store)
    frames, judgements = load_judgements(plan)
    smoothed = TwoStateSmoother(job.endoscopy.smoothing)(judgements.probability, frames.time)
    size = open_camera(plan.camera, plan.store).upright_size
    regions = outside_regions(frames, smoothed.covered, size=size, always=plan.camera.always)
    if job.corrections:
        drawn = drawn_covers(plan, job.corrections)
        theirs = drawn_regions(frames.frame, frames.time, drawn, job.config.manual, size=size)
        regions = by_frame(Regions.concat([regions, theirs]))
    write_regions(plan, regions)
    verdicts = Verdicts(frame=frames.frame, posterior=smoothed.posterior, covered=smoothed.covered)
    plan.write(VERDICTS, verdicts)
    missing = [pts - plan.shift for pts in job.missing]
    risks = outside_risks(
        frames, judgements.probability, smoothed, job.config.risk, size=size, doubt=job.endoscopy.judging.doubt,
        missing_pts=missing,
    )  # fmt: skip
    write_camera_audit(store, plan, summarize(frames, Tracks.empty(), regions, size=size), risks)
    count_frames(len(frames))
    return Placed(time.perf_counter() - started, unheeded(plan, frames, job.corrections, job.config))


def load_judgements(plan: CameraPlan) -> tuple[Frames, Judgements]:
    """All frames of a recording and what was said of them."""
    return reached_by_damage(plan, read_joined(plan, FRAMES)), read_joined(plan, JUDGEMENTS)


class ClassifyStage(Stage):
    """Lets the network look at an endoscope's segments."""

    name = "judge"
    scope = "segment"
    networks = True
    run = staticmethod(judge)
    writes = (FRAMES, JUDGEMENTS)

    def key(self, context: RunContext, plan: CameraPlan) -> str:
        """What its results in a recording rest on."""
        spec = context.spec
        return config_hash(
            context.recording(plan),
            [weights.sha256 for weights in context.weights_for(plan)],
            [spec.endoscopy.judging],
            [spec.device, spec.precision],
        )

    def tasks(self, context: RunContext) -> list[Task]:
        """One per segment."""
        tasks = []
        for plan in context.cameras(self):
            (weights,) = context.weights_for(plan)
            network = NetworkSettings(Path(weights.path), context.spec.device, context.spec.precision)
            key = self.key(context, plan)
            for segment in plan.segments:
                files = [plan.file(table, segment) for table in self.writes]
                job = JudgeJob(plan, segment, network, context.spec.endoscopy.judging)
                stage = plan.stage(ANALYSE.name, segment)
                tasks.append(Task(stage, key, files, job, plan.camera.name, len(segment)))
        return tasks


class DecideStage(Stage):
    """Decides which frames of an endoscope's recording are covered."""

    name = "decide"
    run = staticmethod(cover)
    reads = ClassifyStage.writes
    writes = (VERDICTS, REGIONS, CAMERA_AUDIT)

    def tasks(self, context: RunContext) -> list[Task]:
        """One per recording."""
        tasks = []
        for plan in context.cameras(self):
            # The recording comes first and by itself: rendering alone is refused when it is another one.
            key = f"{context.recording(plan)}:" + config_hash(
                CLASSIFY.key(context, plan),
                [context.spec.endoscopy, context.spec.config.risk],
                [plan.camera.always],
                *corrected_by(context, plan),
            )
            files = [plan.file(VERDICTS), *placed_files(plan)]
            corrections = context.corrections_of(plan)
            missing = context.missing(plan, ANALYSE.name)
            job = CoverJob(plan, context.spec.config, context.spec.endoscopy, missing, corrections)
            facts = {
                "weights": [asdict(weights) for weights in context.weights_for(plan)],
                "corrections": [line.id for line in corrections],
            }
            stage, made_of = plan.stage("place"), [*analysed(plan), *followed_for(context, plan)]
            tasks.append(Task(stage, key, files, job, plan.camera.name, len(plan), facts, made_of))
        return tasks


CLASSIFY = ClassifyStage()
DECIDE = DecideStage()
