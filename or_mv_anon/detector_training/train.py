"""Trains a detector of people and heads on labelled folders and simulated rooms."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from or_mv_anon.core.errors import UserError
from or_mv_anon.detector_training.averaging import average
from or_mv_anon.detector_training.composites import composed_example
from or_mv_anon.detector_training.examples import Example, write_examples
from or_mv_anon.detector_training.folders import Use, read_folder, read_uses
from or_mv_anon.detector_training.posed_heads import with_posed_heads
from or_mv_anon.detector_training.rooms import room_examples
from or_mv_anon.detector_training.simulated_rooms import Room, make_room
from or_mv_anon.models.runtime import Device
from or_mv_anon.openmmlab.detector_training import train_detector
from or_mv_anon.openmmlab.training_job import DetectorTraining, TrainedDetector
from or_mv_anon.simulation.cameras.sensor import SENSORS, USUAL
from or_mv_anon.simulation.motion.lying import ANY

LABELS, NETWORK = "labels.json", "people_and_heads.onnx"
CAMERAS, MOMENTS, DESERTED = 4, 5, 1  # of a simulated room


@dataclass(frozen=True)
class SimulatedRoom:
    """A room to render, written SEED or SEED-SENSOR: `5001`, `5001-infrared`."""

    seed: int
    sensor: str = USUAL

    @classmethod
    def parse(cls, text: str) -> SimulatedRoom:
        """Reads what a user wrote.

        Raises:
            ArgumentTypeError: it names no room.
        """
        seed, _, sensor = text.partition("-")
        if not seed.isdecimal() or sensor not in ("", *SENSORS):
            kinds = ", ".join(f"5001-{kind}" for kind in SENSORS)
            raise ArgumentTypeError(f"{text[:40]!r} names no room; expected a seed such as 5001, or {kinds}.")
        return cls(int(seed), sensor or USUAL)

    def __str__(self) -> str:
        return f"{self.seed}" if self.sensor == USUAL else f"{self.seed}-{self.sensor}"


@dataclass(frozen=True, kw_only=True)
class Options:
    """See `tools/train_detector.py --help`."""

    out: Path
    config: Path
    start: Path
    data: tuple[Path, ...]
    uses: Path
    sim: tuple[SimulatedRoom, ...]
    rooms: Path
    room_repeat: int
    composed: int
    share: float
    steps: int
    batch: int
    long_side: int
    learning_rate: float
    teacher: Path | None
    teacher_weight: float
    frozen_stages: int
    seed: int
    device: Device
    minutes: float | None


def gather(options: Options) -> list[Example]:
    """Everything that is trained on.

    Raises:
        UserError: a folder cannot be read, or there is nothing.
    """
    uses = read_uses(options.uses)
    found: list[Example] = []
    for folder in options.data:
        use = uses.get(folder.name, Use())
        examples = [example for example, _ in read_folder(folder, use)]
        found += (with_posed_heads(examples) if use.posed_heads else examples) * use.repeat
    options.rooms.mkdir(parents=True, exist_ok=True)
    rooms = []
    for wanted in tqdm(options.sim, desc="rooms", unit="room"):
        rooms.append(room_of(options.rooms, wanted))
        found += room_examples(rooms[-1]) * options.room_repeat
    empty = [example.picture for example in found if not any(len(boxes) for boxes in (*example.boxes, *example.unsure))]
    if rooms and empty:
        rng = np.random.default_rng([options.seed, options.composed])
        backgrounds = rng.integers(len(empty), size=options.composed)
        found += [composed_example(empty[number], rooms, rng) for number in backgrounds]
    if not found:
        raise UserError("There is nothing to learn from: name folders with --data or rooms with --sim.")
    return found


def room_of(folder: Path, wanted: SimulatedRoom) -> Room:
    """The simulated room, its patient in any position, rendered unless `folder` holds it."""
    return make_room(
        folder / f"{wanted}.npz",
        seed=wanted.seed,
        cameras=CAMERAS,
        moments=MOMENTS,
        deserted=DESERTED,
        position=ANY,
        sensor=wanted.sensor,
    )


def train(options: Options) -> tuple[TrainedDetector, Path]:
    """Trains, or goes on where the same training stopped; returns the training and the network that may be shipped.

    Raises:
        UserError: as `gather` and `train_detector`; the configuration describes no YOLOX.
    """
    examples = gather(options)
    for source, count in Counter(example.source for example in examples).items():
        print(f"{count:5d} pictures of {source}")
    options.out.mkdir(parents=True, exist_ok=True)
    labels = options.out / LABELS
    pictures = write_examples(examples, labels)
    trained = train_detector(
        DetectorTraining(
            config=options.config,
            start=options.start,
            labels=labels,
            pictures=pictures,
            out=options.out,
            steps=options.steps,
            batch=options.batch,
            long_side=options.long_side,
            learning_rate=options.learning_rate,
            seed=options.seed,
            device=options.device,
            seconds=options.minutes and options.minutes * 60,
            teacher=options.teacher,
            teacher_weight=options.teacher_weight,
            frozen_stages=options.frozen_stages,
        )
    )
    if trained.onnx is None:
        raise UserError(f"{options.config} gives no network that can be exported; choose a YOLOX.")
    network = options.out / NETWORK
    from mmengine.config import Config

    model = Config.fromfile(options.config).model
    average(options.start, trained.onnx, network, share=options.share, model_config=model)
    return trained, network
