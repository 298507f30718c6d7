"""``--attack``: recognizers try to match the faces of the finished output with the recording's; only scores stay."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.attack.face_pairs import AttackedCamera
from or_mv_anon.attack.session import attack_session
from or_mv_anon.core.config import AttackConfig, config_hash
from or_mv_anon.core.records import Regions
from or_mv_anon.core.run_layout import IDENTITIES, REGIONS
from or_mv_anon.core.workers import count_frames
from or_mv_anon.models import landmarks
from or_mv_anon.models.catalogue import weights_named
from or_mv_anon.models.recognizers import WEIGHTS, open_recognizers
from or_mv_anon.models.registry import fetch
from or_mv_anon.operators.drawn.release_check import chosen
from or_mv_anon.pipeline.artifacts import read_joined
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.pipeline.stage import ALL_CAMERAS, Stage, Task
from or_mv_anon.pipeline.stages.finish import FINISH
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import open_source

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
    regions = read_joined(plan, REGIONS)
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
        known = plan.read(IDENTITIES)
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


class AttackStage(Stage):
    """Lets recognizers try the finished outputs, if that is asked for and a room camera has one."""

    name = "attack"
    scope = "session"
    costs = "nothing"
    run = staticmethod(attack_output)

    def key(self, context: RunContext, plans: Sequence[CameraPlan]) -> str:
        """What its result rests on."""
        config = context.spec.config.attack
        names = [landmarks.WEIGHTS, *(WEIGHTS[name] for name in chosen(config.recognizers))]
        return config_hash(
            [context.store.fingerprint(plan.stage(FINISH.name)) for plan in plans],
            [weights_named(name).sha256 for name in names],
            config,
        )

    def tasks(self, context: RunContext) -> list[Task]:
        """One for the session."""
        plans = tuple(plan for plan in context.cameras(self) if FINISH.done(context, plan))
        if not context.spec.attack or not plans:
            return []
        associated = all(context.facts(plan.stage("place")).get("associated") for plan in plans)
        missing = tuple(map(context.missing, plans))
        job = AttackJob(plans, missing, associated, context.spec.config.attack, context.spec.weights_dir)
        made_of = [plan.stage(FINISH.name) for plan in plans]
        frames = sum(map(len, plans))
        return [Task(self.name, self.key(context, plans), [], job, ALL_CAMERAS, frames, made_of=made_of)]

    def failed(self, camera: str, text: str) -> str:
        """The sentence about a failure."""
        return f"The attack on this output could not be made. {text}"


ATTACK = AttackStage()
