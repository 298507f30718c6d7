"""Follows one camera's people and faces over the whole recording."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

import numpy as np

from or_mv_anon.core.config import PipelineConfig, TrackingConfig
from or_mv_anon.core.records import Detections, FrameFlag, Frames, Keypoints, Tracks
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.workers import count_frames
from or_mv_anon.pipeline.artifacts import read_joined, read_of_persons
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.regions.heads import locate_heads
from or_mv_anon.regions.regions import plausible_faces
from or_mv_anon.tracking.offline import track_camera
from or_mv_anon.tracking.still import still_heads

USUAL_PERCENTILE = 90  # of head heights in a camera; a few larger ones are mistakes
SPARSE_S = 0.5  # seconds between frames from which on tracking cannot help and every candidate is covered


@dataclass(frozen=True)
class TrackJob:
    """Follow one camera's people and faces."""

    plan: CameraPlan
    config: PipelineConfig


@dataclass(frozen=True)
class Tracked:
    """What a `TrackJob` reports; the tracks go to the store."""

    seconds: float


def track(job: TrackJob) -> Tracked:
    """Track persons and faces and store both."""
    started = time.perf_counter()
    plan, config = job.plan, job.config
    store = RunStore(plan.store)
    size = open_camera(plan.camera, plan.store).upright_size
    frames = read_joined(plan, "frames", Frames)
    persons = read_joined(plan, "persons", Detections)
    store.write(plan.file("tracks"), _track(persons, frames, FrameFlag.PERSONS, config.tracking, size))
    faces = read_joined(plan, "faces", Detections)
    faces = faces[plausible_faces(faces, size, config.face)]
    moving = _track(faces, frames, FrameFlag.FACES, config.face_tracking, size)
    candidates = read_joined(plan, "still", Detections)
    candidates = candidates[plausible_faces(candidates, size, config.face)]
    looked = frames.frame[frames.has(FrameFlag.STILL)]
    still = still_heads(_of_head_size(candidates, plan, persons, config), frames, looked, config.still)
    still = still.replace(track=still.track + moving.track.max(initial=-1) + 1)
    store.write(plan.file("face_tracks"), Tracks.concat([moving, still]))
    count_frames(len(frames))
    return Tracked(time.perf_counter() - started)


def _of_head_size(candidates: Detections, plan: CameraPlan, persons: Detections, config: PipelineConfig) -> Detections:
    """The candidates that are not much larger than the heads of people who are clearly seen by this camera."""
    clear = locate_heads(
        read_of_persons(plan, "keypoints", Keypoints), persons, trusted_score=config.pose.trusted_score
    )
    sizes = clear.size[persons.score[clear.detection] >= config.tracking.high_score]
    if not len(sizes):
        return candidates
    largest = config.still.largest_heads * np.percentile(sizes, USUAL_PERCENTILE)
    return candidates[candidates.box[:, 3] - candidates.box[:, 1] <= largest]


def _track(
    detections: Detections, frames: Frames, looked: FrameFlag, config: TrackingConfig, size: tuple[int, int]
) -> Tracks:
    step = float(np.median(np.diff(frames.time))) if len(frames) > 1 else np.inf
    if step > SPARSE_S:
        config = dataclasses.replace(config, lone_score=config.low_score)
    return track_camera(detections, frames, frames.has(looked), config, size=size)
