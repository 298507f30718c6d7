"""What an endoscope's camera takes instead of a room's stages: judge a segment, then decide over the recording.

They leave the same tables as the stages of a room's cameras, so rendering, audit and evaluation need no other way.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from or_mv_anon.audit.summary import summarize
from or_mv_anon.core.config import PipelineConfig, config_hash
from or_mv_anon.core.records import Column, Columns, Detections, Frames, Keypoints, Tracks
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.workers import count_frames
from or_mv_anon.endoscopy.borders import Area
from or_mv_anon.endoscopy.classifier import ROLE, OutOfBodyClassifier
from or_mv_anon.endoscopy.covering import outside_regions, outside_risks
from or_mv_anon.endoscopy.judging import Judgements, judge_frames, recording_area
from or_mv_anon.endoscopy.settings import EndoscopyConfig, JudgingConfig
from or_mv_anon.endoscopy.smoothing import TwoStateSmoother
from or_mv_anon.models.runtime import Device, Precision
from or_mv_anon.pipeline.media import CameraPlan, open_camera, reached_by_damage
from or_mv_anon.pipeline.stage import Task
from or_mv_anon.pipeline.stages.pixels import Analysed, flagged_frames
from or_mv_anon.pipeline.stages.place import Placed, write_camera_audit
from or_mv_anon.video.segments import Segment

if TYPE_CHECKING:
    from or_mv_anon.pipeline.runner import SessionRun


@dataclass(frozen=True)
class Verdicts(Columns):
    """What was decided about every frame of a recording."""

    frame: Column
    posterior: Column  # probability of being outside given all frames
    covered: Column  # 0 or 1

    columns = {"frame": (np.int32, ()), "posterior": (np.float64, ()), "covered": (np.uint8, ())}


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
    store, name = RunStore(plan.store), partial(plan.file, segment=job.segment)
    store.write(name("frames"), frames)
    store.write(name("judgements"), Judgements(frame=frames.frame, probability=probability, looked=looked))
    for kind, record in (("persons", Detections), ("keypoints", Keypoints), ("faces", Detections)):
        store.write(name(kind), record.empty())
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


def cover(job: CoverJob) -> Placed:
    """Smooth a recording's probabilities, place the regions, and note what a reviewer should look at."""
    started = time.perf_counter()
    plan, store = job.plan, RunStore(job.plan.store)
    frames, judgements = load_judgements(store, plan)
    smoothed = TwoStateSmoother(job.endoscopy.smoothing)(judgements.probability, frames.time)
    size = open_camera(plan.camera, plan.store).upright_size
    regions = outside_regions(frames, smoothed.covered, size=size, always=plan.camera.always)
    for segment in plan.segments:
        span = slice(*np.searchsorted(regions.frame, [segment.first - plan.first, segment.stop - plan.first]))
        store.write(plan.file("regions", segment), regions[span])
    store.write(plan.file("tracks"), Tracks.empty())
    store.write(plan.file("face_tracks"), Tracks.empty())
    verdicts = Verdicts(frame=frames.frame, posterior=smoothed.posterior, covered=smoothed.covered)
    store.write(plan.file("verdicts"), verdicts)
    missing = [pts - plan.shift for pts in job.missing]
    risks = outside_risks(
        frames, judgements.probability, smoothed, job.config.risk, size=size, doubt=job.endoscopy.judging.doubt,
        missing_pts=missing,
    )  # fmt: skip
    write_camera_audit(store, plan, summarize(frames, Tracks.empty(), regions, size=size), risks)
    count_frames(len(frames))
    return Placed(time.perf_counter() - started)


def load_judgements(store: RunStore, plan: CameraPlan) -> tuple[Frames, Judgements]:
    """All frames of a recording and what was said of them."""
    frames = [
        store.read(plan.file("frames", segment), Frames, frames=plan.numbers(segment)) for segment in plan.segments
    ]
    judgements = [
        store.read(plan.file("judgements", segment), Judgements, frames=plan.numbers(segment))
        for segment in plan.segments
    ]
    return reached_by_damage(plan, Frames.concat(frames)), Judgements.concat(judgements)


def judge_tasks(run: SessionRun) -> list[Task]:
    """One per segment: what the network says of its frames."""
    tasks = []
    for plan in run.of_kind("endoscope"):
        (weights,) = run.weights_for(plan)
        network = NetworkSettings(Path(weights.path), run.options.device, run.options.precision)
        fingerprint = run.analyse_fingerprint(plan)
        for segment in plan.segments:
            tables = ("frames", "judgements", "persons", "keypoints", "faces")
            files = [plan.file(name, segment) for name in tables]
            job = JudgeJob(plan, segment, network, run.endoscopy.judging)
            stage = plan.stage("analyse", segment)
            tasks.append(Task(stage, fingerprint, files, job, plan.camera.name, len(segment)))
    return tasks


def cover_tasks(run: SessionRun) -> list[Task]:
    """One per endoscope: which frames are covered."""
    tasks = []
    for plan in run.of_kind("endoscope"):
        # The recording comes first and by itself: rendering alone is refused when it is another one.
        fingerprint = f"{run.recording(plan)}:" + config_hash(
            run.analyse_fingerprint(plan),
            [run.endoscopy, run.config.risk],
            [plan.camera.always],
        )
        files = [plan.file(name) for name in ("tracks", "face_tracks", "verdicts")]
        files += [plan.file("regions", segment) for segment in plan.segments] + [plan.file("audit", suffix=".json")]
        job = CoverJob(plan, run.config, run.endoscopy, run.missing(plan, "analyse"))
        facts = {"weights": [asdict(weights) for weights in run.weights_for(plan)]}
        frames = plan.stop - plan.first
        made_of = [plan.stage("analyse", segment) for segment in plan.segments]
        tasks.append(Task(plan.stage("place"), fingerprint, files, job, plan.camera.name, frames, facts, made_of))
    return tasks
