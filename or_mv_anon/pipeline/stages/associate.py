"""All room cameras of a session together: who is who, and who was missed by one camera and seen by others."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.appearance import pool_embeddings
from or_mv_anon.association.associate import associate
from or_mv_anon.association.build import build_view, common_instants
from or_mv_anon.association.progress import Progress
from or_mv_anon.association.recover import CameraRecords, Recovered, Scene, recover
from or_mv_anon.association.unassociated_faces import unassociated_faces
from or_mv_anon.association.views import Association, PairGeometry, View
from or_mv_anon.audit.association import AssociationAudit, PairAudit, RecoveredAudit
from or_mv_anon.core.config import PipelineConfig, config_hash
from or_mv_anon.core.records import Provenance
from or_mv_anon.core.run_layout import (
    BACKGROUNDS,
    DISAGREEMENTS,
    EMBEDDINGS,
    FACE_TRACKS,
    FRAMES,
    GEOMETRY,
    IDENTITIES,
    KEYPOINTS,
    PERSONS,
    RECOVERED,
    TRACKS,
    TRANSFERRED,
)
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.workers import count_frames
from or_mv_anon.pipeline.artifacts import read_joined, session_seconds
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.pipeline.stage import ALL_CAMERAS, Stage, Task
from or_mv_anon.pipeline.stages.track import TRACK
from or_mv_anon.regions.background import turns
from or_mv_anon.tracking.clear import ever_clear

SEED = 0
ASSOCIATING = 0.9  # of the time; the rest is for recovering people camera by camera
Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class AssociateJob:
    """Find out who is who in a session's room cameras, two or more."""

    plans: tuple[CameraPlan, ...]
    config: PipelineConfig
    threads: int = 1  # no other job runs beside it


@dataclass(frozen=True)
class Associated:
    """What an `AssociateJob` reports; the tables go to the store."""

    seconds: float
    association: AssociationAudit


def associate_session(job: AssociateJob) -> Associated:
    """Associate the cameras' tracks, recover who was missed, and store both."""
    started = time.perf_counter()
    store = RunStore(job.plans[0].store)
    times = [session_seconds(plan, read_joined(plan, FRAMES)) for plan in job.plans]
    instants = common_instants(times, step_s=job.config.association.instant_s)
    trusted = job.config.pose.trusted_score
    views = [_view(plan, each, instants, trusted_score=trusted) for plan, each in zip(job.plans, times, strict=True)]
    progress = _counted(sum(map(len, times)))
    with progress.part(ASSOCIATING) as part:
        association = associate(views, job.config.association, seed=SEED, threads=job.threads, progress=part)
    _write_geometry(store, association, instants)
    faces = [_faces(plan, view, each, instants) for plan, view, each in zip(job.plans, views, times, strict=True)]
    scene = Scene.of(views, association, instants, faces=faces)
    recovered, clear_score = [], job.config.tracking.new_track_score
    for plan, each in zip(job.plans, times, strict=True):
        found = recover(_records(plan, each), scene, job.config.recovery)
        recovered.append(_store_recovered(plan, found, scene, clear_score=clear_score))
        progress.advance((1 - ASSOCIATING) / len(times))
    audit = AssociationAudit(
        notes=association.notes,
        pairs=tuple(_pair(geometry, instants) for stretches in association.geometry.values() for geometry in stretches),
        cameras=tuple(recovered),
    )
    return Associated(time.perf_counter() - started, audit)


def _counted(frames: int) -> Progress:
    """Progress of a job that counts as so many frames."""
    done = 0.0

    def report(share: float) -> None:
        nonlocal done
        before, done = done, done + share
        count_frames(round(frames * done) - round(frames * before))

    return Progress(report)


def _view(plan: CameraPlan, times: Seconds, instants: Seconds, *, trusted_score: float) -> View:
    tracks = plan.read(TRACKS)
    embeddings = read_joined(plan, EMBEDDINGS)
    return build_view(
        plan.camera.name,
        open_camera(plan.camera, plan.store).upright_size,
        times=times,
        instants=instants,
        tracks=tracks,
        persons=read_joined(plan, PERSONS),
        keypoints=read_joined(plan, KEYPOINTS),
        appearance=pool_embeddings(embeddings, tracks) if len(embeddings) else None,
        turned=_turned(plan, times),
        trusted_score=trusted_score,
    )


