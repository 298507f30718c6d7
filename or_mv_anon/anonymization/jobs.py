"""The pieces of work that worker processes do: index, analyse a segment, place a camera's regions, render, join.

A job is a small picklable record; big things (indices, detections, regions) pass through the store.
"""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import asdict, dataclass, field
from functools import partial

import numpy as np

from or_mv_anon.anonymization.analyse import Findings, ModelSettings, analyse_frames, load_networks, plan_schedule
from or_mv_anon.anonymization.heads import Heads, locate_heads
from or_mv_anon.anonymization.media import (
    CameraPlan,
    discard,
    discard_leftovers,
    fingerprint,
    open_camera,
    open_writer,
    publish,
    read_back,
)
from or_mv_anon.anonymization.operators import Method
from or_mv_anon.anonymization.regions import camera_regions, plausible_faces
from or_mv_anon.anonymization.render import RegionsByFrame, Rendered, render_segment
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.risk import risk_intervals
from or_mv_anon.audit.summary import CameraSummary, Series, summarize
from or_mv_anon.config import PipelineConfig, TrackingConfig
from or_mv_anon.files import write_atomically
from or_mv_anon.records import Detections, FrameFlag, Frames, Keypoints, Regions, Tracks
from or_mv_anon.site import Camera
from or_mv_anon.store import RunStore
from or_mv_anon.tracking.offline import track_camera
from or_mv_anon.video.segments import Segment
from or_mv_anon.workers import count_frames

SPARSE_S = 0.5  # seconds between frames from which on tracking cannot help and every candidate is covered


@dataclass(frozen=True)
class HashJob:
    """Identify one camera's input."""

    camera: Camera
    frames: int


@dataclass(frozen=True)
class Hashed:
    """What a `HashJob` reports: SHA-256 and size in bytes."""

    sha256: str
    size: int


def hash_input(job: HashJob) -> Hashed:
    """Read the input once for its SHA-256."""
    digest, size = fingerprint(job.camera.files)
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
    """What an `AnalyseJob` reports: seconds of work, what went wrong, which engine ran each network."""

    seconds: float
    problems: list[str]
    missing: list[int]
    providers: dict[str, str]


def analyse(job: AnalyseJob) -> Analysed:
    """Detect persons, keypoints and faces in a segment and store them."""
    started = time.perf_counter()
    networks = load_networks(job.models, job.config)
    source = open_camera(job.plan.camera, job.plan.store)
    schedule = plan_schedule(source.times, job.config, first=job.plan.first, stop=job.plan.stop)
    frames = source.frames(job.segment, wanted=schedule.any)
    found = analyse_frames(frames, networks, schedule, job.config, first=job.plan.first)
    _store_findings(job, found, source.missing)
    count_frames(len(job.segment) - len(found.frames))
    return Analysed(time.perf_counter() - started, found.problems, list(source.missing), networks.providers)


def _store_findings(job: AnalyseJob, found: Findings, missing: list[int]) -> None:
    store, plan = RunStore(job.plan.store), job.plan
    frames = _every_frame(plan)[job.segment.first - plan.first : job.segment.stop - plan.first]
    flags = np.where(np.isin(frames.pts + plan.shift, missing), int(FrameFlag.FAILED), 0)
    flags[np.array(found.frames, int) - int(frames.frame[0])] = found.flags
    name = partial(plan.file, segment=job.segment)
    store.write(name("frames"), frames.replace(flags=flags))
    store.write(name("persons"), Detections.concat(found.persons))
    store.write(name("keypoints"), Keypoints.concat(found.keypoints))
    store.write(name("faces"), Detections.concat(found.faces))


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
class PlaceJob:
    """Track one camera's people and decide what to cover."""

    plan: CameraPlan
    config: PipelineConfig
    missing: tuple[int, ...] = ()


@dataclass(frozen=True)
class Placed:
    """What a `PlaceJob` reports; the rest goes to the store (see `read_camera_audit`)."""

    seconds: float


def place(job: PlaceJob) -> Placed:
    """Track persons and faces over the whole recording, place the regions, and look for risks."""
    started = time.perf_counter()
    plan, config = job.plan, job.config
    store = RunStore(plan.store)
    frames, persons, heads, faces = _load_findings(store, plan, config)
    size = open_camera(plan.camera, plan.store).upright_size
    tracks = _track(persons, frames, FrameFlag.PERSONS, config.tracking, size)
    face_tracks = _track(
        faces[plausible_faces(faces, size, config.face)], frames, FrameFlag.FACES, config.face_tracking, size
    )
    store.write(plan.file("tracks"), tracks)
    store.write(plan.file("face_tracks"), face_tracks)
    regions = camera_regions(
        frames,
        heads,
        tracks,
        face_tracks,
        size=size,
        config=config.regions,
        always=plan.camera.always,
        never=plan.camera.never,
    )
    del heads, faces, face_tracks  # hundreds of megabytes for a long recording
    for segment in plan.segments:
        span = slice(*np.searchsorted(regions.frame, [segment.first - plan.first, segment.stop - plan.first]))
        store.write(plan.file("regions", segment), regions[span])
    missing = [pts - plan.shift for pts in job.missing]
    risks = risk_intervals(frames, persons, tracks, regions, config.risk, size=size, missing_pts=missing)
    write_camera_audit(store, plan, summarize(frames, tracks, regions, size=size), risks)
    count_frames(len(frames))
    return Placed(time.perf_counter() - started)


