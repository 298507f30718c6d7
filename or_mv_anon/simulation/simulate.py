"""Makes a simulated site: a recording as hospitals have it, and the ground truth beside it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from or_mv_anon import __version__
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained, write_atomically
from or_mv_anon.core.lock import hold
from or_mv_anon.core.truth import Truth, load_truth, save_truth
from or_mv_anon.core.workers import WorkerPool, available_cores
from or_mv_anon.evaluation.truth_coco import write_coco
from or_mv_anon.simulation.cameras.schedule import Schedule
from or_mv_anon.simulation.chunks import METERED_INSTANTS, Take, join_cameras, make_chunk, meter_camera
from or_mv_anon.simulation.output_folder import MADE_WITH, OutputFolder
from or_mv_anon.simulation.recorder import join_recording
from or_mv_anon.simulation.simulation_options import SimulationOptions
from or_mv_anon.simulation.site_writer import write_site_settings

if TYPE_CHECKING:
    from or_mv_anon.simulation.theatre import TheatreStage

_EXTRA = ("anny", "moderngl", "torch")
_TAKE = 6  # keeps this use of the seed apart from others


@dataclass(frozen=True)
class Made:
    """What `simulate_site` made.

    Attributes:
        truth: the ground truth as saved.
        pictures: how many were rendered in this run.
        seconds: that rendering them took.
        device: that rendered them; None when nothing was left to render.
    """

    truth: Truth
    pictures: int
    seconds: float
    device: str | None


def simulate_site(options: SimulationOptions) -> Made:
    """Make the site that `options` describe, or finish the one that an earlier run began.

    Raises:
        UserError: the folder holds something else, cannot be written, or the extra `sim` is missing.
    """
    settings = options.to_json() | {"version": __version__}
    if options.overwrite or not OutputFolder(options.out).is_finished(settings):
        _demand_extra()
    with hold(options.out):
        return _simulate(options, settings)


def _demand_extra() -> None:
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"The simulator needs {' and '.join(missing)}, not found here; install its extra with: "
            'pip install "or_mv_anon[sim]"'
        )


def _simulate(options: SimulationOptions, settings: dict[str, Any]) -> Made:
    folder = OutputFolder(options.out)
    if options.overwrite:
        folder.clear()
    if folder.is_finished(settings):
        return Made(load_truth(folder.truth), 0, 0.0, None)
    folder.begin(settings)
    made = _record(options, folder, settings)
    with explained(folder.work):
        shutil.rmtree(folder.work)
    return made


def _record(options: SimulationOptions, folder: OutputFolder, settings: dict[str, Any]) -> Made:
    from or_mv_anon.simulation.theatre import site_cameras

    take = _take(options)
    cameras = site_cameras(options)
    schedules = take.schedules(cameras)
    chunks = take.chunks()
    left = [number for number in range(len(chunks)) if not folder.chunk(number).exists()]
    pictures = sum(_pictures(schedules, chunks[number]) for number in left)
    workers = options.workers or available_cores()
    rendered: list[_Rendered] = []
    with WorkerPool(max(1, min(workers, max(len(left), len(cameras))))) as pool:
        gains = _gains(pool, options, folder, len(cameras)) if left else []
        jobs = [_ChunkJob(options, number, tuple(gains), folder.chunk(number), workers) for number in left]
        rendered += _results(pool.run(_make_one_chunk, jobs, title="render", frames=pictures))
    source = {"tool": "or_mv_anon simulate", MADE_WITH: settings}
    parts = [load_truth(folder.chunk(number)) for number in range(len(chunks))]
    truth = Truth(join_cameras(parts), parts[0].actions, parts[0].people, source)
    _publish(truth, folder, options, schedules, len(chunks))
    if not rendered:
        return Made(truth, 0, 0.0, None)
    seconds = max(chunk.stopped for chunk in rendered) - min(chunk.started for chunk in rendered)
    return Made(truth, pictures, seconds, rendered[0].device)


def _publish(
    truth: Truth, folder: OutputFolder, options: SimulationOptions, schedules: Sequence[Schedule], chunks: int
) -> None:
    """Videos first, `truth.json` last: a folder that has it is complete."""
    with explained(folder.recording):
        folder.recording.mkdir(exist_ok=True)
        folder.truth.mkdir(exist_ok=True)
    offsets = {}
    for (name, camera), schedule in zip(truth.cameras.items(), schedules, strict=True):
        segments = [folder.chunk(number) / f"{name}.mp4" for number in range(chunks)]
        join_recording(folder.recording / f"{name}.mp4", segments, schedule, size=(camera.width, camera.height))
        offsets[name] = schedule.offset
    write_site_settings(folder.recording, name=f"Simulated theatre {options.seed}", offsets=offsets)
    write_coco(truth, folder.truth / "coco.json")
    save_truth(folder.truth, truth)


def _take(options: SimulationOptions) -> Take:
    seed = int(np.random.SeedSequence([options.seed, options.session, _TAKE]).generate_state(1)[0])
    return Take(seed=seed, instants=options.instants, rate=options.rate, crf=options.crf)


def _pictures(schedules: Sequence[Schedule], instants: range) -> int:
    rows = [schedule.between(instants.start, instants.stop) for schedule in schedules]
    return sum(row.stop - row.start for row in rows)


def _gains(pool: WorkerPool, options: SimulationOptions, folder: OutputFolder, cameras: int) -> list[float]:
    """The cameras' automatic exposures, measured once per site and kept."""
    kept = folder.work / "gains.json"
    try:
        gains = json.loads(kept.read_text())
        if isinstance(gains, list) and len(gains) == cameras:
            return gains
    except (OSError, ValueError):
        pass
    workers = options.workers or available_cores()
    jobs = [_MeterJob(options, number, workers) for number in range(cameras)]
    found = dict(_results(pool.run(_meter_one_camera, jobs, title="set up", frames=METERED_INSTANTS * cameras)))
    gains = [found[number] for number in range(cameras)]
    write_atomically(kept, lambda part: part.write_text(json.dumps(gains)))
    return gains


def _results(outcomes: Iterable[tuple[Any, Any]]) -> list[Any]:
    """The results of jobs; the first failure ends the run."""
    results = []
    for _, outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
        results.append(outcome)
    return results


@dataclass(frozen=True)
class _MeterJob:
    options: SimulationOptions
    camera: int
    workers: int


@dataclass(frozen=True)
class _ChunkJob:
    options: SimulationOptions
    number: int
    gains: tuple[float, ...]
    folder: Path
    workers: int


def _meter_one_camera(job: _MeterJob) -> tuple[int, float]:
    gain = meter_camera(_stage(job.options, job.workers), _take(job.options), job.camera)
    return job.camera, gain


@dataclass(frozen=True)
class _Rendered:
    """Which device made a chunk, and when, in seconds of the machine's monotonic clock."""

    device: str
    started: float
    stopped: float


def _make_one_chunk(job: _ChunkJob) -> _Rendered:
    stage, take = _stage(job.options, job.workers), _take(job.options)
    started = time.monotonic()
    make_chunk(stage, take, take.chunks()[job.number], job.gains, job.folder)
    return _Rendered(stage.device, started, time.monotonic())


@lru_cache(maxsize=1)
def _stage(options: SimulationOptions, workers: int) -> TheatreStage:
    """This process's own copy of the site, built once."""
    threads = str(max(1, available_cores() // workers))
    os.environ["LP_NUM_THREADS"] = threads  # Mesa's software renderer; read when the context opens
    os.environ["OMP_NUM_THREADS"] = threads
    from or_mv_anon.simulation.theatre import TheatreStage

    return TheatreStage(options)
