"""The steps that a session's room cameras take between their recordings and their regions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from or_mv_anon.core.config import config_hash
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.plan import model_settings
from or_mv_anon.pipeline.stage import ALL_CAMERAS, Task
from or_mv_anon.pipeline.stages.associate import AssociateJob
from or_mv_anon.pipeline.stages.pixels import AnalyseJob
from or_mv_anon.pipeline.stages.place import PlaceJob
from or_mv_anon.pipeline.stages.track import TrackJob

if TYPE_CHECKING:
    from or_mv_anon.pipeline.runner import SessionRun

ASSOCIATE = "associate"
"""Key of the one stage that is about all cameras together."""


def analyse_tasks(run: SessionRun) -> list[Task]:
    """One per segment: what the networks find in its frames."""
    tasks = []
    for plan in run.of_kind("room"):
        models = model_settings(run.weights, run.options, threads=run.threads)
        fingerprint = run.analyse_fingerprint(plan)
        for segment in plan.segments:
            files = [
                plan.file(name, segment) for name in ("frames", "persons", "keypoints", "faces", "still", "embeddings")
            ]
            job = AnalyseJob(plan, segment, models, run.config)
            tasks.append(Task(plan.stage("analyse", segment), fingerprint, files, job, plan.camera.name, len(segment)))
    return tasks


def track_tasks(run: SessionRun) -> list[Task]:
    """One per camera: its people over time."""
    tasks = []
    for plan in run.of_kind("room"):
        files = [plan.file(name) for name in ("tracks", "face_tracks")]
        fingerprint = _track_fingerprint(run, plan)
        job = TrackJob(plan, run.config)
        tasks.append(
            Task(plan.stage("track"), fingerprint, files, job, plan.camera.name, _frames(plan), made_of=_analysed(plan))
        )
    return tasks


def associate_tasks(run: SessionRun) -> list[Task]:
    """One for the session, if two or more cameras show the room: who is who, and who was missed where."""
    plans = run.of_kind("room")
    if len(plans) < 2:
        return []
    job = AssociateJob(tuple(plans), run.config)
    files = [plan.file(name) for plan in plans for name in job.tables]
    frames = sum(map(_frames, plans))
    made_of = [stage for plan in plans for stage in _tracked(plan)]
    fingerprint = _associate_fingerprint(run, plans)
    return [Task(ASSOCIATE, fingerprint, [*files, job.geometry], job, ALL_CAMERAS, frames, made_of=made_of)]


def place_tasks(run: SessionRun) -> list[Task]:
    """One per camera: what gets covered."""
    config = run.config
    tasks = []
    for plan in run.of_kind("room"):
        # The recording comes first and by itself: rendering alone is refused when it is another one.
        fingerprint = f"{run.recording(plan)}:" + config_hash(
            _track_fingerprint(run, plan),
            run.plan.store.fingerprint(ASSOCIATE) if run.associated else "one by one",
            [config.pose, config.tracking, config.regions, config.risk],
            [plan.camera.always, plan.camera.never],
        )
        files = [plan.file("regions", segment) for segment in plan.segments] + [plan.file("audit", suffix=".json")]
        job = PlaceJob(plan, config, run.missing(plan, "analyse"), associated=run.associated)
        facts = {
            "weights": [asdict(weights) for weights in run.weights_for(plan)],
            "associated": run.associated,
        }
        made_of = [*_tracked(plan), *([ASSOCIATE] if run.associated else [])]
        tasks.append(
            Task(plan.stage("place"), fingerprint, files, job, plan.camera.name, _frames(plan), facts, made_of)
        )
    return tasks


def _analysed(plan: CameraPlan) -> list[str]:
    return [plan.stage("analyse", segment) for segment in plan.segments]


def _tracked(plan: CameraPlan) -> list[str]:
    return [*_analysed(plan), plan.stage("track")]


def _track_fingerprint(run: SessionRun, plan: CameraPlan) -> str:
    config = run.config
    return config_hash(
        run.analyse_fingerprint(plan), [config.tracking, config.face_tracking, config.face, config.still, config.pose]
    )


def _associate_fingerprint(run: SessionRun, plans: list[CameraPlan]) -> str:
    config = run.config
    cameras = [(plan.camera.name, plan.camera.offset, _track_fingerprint(run, plan)) for plan in plans]
    return config_hash(cameras, [config.pose, config.association, config.recovery])


def _frames(plan: CameraPlan) -> int:
    return plan.stop - plan.first
