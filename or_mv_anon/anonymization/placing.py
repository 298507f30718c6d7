"""Between the two passes over the pixels: track one camera's people, decide what to cover, and look for risks."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.anonymization.heads import Heads, locate_heads
from or_mv_anon.anonymization.media import CameraPlan, open_camera
from or_mv_anon.anonymization.regions import camera_regions, plausible_faces
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.risk import risk_intervals
from or_mv_anon.audit.summary import CameraSummary, Series, summarize
from or_mv_anon.config import PipelineConfig, TrackingConfig
from or_mv_anon.files import write_atomically
from or_mv_anon.records import Detections, FrameFlag, Frames, Keypoints, Tracks
from or_mv_anon.store import RunStore
from or_mv_anon.tracking.offline import track_camera
from or_mv_anon.workers import count_frames

SPARSE_S = 0.5  # seconds between frames from which on tracking cannot help and every candidate is covered


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
    # Weak candidates are covered too, but most are chairs and shadows: the audit is about people who were seen clearly.
    clear = _ever_clear(tracks, config.tracking.new_track_score)
    people = tracks[clear[tracks.track]]
    theirs = regions[(regions.track == -1) | np.isin(regions.track, np.flatnonzero(clear))]
    risks = risk_intervals(frames, persons, people, theirs, config.risk, size=size, missing_pts=missing)
    write_camera_audit(store, plan, summarize(frames, people, regions, size=size), risks)
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


def _ever_clear(tracks: Tracks, score: float) -> NDArray[np.bool_]:
    """For every track whether it reaches `score` somewhere."""
    best = np.zeros(tracks.track.max(initial=-1) + 1, np.float32)
    np.maximum.at(best, tracks.track, tracks.score)
    return best >= score


def _track(
    detections: Detections, frames: Frames, looked: FrameFlag, config: TrackingConfig, size: tuple[int, int]
) -> Tracks:
    step = float(np.median(np.diff(frames.time))) if len(frames) > 1 else np.inf
    if step > SPARSE_S:
        config = dataclasses.replace(config, lone_score=config.low_score)
    return track_camera(detections, frames, frames.has(looked), config, size=size)