def write_camera_audit(store: RunStore, plan: CameraPlan, summary: CameraSummary, risks: list[RiskInterval]) -> None:
    """Keep what the audit says of a camera for the end of the run, or for a later run that skips this stage."""
    content = json.dumps({"summary": asdict(summary), "risks": [asdict(risk) for risk in risks]})
    write_atomically(store.path(plan.file("audit", suffix=".json")), lambda path: path.write_text(content))


def read_camera_audit(store: RunStore, plan: CameraPlan) -> tuple[CameraSummary, tuple[RiskInterval, ...]]:
    """What `write_camera_audit` kept."""
    content = json.loads((store.root / plan.file("audit", suffix=".json")).read_text())
    series = Series(**{name: tuple(values) for name, values in content["summary"].pop("series").items()})
    summary = CameraSummary(**content["summary"], series=series)
    return summary, tuple(RiskInterval(**risk) for risk in content["risks"])


def _load_findings(
    store: RunStore, plan: CameraPlan, config: PipelineConfig
) -> tuple[Frames, Detections, Heads, Detections]:
    frames, persons, heads, faces = [], [], [], []
    count = 0
    for segment in plan.segments:
        name = partial(plan.file, segment=segment)
        frames.append(store.read(name("frames"), Frames))
        persons.append(store.read(name("persons"), Detections))
        keypoints = store.read(name("keypoints"), Keypoints)
        part = locate_heads(keypoints, persons[-1], trusted_score=config.pose.trusted_score)
        heads.append(part.replace(detection=part.detection + count))
        faces.append(store.read(name("faces"), Detections))
        count += len(persons[-1])
    return Frames.concat(frames), Detections.concat(persons), Heads.concat(heads), Detections.concat(faces)


def _track(
    detections: Detections, frames: Frames, looked: FrameFlag, config: TrackingConfig, size: tuple[int, int]
) -> Tracks:
    step = float(np.median(np.diff(frames.time))) if len(frames) > 1 else np.inf
    if step > SPARSE_S:
        config = dataclasses.replace(config, lone_score=config.low_score)
    return track_camera(detections, frames, frames.has(looked), config, size=size)


@dataclass(frozen=True)
class RenderJob:
    """Cover and encode one segment."""

    plan: CameraPlan
    segment: Segment
    method: Method
    config: PipelineConfig
    threads: int


@dataclass(frozen=True)
class RenderedSegment:
    """What a `RenderJob` reports; `missing` holds timestamps of frames that could not be decoded."""

    seconds: float
    result: Rendered
    missing: list[int]


def render(job: RenderJob) -> RenderedSegment:
    """Cover, encode and check a segment."""
    started = time.perf_counter()
    plan = job.plan
    source = open_camera(plan.camera, plan.store)
    regions = RunStore(plan.store).read(plan.file("regions", job.segment), Regions)
    try:
        result = render_segment(
            lambda: source.frames(job.segment),
            lambda: open_writer(plan, job.segment, job.config.video, threads=job.threads),
            lambda: read_back(plan, job.segment),
            RegionsByFrame(regions, first=plan.first),
            job.method,
            job.config.operators,
        )
    except BaseException:
        discard(plan.store / plan.segment_file(job.segment))  # nothing that failed its check stays
        raise
    return RenderedSegment(time.perf_counter() - started, result, sorted(set(source.missing)))


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
    sha256: str
    size: int
    modified: int  # nanoseconds since the epoch


def finish(job: FinishJob) -> Finished:
    """Join, check, and put the output in place; then remove the segments."""
    started = time.perf_counter()
    plan = job.plan
    pts = open_camera(plan.camera, plan.store).pts[plan.first : plan.stop]
    expected = pts[~np.isin(pts, job.missing)] - plan.shift
    notes = publish(plan, expected, audio=job.audio)
    digest, size = fingerprint(plan.destination)
    discard_leftovers(plan)
    count_frames(len(pts))
    return Finished(time.perf_counter() - started, notes, digest, size, modified=plan.destination.stat().st_mtime_ns)
