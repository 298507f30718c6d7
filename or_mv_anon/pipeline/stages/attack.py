"""``--attack``: recognizers try to match the faces of the finished output with the recording's; only scores stay."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.attack.face_pairs import AttackedCamera
from or_mv_anon.attack.session import attack_session
from or_mv_anon.core.config import AttackConfig, config_hash
from or_mv_anon.core.records import Identities, Regions
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.workers import count_frames
from or_mv_anon.models import landmarks
from or_mv_anon.models.catalogue import weights_named
from or_mv_anon.models.recognizers import WEIGHTS, open_recognizers
from or_mv_anon.models.registry import fetch
from or_mv_anon.operators.drawn.release_check import chosen
from or_mv_anon.pipeline.artifacts import read_joined
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.stage import ALL_CAMERAS, Task
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.reader import open_source
from or_mv_anon.video.segments import Segment

if TYPE_CHECKING:
    from or_mv_anon.pipeline.runner import SessionRun

ATTACK = "attack"
LEAST_FACE_SCORE = 0.6  # an attacker enrols faces that are clearly seen


@dataclass(frozen=True)
class AttackJob:
    """Attack a session's output with its own recording.

    Attributes:
        plans: of the cameras that have an output.
        missing: for each of them the timestamps of frames that its output lacks.
        associated: whether the tracks' identities over all cameras are known.
        config: which recognizers, and how many looks.
        weights_dir: where their weights may lie.
    """

    plans: tuple[CameraPlan, ...]
    missing: tuple[tuple[int, ...], ...]
    associated: bool
    config: AttackConfig
    weights_dir: Path | None


@dataclass(frozen=True)
class Attacked:
    """What an `AttackJob` reports."""

    seconds: float
    result: dict[str, Any]


def require_attackers(options: Options, config: AttackConfig) -> None:
    """Look before the job whether the attack that is asked for can be made after it.

    Raises:
        UserError: a recognizer's package or weights are not to be had.
    """
    if options.attack:
        fetch(landmarks.WEIGHTS, weights_dir=options.weights_dir)
        open_recognizers(chosen(config.recognizers), weights_dir=options.weights_dir)


def attack_tasks(run: SessionRun) -> list[Task]:
    """One for the session, if the attack is asked for and a room camera has an output."""
    plans = tuple(plan for plan in run.of_kind("room") if run.finished(plan))
    if not run.options.attack or not plans:
        return []
    config = run.config.attack
    names = [landmarks.WEIGHTS, *(WEIGHTS[name] for name in chosen(config.recognizers))]
    fingerprint = config_hash(
        [run.plan.store.fingerprint(plan.stage("finish")) for plan in plans],
        [weights_named(name).sha256 for name in names],
        config,
    )
    associated = all(run.facts(plan.stage("place")).get("associated") for plan in plans)
    job = AttackJob(plans, tuple(map(run.missing, plans)), associated, config, run.options.weights_dir)
    made_of = [plan.stage("finish") for plan in plans]
    frames = sum(plan.stop - plan.first for plan in plans)
    return [Task(ATTACK, fingerprint, [], job, ALL_CAMERAS, frames, made_of=made_of)]


def attack_output(job: AttackJob) -> Attacked:
    """Try to match the covered faces; no picture and no face's description leaves this process."""
    started = time.perf_counter()
    cameras = [_attacked(plan, missing, job) for plan, missing in zip(job.plans, job.missing, strict=True)]
    found = attack_session(
        cameras,
        open_recognizers(chosen(job.config.recognizers), weights_dir=job.weights_dir),
        landmarks.LandmarkFinder(fetch(landmarks.WEIGHTS, weights_dir=job.weights_dir), min_score=LEAST_FACE_SCORE),
        looks_per_track=job.config.looks_per_track,
        seed=job.config.seed,
    )
    return Attacked(time.perf_counter() - started, found.as_dict())


def _attacked(plan: CameraPlan, missing: tuple[int, ...], job: AttackJob) -> AttackedCamera:
    regions = read_joined(plan, "regions", Regions)
    return AttackedCamera(
        name=plan.camera.name,
        original=partial(_original_frames, plan),
        anonymized=partial(_output_frames, plan, missing),
        regions=regions,
        identities=_identities(plan, regions, job),
    )


def _identities(plan: CameraPlan, regions: Regions, job: AttackJob) -> dict[int, int]:
    """Who each person track is; where cameras were treated one by one, every track is somebody else."""
    if job.associated:
        known = RunStore(plan.store).read(plan.file("identities"), Identities)
        return dict(zip(known.track.tolist(), known.identity.tolist(), strict=True))
    tracks = np.unique(regions.track[regions.track >= 0]).tolist()
    return {track: len(job.plans) * track + job.plans.index(plan) for track in tracks}


def _original_frames(plan: CameraPlan, numbers: NDArray[np.intp]) -> Iterator[tuple[int, Frame]]:
    """The recording's frames called `numbers`, counted from the first of this run, in order, with these numbers."""
    source = open_camera(plan.camera, plan.store)
    wanted = np.zeros(source.n_frames, bool)
    wanted[plan.first + np.asarray(numbers, int)] = True
    passed = plan.first
    for segment in plan.segments:
        if wanted[segment.first : segment.stop].any():
            for frame in source.frames(segment, wanted=wanted):
                count_frames(frame.index - passed)
                passed = frame.index
                yield frame.index - plan.first, frame
    count_frames(plan.stop - passed)


def _output_frames(
    plan: CameraPlan, missing: tuple[int, ...], numbers: NDArray[np.intp]
) -> Iterator[tuple[int, Frame]]:
    """The same frames of the output, which lacks those that could not be decoded."""
    pts = open_camera(plan.camera, plan.store).pts[plan.first : plan.stop]
    written = np.flatnonzero(~np.isin(pts, missing))
    output = open_source(plan.destination)
    for frame in output.frames(Segment(0, 0, output.n_frames), wanted=np.isin(written, numbers)):
        yield int(written[frame.index]), frame
