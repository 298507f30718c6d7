"""Makes a recording second by second: each chunk of time is a folder of its own, so that a stopped run can go on.

A chunk holds one video segment per camera and the ground truth of its frames. It depends on the options and its number
alone, not on which process made it or when.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from or_mv_anon.core.files import partial_path, publish
from or_mv_anon.core.truth import CameraTruth, FaceMasks, Truth, TruthFrames, TruthPeople, save_truth
from or_mv_anon.core.workers import count_frames
from or_mv_anon.simulation.cameras.placing import Camera
from or_mv_anon.simulation.cameras.schedule import Schedule, plan_schedule
from or_mv_anon.simulation.cameras.sensor import develop, meter
from or_mv_anon.simulation.recorder import SegmentRecorder
from or_mv_anon.simulation.stage import Stage
from or_mv_anon.simulation.truth_maker import Seen, TruthCollector

_NOISE = 61  # keeps this use of the seed apart from others
METERED_INSTANTS = 3


@dataclass(frozen=True, kw_only=True)
class Take:
    """What all chunks of a recording share.

    Attributes:
        seed: of dropped frames and noise.
        instants: the session's common moments.
        rate: of the instants, per second.
        crf: of the videos.
    """

    seed: int
    instants: int
    rate: Fraction
    crf: int

    @property
    def chunk_length(self) -> int:
        """Instants per chunk, about a second: as often as surveillance cameras send a whole picture."""
        return max(1, round(self.rate))

    def chunks(self) -> list[range]:
        """The instants of every chunk."""
        step = self.chunk_length
        return [range(first, min(first + step, self.instants)) for first in range(0, self.instants, step)]

    def schedules(self, cameras: Sequence[Camera]) -> list[Schedule]:
        """When each camera records."""
        return [
            plan_schedule(camera, number, instants=self.instants, rate=self.rate, seed=self.seed)
            for number, camera in enumerate(cameras)
        ]


def meter_camera(stage: Stage, take: Take, number: int) -> float:
    """The gain of a camera's automatic exposure, from a few moments over the session."""
    camera = stage.cameras[number]
    pictures = []
    for instant in np.linspace(0, take.instants - 1, min(METERED_INSTANTS, take.instants)).astype(int):
        time = float(int(instant) / take.rate)
        stage.set_time(time)
        pictures.append(stage.render(camera.optics_at(time).pinhole).colour)
        count_frames()
    return meter(pictures)


def make_chunk(stage: Stage, take: Take, instants: range, gains: Sequence[float], folder: Path) -> None:
    """Render `instants` for all cameras into `folder`, which appears when all of it is done.

    Raises:
        UserError: writing fails.
    """
    partial = partial_path(folder)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    schedules = take.schedules(stage.cameras)
    collectors = [TruthCollector() for _ in stage.cameras]
    with ExitStack() as open_segments:
        recorders = [
            open_segments.enter_context(_recorder(partial, camera, schedule, instants, take.crf))
            for camera, schedule in zip(stage.cameras, schedules, strict=True)
        ]
        for instant in instants:
            on_air = [
                (number, int(found[0]))
                for number, schedule in enumerate(schedules)
                if len(found := np.flatnonzero(schedule.instants == instant))
            ]
            if not on_air:
                continue
            time = float(instant / take.rate)
            subjects = stage.set_time(time)
            for number, frame in on_air:
                camera = stage.cameras[number]
                optics = camera.optics_at(time)
                rendered = stage.render(optics.pinhole)
                seen = Seen(optics.ids(rendered.person), optics.ids(rendered.surface), optics.ids(rendered.depth))
                collectors[number].add(frame, optics, seen, subjects, stage.alone)
                noise = np.random.default_rng([take.seed, _NOISE, number, instant])
                light = optics.colour(rendered.colour)
                recorders[number].write(develop(light, camera.sensor, gain=gains[number], noise=noise))
                count_frames()
    truths = _camera_truths(stage.cameras, schedules, collectors, instants, take)
    save_truth(partial, Truth(truths, stage.actions, stage.descriptions))
    publish(partial, folder)


def join_cameras(parts: Sequence[Truth]) -> dict[str, CameraTruth]:
    """The cameras' ground truth over all chunks, in order."""
    cameras = {}
    for name, first in parts[0].cameras.items():
        rows = [part.cameras[name] for part in parts]
        cameras[name] = CameraTruth(
            first.width,
            first.height,
            first.fps,
            TruthFrames.concat([row.frames for row in rows]),
            TruthPeople.concat([row.people for row in rows]),
            FaceMasks(
                np.concatenate([row.faces.frame for row in rows]),
                np.concatenate([row.faces.person for row in rows]),
                [runs for row in rows for runs in row.faces.face],
                [runs for row in rows for runs in row.faces.bare],
            ),
            first.optics,
        )
    return cameras


def _recorder(folder: Path, camera: Camera, schedule: Schedule, instants: range, crf: int) -> SegmentRecorder:
    first = schedule.between(instants.start, instants.stop).start
    size = camera.still.width, camera.still.height
    return SegmentRecorder(folder / f"{camera.name}.mp4", schedule, first, size=size, crf=crf)


def _camera_truths(
    cameras: Sequence[Camera],
    schedules: Sequence[Schedule],
    collectors: Sequence[TruthCollector],
    instants: range,
    take: Take,
) -> dict[str, CameraTruth]:
    truths = {}
    for camera, schedule, collector in zip(cameras, schedules, collectors, strict=True):
        rows = schedule.between(instants.start, instants.stop)
        frames = TruthFrames(np.arange(rows.start, rows.stop), schedule.instants[rows], schedule.times[rows])
        truths[camera.name] = CameraTruth(
            camera.still.width, camera.still.height, float(schedule.fps), frames,
            collector.people(), collector.faces(), _optics_entries(camera, take),
        )  # fmt: skip
    return truths


def _optics_entries(camera: Camera, take: Take) -> list[dict[str, object]]:
    entries = [{"from_instant": 0} | camera.still.to_json()]
    if camera.nudge is not None:
        turned = int(np.ceil(camera.nudge.time * float(take.rate) - 1e-9))
        if turned < take.instants:
            entries.append({"from_instant": turned} | camera.nudged.to_json())
    return entries
