"""Follows one camera's people, and the heads that need no person, over the whole recording."""

from __future__ import annotations

import time
from dataclasses import dataclass

from or_mv_anon.core.config import PipelineConfig, config_hash
from or_mv_anon.core.records import FrameFlag, Tracks
from or_mv_anon.core.run_layout import (
    EDGE_HEADS,
    FACE_TRACKS,
    FACES,
    FRAMES,
    HEADS,
    KEYPOINTS,
    PASSING_HEADS,
    PERSONS,
    STATIC_HEADS,
    TRACKS,
)
from or_mv_anon.core.workers import count_frames
from or_mv_anon.pipeline.artifacts import observed_of
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.stage import Stage, Task
from or_mv_anon.pipeline.stages.analyse import ANALYSE
from or_mv_anon.regions.registry import SOURCES, sections
from or_mv_anon.regions.source import Observed
from or_mv_anon.tracking.numbering import numbered_on
from or_mv_anon.tracking.offline import track_detections


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
    """Track persons and heads and store both."""
    started = time.perf_counter()
    plan, config = job.plan, job.config
    observed = observed_of(plan)
    frames = observed.frames
    persons = observed.read(PERSONS)
    plan.write(TRACKS, track_detections(persons, frames, FrameFlag.PERSONS, config.tracking, observed.size))
    plan.write(FACE_TRACKS, follow_heads(observed, config))
    count_frames(len(frames))
    return Tracked(time.perf_counter() - started)


def follow_heads(observed: Observed, config: PipelineConfig) -> Tracks:
    """What every source follows by itself, its tracks numbered on."""
    followed = (source.follow(observed, config) for source in SOURCES)
    return numbered_on(tracks for tracks in followed if tracks is not None)


class TrackStage(Stage):
    """Follows people and heads in every camera of a room."""

    name = "track"
    at_once = 1  # it holds a whole recording's boxes in memory
    run = staticmethod(track)
    reads = (FRAMES, PERSONS, HEADS, PASSING_HEADS, EDGE_HEADS, KEYPOINTS, FACES, STATIC_HEADS)
    writes = (TRACKS, FACE_TRACKS)

    def key(self, context: RunContext, plan: CameraPlan) -> str:
        """What its results in a camera rest on."""
        return config_hash(ANALYSE.key(context, plan), sections(context.spec.config, "follows_by"))

    def tasks(self, context: RunContext) -> list[Task]:
        """One per camera."""
        return [
            Task(
                plan.stage(self.name),
                self.key(context, plan),
                [plan.file(table) for table in self.writes],
                TrackJob(plan, context.spec.config),
                plan.camera.name,
                len(plan),
                made_of=analysed(plan),
            )
            for plan in context.cameras(self)
        ]

    def followed(self, plan: CameraPlan) -> list[str]:
        """The stages that a camera's tracks are made of, this one among them."""
        return [*analysed(plan), plan.stage(self.name)]


def analysed(plan: CameraPlan) -> list[str]:
    """The stages that looked at a camera's pixels."""
    return [plan.stage(ANALYSE.name, segment) for segment in plan.segments]


TRACK = TrackStage()
