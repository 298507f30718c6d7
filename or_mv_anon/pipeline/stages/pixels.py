"""What worker processes do with pixels: hash an input, analyse a segment, render one, finish a camera's output.

A job is a small picklable record; big things (indices, detections, regions) pass through the store.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Detections, Embeddings, FrameFlag, Frames, Keypoints, Regions
from or_mv_anon.core.seals import same_content, signature
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.workers import count_frames
from or_mv_anon.operators.cells import Method
from or_mv_anon.operators.drawn.operator import LearnedOperator, LearnedSettings, load_learned
from or_mv_anon.pipeline.media import (
    CameraPlan,
    discard,
    hash_camera,
    join,
    open_camera,
    open_writer,
    read_back,
)
from or_mv_anon.pipeline.stages.analyse import Findings, ModelSettings, analyse_frames, load_networks, plan_schedule
from or_mv_anon.pipeline.stages.render import RegionsByFrame, Rendered, render_segment
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.sound import is_lost


@dataclass(frozen=True)
class HashJob:
    """Identify one camera's input."""

    plan: CameraPlan

    @property
    def frames(self) -> int:
        """For the progress bar."""
        return self.plan.stop - self.plan.first


@dataclass(frozen=True)
class Hashed:
    """What a `HashJob` reports: SHA-256 and size in bytes."""

    sha256: str
    size: int


def hash_input(job: HashJob) -> Hashed:
    """Read the input once for its SHA-256 and those of its blocks, which every later reading is held to."""
    plan = job.plan
    digest, size = hash_camera(plan.camera, plan.store, plan.signature)
    count_frames(job.frames)
    return Hashed(digest, size)


@dataclass(frozen=True)
class AnalyseJob:
    """Find people in one segment."""

    plan: CameraPlan
    segment: Segment
    models: ModelSettings
    config: PipelineConfig


@dataclass(frozen=True)
class Analysed:
    """What an `AnalyseJob` reports: seconds of work, what went wrong, which engine ran each network, how much moves."""

    seconds: float
    problems: list[str]
    missing: list[int]
    providers: dict[str, str]
    moving_s: float = 0.0


def analyse(job: AnalyseJob) -> Analysed:
    """Detect persons, keypoints and faces in a segment, and what people look like, and store them."""
    started = time.perf_counter()
    networks = load_networks(job.models, job.config)
    source = open_camera(job.plan.camera, job.plan.store, scrutiny="thorough")
    schedule = plan_schedule(source.times, job.config, first=job.plan.first, stop=job.plan.stop)
    frames = source.frames(job.segment, wanted=schedule.any)
    found = analyse_frames(frames, networks, schedule, job.config, first=job.plan.first)
    _store_findings(job, found, source.missing)
    count_frames(len(job.segment) - len(found.frames))
    seconds = time.perf_counter() - started
    return Analysed(seconds, found.problems, list(source.missing), networks.providers, found.moving_s)


def _store_findings(job: AnalyseJob, found: Findings, missing: list[int]) -> None:
    store, plan = RunStore(job.plan.store), job.plan
    name = partial(plan.file, segment=job.segment)
    store.write(name("frames"), flagged_frames(plan, job.segment, found.frames, found.flags, missing))
    store.write(name("persons"), Detections.concat(found.persons))
    store.write(name("keypoints"), Keypoints.concat(found.keypoints))
    store.write(name("embeddings"), Embeddings.concat(found.embeddings))
    store.write(name("faces"), Detections.concat(found.faces))
    store.write(name("still"), Detections.concat(found.still))


def flagged_frames(
    plan: CameraPlan, segment: Segment, numbers: Sequence[int], flags: Sequence[int], missing: Sequence[int]
) -> Frames:
    """All frames that a segment should have; those that could not be decoded count as failed.

    Args:
        plan: the camera's.
        segment: which part.
        numbers: frames that were looked at.
        flags: what happened to each of them.
        missing: the source's timestamps of frames that could not be decoded.
    """
    frames = _every_frame(plan)[segment.first - plan.first : segment.stop - plan.first]
    flag = np.where(np.isin(frames.pts + plan.shift, missing), int(FrameFlag.FAILED), 0)
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

    regions = RunStore(plan.store).read(plan.file("regions", job.segment), Regions, frames=plan.numbers(job.segment))
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
