"""One session's way through the stages: what is done already is skipped, what fails costs its own camera only.

Stages: hash the inputs, analyse (per segment), track people (per camera), associate them (all cameras together), place
regions (per camera), render (per segment), finish (per camera). An endoscope's camera is judged instead of analysed,
and covered whole instead of in places; the rest is the same. Each stage is skipped when the manifest shows that it was
done from the same inputs, weights and settings.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from or_mv_anon.audit.document import StageTiming
from or_mv_anon.core.config import PipelineConfig, config_hash
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained
from or_mv_anon.core.records import SCHEMA_VERSION
from or_mv_anon.core.workers import WorkerPool, available_cores, default_workers
from or_mv_anon.endoscopy.classifier import ROLE
from or_mv_anon.endoscopy.settings import EndoscopyConfig
from or_mv_anon.operators.cells import Method
from or_mv_anon.pipeline.learned_method import Learned
from or_mv_anon.pipeline.media import BLOCKS, CameraPlan, discard_leftovers, set_aside
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.plan import SessionPlan, Weights, weights_for_session
from or_mv_anon.pipeline.stage import ALL_CAMERAS, SealedJob, SealedResult, Task, run_sealed
from or_mv_anon.pipeline.stages import endoscope, pixels
from or_mv_anon.pipeline.stages import tasks as room_tasks
from or_mv_anon.pipeline.stages.associate import associate_session
from or_mv_anon.pipeline.stages.attack import ATTACK, attack_output, attack_tasks
from or_mv_anon.pipeline.stages.endoscope import cover_tasks, judge_tasks
from or_mv_anon.pipeline.stages.place import place
from or_mv_anon.pipeline.stages.track import track
from or_mv_anon.site import Kind

THIS_PROCESS = uuid.uuid4().hex
"""Hashes of recordings count in the process that made them: files can change and keep their size and time."""


class SessionRun:
    """One session's way through the stages."""

    def __init__(
        self,
        plan: SessionPlan,
        options: Options,
        config: PipelineConfig,
        weights: list[Weights],
        endoscopy: EndoscopyConfig,
        learned: Learned | None = None,
    ) -> None:
        self.learned = learned
        self.plan = plan
        self.options = options
        self.config = config
        self.weights = weights_for_session(weights, plan.session)
        self.endoscopy = endoscopy
        self.problems = list(plan.problems)
        self.timings: list[StageTiming] = []
        self._workers = options.workers or default_workers(len(plan.cameras))
        self.threads = max(1, available_cores() // self._workers)
        self._failed: set[str] = set()
        self._current: set[str] = set()

    def run(self, *, render: bool = True) -> None:
        """Run what is not done yet; without `render` only up to the regions."""
        try:
            self._run(render=render)
        finally:
            self.plan.store.save()

    def _run(self, *, render: bool) -> None:
        with WorkerPool(self._workers) as pool:
            self._run_stage(pool, "hash", pixels.hash_input, self._hash_tasks())
            if self.options.render_only:
                self._require_regions()
            else:
                self._run_stage(pool, "analyse", pixels.analyse, room_tasks.analyse_tasks(self))
                self._run_stage(pool, "judge", endoscope.judge, judge_tasks(self))
                self._run_stage(pool, "decide", endoscope.cover, cover_tasks(self))
        rooms = [] if self.options.render_only else self.of_kind("room")
        if not rooms and not render:
            return
        with WorkerPool(self._workers) as pool:  # fresh processes, without the networks' memory
            if rooms:
                # One camera at a time: these stages hold a whole recording's boxes in memory.
                self._run_stage(pool, "track", track, room_tasks.track_tasks(self), at_once=1)
                self._run_stage(pool, room_tasks.ASSOCIATE, associate_session, room_tasks.associate_tasks(self))
                self._run_stage(pool, "place", place, room_tasks.place_tasks(self), at_once=1)
            if render:
                self._run_stage(pool, "render", pixels.render, self._render_tasks())
                self._run_stage(pool, "finish", pixels.finish, self._finish_tasks())
                for plan in self.healthy:
                    if self.finished(plan):
                        discard_leftovers(plan)
                self._run_stage(pool, ATTACK, attack_output, attack_tasks(self))

    @property
    def healthy(self) -> list[CameraPlan]:
        """The cameras in which nothing has failed so far."""
        return [plan for plan in self.plan.cameras if plan.camera.name not in self._failed]

    def is_current(self, plan: CameraPlan, stage: str) -> bool:
        """Whether what `stage` noted is about this run's result, and not about one with other settings."""
        return stage in self._current or self.finished(plan)

    @property
    def associated(self) -> bool:
        """Whether the cameras' tracks were associated for this very run."""
        return room_tasks.ASSOCIATE in self._current

    @property
    def attacked(self) -> bool:
        """Whether this very output was attacked."""
        return ATTACK in self._current

    def placed(self, plan: CameraPlan) -> bool:
        """Whether the stored regions of a camera are of these very inputs, weights and settings."""
        return plan.stage("place") in self._current

    def facts(self, stage: str) -> dict[str, Any]:
        """What the stage noted in this run or an earlier one."""
        return self.plan.store.facts(stage)

    def missing(self, plan: CameraPlan, stage: str = "render") -> tuple[int, ...]:
        """Timestamps of a camera's frames that `stage` could not decode; the analysis does not look at all frames."""
        parts = [self.facts(plan.stage(stage, segment)).get("missing", []) for segment in plan.segments]
        return tuple(sorted({pts for part in parts for pts in part}))

    def finished(self, plan: CameraPlan) -> bool:
        """Whether a camera's output is in place, made from these very inputs and settings, and as it was then."""
        return self.placed(plan) and self.plan.store.trusted(plan.stage("finish"), self._finish_fingerprint(plan))

    def _run_stage(
        self,
        pool: WorkerPool,
        name: str,
        function: Callable[[Any], Any],
        tasks: Sequence[Task],
        at_once: int | None = None,
    ) -> None:
        store = self.plan.store
        done = {task.stage for task in tasks if store.trusted(task.stage, task.fingerprint)}
        self._current |= done
        pending = {}
        for task in tasks:
            if task.stage not in done:
                self._tell_changes(task)
                places = {file: store.place(task.moved.get(file, file)) for file in task.files}
                job = SealedJob(function, task.job, places)
                pending[id(job)] = task, job
        frames = sum(task.frames for task, _ in pending.values())
        started = time.perf_counter()
        if pending:
            store.begin({task.stage: [*task.files, *task.moved.values()] for task, _ in pending.values()})
            title = f"{self.plan.session.name}: {name}"
            for job, result in pool.run(
                run_sealed, [job for _, job in pending.values()], title=title, frames=frames, at_once=at_once
            ):
                task, _ = pending[id(job)]
                if isinstance(result, SealedResult):
                    self._keep(task, name, result)
                else:
                    self._note_failure(task, name, result)
            store.note_timing(name, {"frames": frames, "seconds": time.perf_counter() - started})
        if facts := store.timing(name):
            self.timings.append(StageTiming(stage=name, skipped=not pending, **facts))

    def _keep(self, task: Task, name: str, done: SealedResult) -> None:
        try:
            self.plan.store.finish(
                task.stage,
                task.fingerprint,
                files=task.files,
                facts=asdict(done.result) | task.facts,
                made_of=task.made_of,
                sealed=done.sealed,
                moved=task.moved,
            )
        except UserError as error:
            self._note_failure(task, name, error)
        else:
            self._current.add(task.stage)

    def _tell_changes(self, task: Task) -> None:
        """Say where a result is made again although nothing that it rests on has changed."""
        store = self.plan.store
        if store.fingerprint(task.stage) != task.fingerprint:
            return
        if changed := [path for name in store.changed(task.stage) if (path := store.place(name)).exists()]:
            print(f"- {changed[0]} was changed or damaged after it was written; it is made again.", flush=True)

    def _note_failure(self, task: Task, stage: str, error: Exception) -> None:
        text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        if stage == ATTACK:
            sentence = f"The attack on this output could not be made. {text}"
        elif task.camera == ALL_CAMERAS:
            sentence = f"Cameras were treated one by one, because {stage} failed. {text}"
        else:
            self._failed.add(task.camera)
            sentence = f"{task.camera}: not anonymized, {stage} failed. {text}"
        if sentence not in self.problems:
            self.problems.append(sentence)

    def _require_regions(self) -> None:
        for plan in self.healthy:
            stage = plan.stage("place")
            made_from = self.plan.store.fingerprint(stage)
            if made_from is None:
                raise UserError(
                    f"--render-only needs the regions of an earlier run in {self.plan.store.root}; "
                    f"there are none for {plan.camera.name}, or a later run began anew. Run once without it."
                )
            if changed := self.plan.store.changed(stage):
                raise UserError(
                    f"--render-only: {self.plan.store.root / changed[0]} is not what the earlier run wrote. What is "
                    "covered cannot be changed by editing stored files; run once without --render-only to remake them."
                )
            if made_from.split(":")[0] != self.recording(plan):
                raise UserError(
                    f"--render-only: the stored regions of {plan.camera.name} are of another recording or another "
                    "--start and --end. Run once without it."
                )
            self._current.add(stage)

    def _hash_tasks(self) -> list[Task]:
        tasks = []
        for plan in self.plan.cameras:
            job = pixels.HashJob(plan)
            files = [plan.file(BLOCKS)]
            fingerprint = config_hash(THIS_PROCESS, plan.signature)
            tasks.append(Task(plan.stage("hash"), fingerprint, files, job, plan.camera.name, job.frames))
        return tasks

    def recording(self, plan: CameraPlan) -> str:
        """What the regions belong to: this very file, cut in this very way."""
        digest = self.facts(plan.stage("hash"))["sha256"]
        cut = [(segment.first, segment.stop) for segment in plan.segments]
        index = self.plan.store.fingerprint(plan.stage("index"))
        return config_hash(SCHEMA_VERSION, digest, index, cut, plan.shift, plan.camera.fps)

    def weights_for(self, plan: CameraPlan) -> list[Weights]:
        """The weights of the networks that look at a camera."""
        scoped = plan.camera.kind == "endoscope"
        return [weights for weights in self.weights if (weights.role == ROLE) == scoped]

    def analyse_fingerprint(self, plan: CameraPlan) -> str:
        """What a camera's analysis rests on."""
        config, options = self.config, self.options
        rooms = [config.detection, config.pose, config.face, config.still, config.appearance]
        rooms += [config.verdict.least_change]
        return config_hash(
            self.recording(plan),
            [weights.sha256 for weights in self.weights_for(plan)],
            [self.endoscopy.judging] if plan.camera.kind == "endoscope" else rooms,
            [options.device, options.precision],
        )

    def of_kind(self, kind: Kind) -> list[CameraPlan]:
        """The healthy cameras of a kind."""
        return [plan for plan in self.healthy if plan.camera.kind == kind]

    def _render_fingerprint(self, plan: CameraPlan) -> str:
        drawn = []
        if (learned := self._learned_for(plan)) is not None:
            networks = [weights.sha256 for weights in learned.weights]
            drawn = [self.config.learned, networks, self.options.device, self.options.precision]
        return config_hash(
            self.plan.store.fingerprint(plan.stage("place")),
            [self.operator, self.config.operators, self.config.video],
            plan.encoding,
            *drawn,
        )

    @property
    def operator(self) -> Method:
        """What covers regions wherever no head is drawn over them."""
        return self.config.learned.strict if self.options.method == "learned" else self.options.method

    def _learned_for(self, plan: CameraPlan) -> Learned | None:
        """An endoscope's pictures are covered whole, so there is nothing to draw."""
        return self.learned if plan.camera.kind == "room" else None

    def _render_tasks(self) -> list[Task]:
        tasks = []
        for plan in self.healthy:
            if self.finished(plan):
                continue
            self._set_aside(plan)
            fingerprint = self._render_fingerprint(plan)
            learned = self._learned_for(plan)
            settings = None if learned is None else learned.settings
            for segment in plan.segments:
                job = pixels.RenderJob(plan, segment, self.operator, self.config, self.threads, settings)
                stage, files = plan.stage("render", segment), [plan.segment_file(segment)]
                made_of = [plan.stage("place")]
                tasks.append(Task(stage, fingerprint, files, job, plan.camera.name, len(segment), made_of=made_of))
        return tasks

    def _set_aside(self, plan: CameraPlan) -> None:
        """Make room for a camera's output, once nothing vouches for what is there."""
        store = self.plan.store
        own = store.owns(plan.output)
        store.withdraw([plan.stage("finish")])
        with explained(plan.destination):
            if sentence := set_aside(plan, own=own):
                self.problems.append(sentence)

    def _finish_fingerprint(self, plan: CameraPlan) -> str:
        return config_hash(self._render_fingerprint(plan), self.options.audio, plan.destination.name)

    def _finish_tasks(self) -> list[Task]:
        tasks = []
        for plan in self.healthy:
            if self.finished(plan):
                continue
            job = pixels.FinishJob(plan, self.options.audio, self.missing(plan))
            task = Task(
                plan.stage("finish"),
                self._finish_fingerprint(plan),
                [plan.output],
                job,
                plan.camera.name,
                plan.stop - plan.first,
                made_of=[plan.stage("render", segment) for segment in plan.segments],
                moved={plan.output: plan.joined_file},
            )
            tasks.append(task)
        return tasks
