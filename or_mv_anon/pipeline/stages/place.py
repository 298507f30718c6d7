"""Between the two passes over the pixels: decide what to cover in one camera, and look for risks."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from functools import cache, partial

import numpy as np

from or_mv_anon.audit.cross_view import disagreement_risks
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.risk import by_priority, risk_intervals
from or_mv_anon.audit.summary import CameraSummary, Series, summarize
from or_mv_anon.core.config import PipelineConfig, config_hash
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import (
    Detections,
    Disagreements,
    Identities,
    Regions,
    Tracks,
    TransferredHeads,
)
from or_mv_anon.core.run_layout import (
    CAMERA_AUDIT,
    DISAGREEMENTS,
    FACE_TRACKS,
    FRAMES,
    IDENTITIES,
    KEYPOINTS,
    PERSONS,
    RECOVERED,
    REGIONS,
    TRACKS,
    TRANSFERRED,
)
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.workers import count_frames
from or_mv_anon.corrections.log import Line
from or_mv_anon.pipeline.artifacts import read_joined
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.corrected import corrected_by, drawn_covers, drawn_elsewhere, followed_for, nobody_in, unheeded
from or_mv_anon.pipeline.media import CameraPlan, open_camera, reached_by_damage
from or_mv_anon.pipeline.stage import Stage, Task
from or_mv_anon.pipeline.stages.analyse import ANALYSE
from or_mv_anon.pipeline.stages.associate import ASSOCIATE
from or_mv_anon.pipeline.stages.track import TRACK
from or_mv_anon.regions.heads import Heads, locate_heads
from or_mv_anon.regions.placing import camera_regions
from or_mv_anon.regions.registry import sections
from or_mv_anon.regions.source import CameraScene
from or_mv_anon.tracking.clear import ever_clear


@dataclass(frozen=True)
class PlaceJob:
    """Decide what to cover in one camera.

    Attributes:
        plan: the camera's.
        config: all thresholds.
        missing: timestamps of frames that could not be decoded.
        associated: whether other cameras had their say about this one's tracks.
        corrections: what reviewers decided about the camera.
    """

    plan: CameraPlan
    config: PipelineConfig
    missing: tuple[int, ...] = ()
    associated: bool = False
    corrections: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Placed:
    """What a `PlaceJob` reports; the rest goes to the store (see `read_camera_audit`).

    Attributes:
        seconds: of work.
        unheeded: sentences about corrections that could not be taken as they were meant.
    """

    seconds: float
    unheeded: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Followed:
    """The people of one camera as the last stage before this one left them."""

    tracks: Tracks
    faces: Tracks
    identities: Identities
    transferred: TransferredHeads
    disagreements: Disagreements

    @classmethod
    def read(cls, plan: CameraPlan, *, associated: bool) -> Followed:
        """From the store, with or without what other cameras added."""
        faces = plan.read(FACE_TRACKS)
        if not associated:
            tracks = plan.read(TRACKS)
            return cls(tracks, faces, Identities.empty(), TransferredHeads.empty(), Disagreements.empty())
        return cls(
            plan.read(RECOVERED),
            faces,
            plan.read(IDENTITIES),
            plan.read(TRANSFERRED),
            plan.read(DISAGREEMENTS),
        )


def place(job: PlaceJob) -> Placed:
    """Place the regions of the whole recording, and look for risks."""
    started = time.perf_counter()
    plan, config = job.plan, job.config
    store = RunStore(plan.store)
    frames = reached_by_damage(plan, read_joined(plan, FRAMES))
    persons, heads = _read_people(plan, config)
    size = open_camera(plan.camera, plan.store).upright_size
    followed = Followed.read(plan, associated=job.associated)
    tracks = followed.tracks
    usual = float(np.median(heads.size)) * config.regions.head_scale if len(heads) else None
    elsewhere, unplaced = drawn_elsewhere(plan, job.corrections, config, side=usual, associated=job.associated)
    scene = CameraScene(
        frames, size, heads, tracks, followed.faces, followed.transferred, plan.camera.always,
        [*drawn_covers(plan, job.corrections), *elsewhere], cache(partial(read_joined, plan)),
    )  # fmt: skip
    nobody = nobody_in(plan, frames, job.corrections, tracks, followed.faces)
    regions = camera_regions(scene, config, never=plan.camera.never, uncover=nobody.uncover)
    del heads, scene  # hundreds of megabytes for a long recording
    write_regions(plan, regions)
    missing = [pts - plan.shift for pts in job.missing]
    # Weak candidates are covered too, but most are chairs and shadows: the audit is about people who were seen clearly.
    clear = ever_clear(tracks, config.tracking.new_track_score)
    people = tracks[clear[tracks.track] & ~nobody.is_gone(tracks.frame, tracks.track)]
    theirs = regions[(regions.track == -1) | np.isin(regions.track, np.flatnonzero(clear))]
    risks = risk_intervals(
        frames,
        persons,
        people,
        theirs,
        config.risk,
        size=size,
        missing_pts=missing,
        identities=followed.identities,
    )
    risks = by_priority([*risks, *disagreement_risks(frames, followed.disagreements, config.risk)])
    write_camera_audit(store, plan, summarize(frames, people, regions, size=size), risks)
    count_frames(len(frames))
    return Placed(
        time.perf_counter() - started,
        [
            *unheeded(plan, frames, job.corrections, config),
            *nobody.finish(),
            *unplaced,
        ],
    )


def write_regions(plan: CameraPlan, regions: Regions) -> None:
    """Store what is covered in a camera, ordered by frame, segment by segment."""
    for segment in plan.segments:
        numbers = plan.numbers(segment)
        span = slice(*np.searchsorted(regions.frame, [numbers.start, numbers.stop]))
        plan.write(REGIONS, regions[span], segment)


def placed_files(plan: CameraPlan) -> list[str]:
    """What `write_regions` and `write_camera_audit` leave of a camera."""
    return [*(plan.file(REGIONS, segment) for segment in plan.segments), plan.file(CAMERA_AUDIT)]


def write_camera_audit(store: RunStore, plan: CameraPlan, summary: CameraSummary, risks: list[RiskInterval]) -> None:
    """Keep what the audit says of a camera for the end of the run, or for a later run that skips this stage."""
    content = json.dumps({"summary": asdict(summary), "risks": [asdict(risk) for risk in risks]})
    store.write_text(plan.file(CAMERA_AUDIT), content)


def read_camera_audit(store: RunStore, plan: CameraPlan) -> tuple[CameraSummary, tuple[RiskInterval, ...]]:
    """What `write_camera_audit` kept."""
    content = store.read_json(plan.file(CAMERA_AUDIT))
    series = Series(**{name: tuple(values) for name, values in content["summary"].pop("series").items()})
    summary = CameraSummary(**content["summary"], series=series)
    return summary, tuple(RiskInterval(**risk) for risk in content["risks"])


def _read_people(plan: CameraPlan, config: PipelineConfig) -> tuple[Detections, Heads]:
    persons, heads = [], []
    count = 0
    for segment in plan.segments:  # keypoints are large, the heads that they show are not
        persons.append(plan.read(PERSONS, segment))
        keypoints = plan.read(KEYPOINTS, segment)
        part = locate_heads(keypoints, persons[-1], trusted_score=config.pose.trusted_score)
        heads.append(part.replace(detection=part.detection + count))
        count += len(persons[-1])
    return Detections.concat(persons), Heads.concat(heads)


class PlaceStage(Stage):
    """Decides what is covered in every camera of a room."""

    name = "place"
    at_once = 1  # it holds a whole recording's boxes in memory
    run = staticmethod(place)
    reads = (*TRACK.reads, *TRACK.writes, *ASSOCIATE.writes)
    writes = (REGIONS, CAMERA_AUDIT)

    def key(self, context: RunContext, plan: CameraPlan) -> str:
        """What its results in a camera rest on; the recording first and by itself, for rendering alone."""
        config = context.spec.config
        return f"{context.recording(plan)}:" + config_hash(
            TRACK.key(context, plan),
            context.store.fingerprint(ASSOCIATE.name) if context.is_current(ASSOCIATE.name) else "one by one",
            [*sections(config, "places_by"), config.tracking, config.risk],
            [plan.camera.always, plan.camera.never],
            *corrected_by(context, plan),
        )

    def tasks(self, context: RunContext) -> list[Task]:
        """One per camera."""
        associated = context.is_current(ASSOCIATE.name)
        tasks = []
        for plan in context.cameras(self):
            job = PlaceJob(
                plan, context.spec.config, context.missing(plan, ANALYSE.name),
                associated=associated, corrections=context.corrections_of(plan),
            )  # fmt: skip
            facts = {
                "weights": [asdict(weights) for weights in context.weights_for(plan)],
                "associated": associated,
                "corrections": [line.id for line in context.corrections_of(plan)],
            }
            made_of = [*TRACK.followed(plan), *([ASSOCIATE.name] if associated else []), *followed_for(context, plan)]
            stage, key = plan.stage(self.name), self.key(context, plan)
            tasks.append(Task(stage, key, placed_files(plan), job, plan.camera.name, len(plan), facts, made_of))
        return tasks


def require_placed(context: RunContext) -> None:
    """Take the regions of an earlier run for this one's, for rendering alone.

    Raises:
        UserError: there are none, or they are not what that run wrote, or of another recording.
    """
    store = context.store
    for plan in context.healthy:
        stage = plan.stage("place")
        made_from = store.fingerprint(stage)
        if made_from is None:
            raise UserError(
                f"--render-only needs the regions of an earlier run in {store.root}; "
                f"there are none for {plan.camera.name}, or a later run began anew. Run once without it."
            )
        if changed := store.changed(stage):
            raise UserError(
                f"--render-only: {store.root / changed[0]} is not what the earlier run wrote. What is "
                "covered cannot be changed by editing stored files; run once without --render-only to remake them."
            )
        if made_from.split(":")[0] != context.recording(plan):
            raise UserError(
                f"--render-only: the stored regions of {plan.camera.name} are of another recording or another "
                "--start and --end. Run once without it."
            )
        if store.facts(stage).get("corrections", []) != [line.id for line in context.corrections_of(plan)]:
            raise UserError(
                f"--render-only: what reviewers decided about {plan.camera.name} has changed since its regions were "
                "placed. Run once without it."
            )
        context.current.add(stage)


PLACE = PlaceStage()
