"""The main job: composes the stages over a site's sessions, resumes, verifies, and writes the audit.

Stages per session: hash the inputs, analyse (per segment), place regions (per camera), render (per segment), finish
(per camera). Each is skipped when the manifest shows that it was done from the same inputs, weights and settings.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from or_mv_anon.anonymization import jobs
from or_mv_anon.anonymization.accounting import write_session_audit
from or_mv_anon.anonymization.estimate import estimate_session
from or_mv_anon.anonymization.media import CameraPlan, discard, is_same_file, set_aside
from or_mv_anon.anonymization.options import Options
from or_mv_anon.anonymization.plan import (
    STORE_FOLDER,
    SessionPlan,
    Weights,
    effective_config,
    find_weights,
    model_settings,
    plan_session,
)
from or_mv_anon.anonymization.preview import preview_session
from or_mv_anon.audit.document import StageTiming
from or_mv_anon.config import PipelineConfig, config_hash
from or_mv_anon.errors import UserError
from or_mv_anon.files import explained
from or_mv_anon.models.runtime import require_device
from or_mv_anon.records import SCHEMA_VERSION
from or_mv_anon.site import Session, describe, discover
from or_mv_anon.workers import WorkerPool, available_cores, default_workers


def anonymize_site(options: Options) -> int:
    """Anonymize every session of a site.

    Returns:
        The exit code: 0 when all is well, 1 when something needs a look (it is printed and in the audit).

    Raises:
        UserError: nothing could be done.
    """
    config = effective_config(options)
    site = discover(options.videos)
    for note in site.notes:
        print(f"- {note}")
    weights = [] if options.render_only else find_weights(options)
    require_device(options.device)
    outcomes = []
    for session in site.sessions:
        out = options.out / session.name if len(site.sessions) > 1 else options.out
        try:
            outcomes.append(_anonymize_session(session, out, options, config, weights))
        except UserError as error:
            if len(site.sessions) == 1:
                raise
            print(f"error: session {session.name}: {error}", file=sys.stderr)
            outcomes.append(False)
    return 0 if all(outcomes) else 1


def _anonymize_session(
    session: Session, out: Path, options: Options, config: PipelineConfig, weights: list[Weights]
) -> bool:
    if options.overwrite:
        with explained(out):
            shutil.rmtree(out / STORE_FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="or_mv_anon-") as nowhere:  # a dry run leaves nothing behind
        store = Path(nowhere) if options.dry_run else None
        plan = plan_session(session, out, options, config, store=store)
        if not plan.cameras:
            raise UserError(" ".join(plan.problems))
        print(describe(plan.usable, plan.facts), flush=True)
        for sentence in [*plan.problems, *plan.notes]:
            print(f"- {sentence}", flush=True)
        if options.dry_run:
            estimate_session(plan, model_settings(weights, options, threads=1), config, options)
            return not plan.problems
        refuse_strangers(plan, options)
        if options.preview:
            preview_session(plan, model_settings(weights, options, threads=available_cores()), config, options.method)
            return not plan.problems
        return SessionRun(plan, options, config, weights).run()


def refuse_strangers(plan: SessionPlan, options: Options) -> None:
    """Keep files that this tool did not write; with --overwrite everything in the way goes.

    Raises:
        UserError: an output's place is taken.
    """
    for camera in plan.cameras:
        if not camera.destination.exists():
            continue
        if options.overwrite:
            with explained(camera.destination):
                discard(camera.destination)
        elif not plan.store.facts(_stage(camera, "place")):
            raise UserError(
                f"{camera.destination} exists and is not from an earlier run; choose another --out or use --overwrite."
            )


@dataclass(frozen=True)
class Task:
    """A job with what the manifest needs to know of it."""

    stage: str
    fingerprint: str
    files: list[str]
    job: Any
    camera: str
    frames: int
    facts: dict[str, Any] = field(default_factory=dict)  # noted beside what the job reports


class SessionRun:
    """One session's way through the stages."""

    def __init__(self, plan: SessionPlan, options: Options, config: PipelineConfig, weights: list[Weights]) -> None:
        self.plan = plan
        self.options = options
        self.config = config
        self.weights = weights
        self.problems = list(plan.problems)
        self.timings: list[StageTiming] = []
        self._workers = options.workers or default_workers(len(plan.cameras))
        self._threads = max(1, available_cores() // self._workers)
        self._failed: set[str] = set()
        self._current: set[str] = set()

    def run(self) -> bool:
        """Run what is not done yet; True when all is well."""
        with WorkerPool(self._workers) as pool:
            self._run_stage(pool, "hash", jobs.hash_input, self._hash_tasks())
            if self.options.render_only:
                self._require_regions()
            else:
                self._run_stage(pool, "analyse", jobs.analyse, self._analyse_tasks())
        with WorkerPool(self._workers) as pool:  # fresh processes, without the networks' memory
            if not self.options.render_only:
                # One camera at a time: this stage holds a whole recording's boxes in memory.
                self._run_stage(pool, "place", jobs.place, self._place_tasks(), at_once=1)
            self._run_stage(pool, "render", jobs.render, self._render_tasks())
            self._run_stage(pool, "finish", jobs.finish, self._finish_tasks())
        return write_session_audit(self)

    @property
    def healthy(self) -> list[CameraPlan]:
        """The cameras in which nothing has failed so far."""
        return [plan for plan in self.plan.cameras if plan.camera.name not in self._failed]

    def is_current(self, plan: CameraPlan, stage: str) -> bool:
        """Whether what `stage` noted is about this run's result, and not about one with other settings."""
        return stage in self._current or self.finished(plan)

    def facts(self, stage: str) -> dict[str, Any]:
        """What the stage noted in this run or an earlier one."""
        return self.plan.store.facts(stage)

    def missing(self, plan: CameraPlan, stage: str = "render") -> tuple[int, ...]:
        """Timestamps of a camera's frames that `stage` could not decode; the analysis does not look at all frames."""
        parts = [self.facts(_stage(plan, stage, segment.number)).get("missing", []) for segment in plan.segments]
        return tuple(sorted({pts for part in parts for pts in part}))

    def finished(self, plan: CameraPlan) -> bool:
        """Whether a camera's output is in place and made from these very inputs and settings."""
        stage = _stage(plan, "finish")
        return self.plan.store.done(stage, self._finish_fingerprint(plan)) and is_same_file(
            plan.destination, self.facts(stage)
        )

    def _run_stage(
        self,
        pool: WorkerPool,
        name: str,
        function: Callable[[Any], Any],
        tasks: Sequence[Task],
        at_once: int | None = None,
    ) -> None:
        store = self.plan.store
        pending = {id(task.job): task for task in tasks if not store.done(task.stage, task.fingerprint)}
        self._current |= {task.stage for task in tasks} - {task.stage for task in pending.values()}
        frames = sum(task.frames for task in pending.values())
        started = time.perf_counter()
        if pending:
            title = f"{self.plan.session.name}: {name}"
            for job, result in pool.run(
                function, [t.job for t in pending.values()], title=title, frames=frames, at_once=at_once
            ):
                task = pending[id(job)]
                if isinstance(result, Exception):
                    self._note_failure(task.camera, name, result)
                else:
                    self._current.add(task.stage)
                    store.finish(task.stage, task.fingerprint, files=task.files, facts=asdict(result) | task.facts)
        measured = f"timing/{name}"
        if pending:
            store.finish(measured, "", files=[], facts={"frames": frames, "seconds": time.perf_counter() - started})
        if facts := store.facts(measured):
            self.timings.append(StageTiming(stage=name, skipped=not pending, **facts))

    def _note_failure(self, camera: str, stage: str, error: Exception) -> None:
        self._failed.add(camera)
        text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        sentence = f"{camera}: not anonymized, {stage} failed. {text}"
        if sentence not in self.problems:
            self.problems.append(sentence)

    def _require_regions(self) -> None:
        for plan in self.healthy:
            stage = _stage(plan, "place")
            made_from = self.plan.store.fingerprint(stage) or ""
            if not self.plan.store.done(stage, made_from):
                raise UserError(
                    f"--render-only needs the regions of an earlier run in {self.plan.store.root}; "
                    f"there are none for {plan.camera.name}. Run once without it."
                )
            if made_from.split(":")[0] != self._recording(plan):
                raise UserError(
                    f"--render-only: the stored regions of {plan.camera.name} are of another recording or another "
                    "--start and --end. Run once without it."
                )

    def _hash_tasks(self) -> list[Task]:
        tasks = []
        for plan in self.plan.cameras:
            files = plan.camera.files
            paths = [files] if not isinstance(files, tuple) else list(files)
            state = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
            job = jobs.HashJob(plan.camera, plan.stop - plan.first)
            tasks.append(Task(_stage(plan, "hash"), config_hash(state), [], job, plan.camera.name, job.frames))
        return tasks

    def _recording(self, plan: CameraPlan) -> str:
        """What the regions belong to: this very file, cut in this very way."""
        digest = self.facts(_stage(plan, "hash"))["sha256"]
        cut = [(segment.first, segment.stop) for segment in plan.segments]
        return config_hash(SCHEMA_VERSION, digest, cut, plan.shift, plan.camera.fps)

    def _analyse_fingerprint(self, plan: CameraPlan) -> str:
        config, options = self.config, self.options
        return config_hash(
            self._recording(plan),
            [weights.sha256 for weights in self.weights],
            [config.detection, config.pose, config.face],
            [options.device, options.precision],
        )

    def _analyse_tasks(self) -> list[Task]:
        models = model_settings(self.weights, self.options, threads=self._threads)
        tasks = []
        for plan in self.healthy:
            fingerprint = self._analyse_fingerprint(plan)
            for segment in plan.segments:
                files = [plan.file(name, segment) for name in ("frames", "persons", "keypoints", "faces")]
                job = jobs.AnalyseJob(plan, segment, models, self.config)
                stage = _stage(plan, "analyse", segment.number)
                tasks.append(Task(stage, fingerprint, files, job, plan.camera.name, len(segment)))
        return tasks

    def _place_tasks(self) -> list[Task]:
        config = self.config
        tasks = []
        for plan in self.healthy:
            fingerprint = f"{self._recording(plan)}:" + config_hash(
                self._analyse_fingerprint(plan),
                [config.tracking, config.face_tracking, config.regions, config.risk],
                [plan.camera.always, plan.camera.never],
            )
            files = [plan.file(name) for name in ("tracks", "face_tracks")]
            files += [plan.file("regions", segment) for segment in plan.segments] + [plan.file("audit", suffix=".json")]
            job = jobs.PlaceJob(plan, config, self.missing(plan, "analyse"))
            facts = {"weights": [asdict(weights) for weights in self.weights]}
            tasks.append(
                Task(_stage(plan, "place"), fingerprint, files, job, plan.camera.name, plan.stop - plan.first, facts)
            )
        return tasks

    def _render_fingerprint(self, plan: CameraPlan) -> str:
        return config_hash(
            self.plan.store.fingerprint(_stage(plan, "place")),
            [self.options.method, self.config.operators, self.config.video],
            plan.encoding,
        )

    def _render_tasks(self) -> list[Task]:
        tasks = []
        for plan in self.healthy:
            if self.finished(plan):
                continue
            with explained(plan.destination):
                set_aside(plan)
            fingerprint = self._render_fingerprint(plan)
            for segment in plan.segments:
                job = jobs.RenderJob(plan, segment, self.options.method, self.config, self._threads)
                stage, files = _stage(plan, "render", segment.number), [plan.segment_file(segment)]
                tasks.append(Task(stage, fingerprint, files, job, plan.camera.name, len(segment)))
        return tasks

    def _finish_fingerprint(self, plan: CameraPlan) -> str:
        return config_hash(self._render_fingerprint(plan), self.options.audio, plan.destination.name)

    def _finish_tasks(self) -> list[Task]:
        tasks = []
        for plan in self.healthy:
            if self.finished(plan):
                continue
            job = jobs.FinishJob(plan, self.options.audio, self.missing(plan))
            files = [os.path.relpath(plan.destination, plan.store)]
            tasks.append(
                Task(_stage(plan, "finish"), self._finish_fingerprint(plan), files, job, plan.camera.name,
                     plan.stop - plan.first)
            )  # fmt: skip
        return tasks


def _stage(plan: CameraPlan, name: str, number: int | None = None) -> str:
    return f"{plan.camera.name}/{name}" + ("" if number is None else f"/{number:05d}")
