"""The steps that a session's endoscopes take instead of those of room cameras."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from or_mv_anon.anonymization.task import Task
from or_mv_anon.config import config_hash
from or_mv_anon.endoscopy.stages import CoverJob, JudgeJob, NetworkSettings

if TYPE_CHECKING:
    from or_mv_anon.anonymization.session_run import SessionRun


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
