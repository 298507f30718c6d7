"""Takes one session through a list of stages: what is done already is skipped, what fails costs what its stage says.

It knows stages, an executor and the manifest, nothing else. A stage is skipped when the manifest shows that it was done
from the same inputs, weights and settings, and that its files are as they were then.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict

from or_mv_anon.audit.document import StageTiming
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.executor import Executor
from or_mv_anon.core.listening import tell
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.stage import SealedJob, SealedResult, Stage, Task, run_sealed

FEW_FRAMES = 500  # of all cameras; what later stages hold of so few has room beside the networks


def run_stages(context: RunContext, stages: Sequence[Stage], executor: Executor) -> None:
    """Run what is not done yet of every stage, one stage after another."""
    loaded = 0  # frames that networks are to look at
    try:
        for stage in stages:
            if loaded > FEW_FRAMES and not stage.networks:
                executor.renew()  # fresh processes, without the networks' memory
                loaded = 0
            tasks = stage.tasks(context)
            loaded += sum(task.frames for task in tasks) if stage.networks else 0
            if tasks or stage.name in context.store.manifest.timings:
                _run_stage(context, stage, tasks, executor)
            stage.after(context)
    finally:
        context.store.save()


def _run_stage(context: RunContext, stage: Stage, tasks: Sequence[Task], executor: Executor) -> None:
    store = context.store
    done = {task.stage for task in tasks if store.trusted(task.stage, task.fingerprint)}
    context.current |= done
    pending = {}
    for task in tasks:
        if task.stage not in done:
            _tell_changes(context, task)
            places = {file: store.place(task.moved.get(file, file)) for file in task.files}
            job = SealedJob(stage.run, task.job, places)
            pending[id(job)] = task, job
    frames = sum(task.frames for task, _ in pending.values())
    started = time.perf_counter()
    if pending:
        store.begin({task.stage: [*task.files, *task.moved.values()] for task, _ in pending.values()})
        title = f"{context.plan.session.name}: {stage.name}"
        jobs = [job for _, job in pending.values()]
        done_jobs = executor.run(
            run_sealed, jobs, title=title, frames=frames, at_once=stage.at_once, networks=stage.networks
        )
        for job, result in done_jobs:
            task, _ = pending[id(job)]
            if isinstance(result, SealedResult):
                _keep(context, stage, task, result)
            else:
                _note_failure(context, stage, task, result)
        store.note_timing(stage.name, {"frames": frames, "seconds": time.perf_counter() - started})
    if facts := store.timing(stage.name):
        context.timings.append(StageTiming(stage=stage.name, skipped=not pending, **facts))


def _keep(context: RunContext, stage: Stage, task: Task, done: SealedResult) -> None:
    try:
        context.store.finish(
            task.stage,
            task.fingerprint,
            files=task.files,
            facts=asdict(done.result) | task.facts,
            made_of=task.made_of,
            sealed=done.sealed,
            moved=task.moved,
        )
    except UserError as error:
        _note_failure(context, stage, task, error)
    else:
        context.current.add(task.stage)


def _tell_changes(context: RunContext, task: Task) -> None:
    """Say where a result is made again although nothing that it rests on has changed."""
    store = context.store
    if store.fingerprint(task.stage) != task.fingerprint:
        return
    if changed := [path for name in store.changed(task.stage) if (path := store.place(name)).exists()]:
        tell(f"- {changed[0]} was changed or damaged after it was written; it is made again.")


def _note_failure(context: RunContext, stage: Stage, task: Task, error: Exception) -> None:
    text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    if stage.costs == "camera":
        context.failed.add(task.camera)
    context.note(stage.failed(task.camera, text))