def _turned(plan: CameraPlan, times: Seconds) -> Seconds:
    """Session seconds at which what stands still in a camera's picture changed."""
    seen = read_joined(plan, BACKGROUNDS)
    return times[seen.frame[turns(seen.cells)]]


def _faces(plan: CameraPlan, view: View, times: Seconds, instants: Seconds) -> View:
    faces = plan.read(FACE_TRACKS)
    return unassociated_faces(view, faces, times=times, instants=instants)


def _records(plan: CameraPlan, seconds: Seconds) -> CameraRecords:
    return CameraRecords(
        name=plan.camera.name,
        size=open_camera(plan.camera, plan.store).upright_size,
        seconds=seconds,
        tracks=plan.read(TRACKS),
    )


def _store_recovered(plan: CameraPlan, found: Recovered, scene: Scene, *, clear_score: float) -> RecoveredAudit:
    # Weak candidates that no other camera confirms are mostly chairs and lamps: covered, but nobody.
    people = found.identities[ever_clear(found.tracks, clear_score)[found.identities.track]]
    plan.write(RECOVERED, found.tracks)
    plan.write(IDENTITIES, people)
    plan.write(TRANSFERRED, found.heads)
    plan.write(DISAGREEMENTS, found.disagreements)
    confirmed = found.tracks.provenance == Provenance.CROSS_VIEW
    return RecoveredAudit(
        camera=plan.camera.name,
        tracks=len(people),
        shared=int(np.isin(people.identity, scene.shared).sum()),
        confirmed=int(confirmed.sum()),
        transferred=len(found.heads),
        unplaced=len(found.disagreements),
    )


def _write_geometry(store: RunStore, association: Association, instants: Seconds) -> None:
    content = {
        "instants": {"first_s": float(instants[0]) if len(instants) else None, "count": len(instants)},
        "pairs": [
            asdict(replace(geometry, matrix=None))
            | {"matrix": None if geometry.matrix is None else geometry.matrix.tolist()}
            for stretches in association.geometry.values()
            for geometry in stretches
        ],
    }
    store.write_text(GEOMETRY.file(), json.dumps(content))


def _pair(geometry: PairGeometry, instants: Seconds) -> PairAudit:
    last = len(instants) - 1
    return PairAudit(
        first=geometry.views[0],
        second=geometry.views[1],
        start_s=float(instants[min(geometry.start, last)]),
        stop_s=float(instants[min(geometry.stop, last)]),
        trusted=geometry.matrix is not None,
        inliers=geometry.inliers,
        points=geometry.points,
        residual=geometry.residual,
        problem=geometry.problem,
    )


class AssociateStage(Stage):
    """Finds out who is who across a room's cameras, if there are two or more."""

    name = "associate"
    scope = "session"
    costs = "session"
    run = staticmethod(associate_session)
    reads = (FRAMES, PERSONS, KEYPOINTS, EMBEDDINGS, BACKGROUNDS, TRACKS, FACE_TRACKS)
    writes = (RECOVERED, IDENTITIES, TRANSFERRED, DISAGREEMENTS, GEOMETRY)

    def key(self, context: RunContext, plans: Sequence[CameraPlan]) -> str:
        """What its result rests on."""
        config = context.spec.config
        cameras = [(plan.camera.name, plan.camera.offset, TRACK.key(context, plan)) for plan in plans]
        return config_hash(cameras, [config.pose, config.association, config.recovery])

    def tasks(self, context: RunContext) -> list[Task]:
        """One for the session."""
        plans = context.cameras(self)
        if len(plans) < 2:
            return []
        threads = context.threads * context.workers  # of this machine; on a cluster others' jobs may be beside it
        job = AssociateJob(tuple(plans), context.spec.config, 1 if context.spec.executor == "ray" else threads)
        files = list(dict.fromkeys(plan.file(kind) for plan in plans for kind in self.writes))
        made_of = [stage for plan in plans for stage in TRACK.followed(plan)]
        key, frames = self.key(context, plans), sum(map(len, plans))
        return [Task(self.name, key, files, job, ALL_CAMERAS, frames, made_of=made_of)]

    def failed(self, camera: str, text: str) -> str:
        """The sentence about a failure."""
        return f"Cameras were treated one by one, because {self.name} failed. {text}"


ASSOCIATE = AssociateStage()
