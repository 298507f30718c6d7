"""A detector prior for operating rooms: is one fine-tuned on many simulated rooms a better place to start from?

Renders the rooms, trains the shipped detector on them and on photographs, and averages what it became with what it was.
All three are judged in unseen simulated rooms, on real photographs with people, and on photographs of empty rooms taken
by cameras that the training does not use. The prior is better if on the real photographs, at full size and small, it
finds no fewer people at any score and more at some, without more false alarms in the empty rooms. Everything is kept in
WORK: a stopped run goes on where it was. Needs the extras `sim` and `adapt`, and a folder of photographs in which the
names in room_prior_people.json exist.

Example, about half an hour on two cores:
  python benchmarks/room_prior.py --work prior --photographs DIR --out room_prior.json \\
      --empty DIR/multiview/4d_or_empty_room --remembered DIR/faces/lfw10x10 DIR/faces/caltech_faces
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.picture_files import picture_files, read_picture
from benchmarks.room_prior_judge import judge_empty, judge_photographs, judge_rooms, read_marked
from benchmarks.room_prior_material import (
    Example,
    composed_example,
    empty_example,
    remembered_example,
    room_examples,
    write_labels,
)
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.detector_training.averaging import average
from or_mv_anon.detector_training.simulated_rooms import Room, make_room
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.models.registry import fetch
from or_mv_anon.openmmlab.detector_training import train_detector
from or_mv_anon.openmmlab.training_job import DetectorTraining
from or_mv_anon.regions.registry import needed_weights

TRAINED, JUDGED = range(3001, 3011), range(3101, 3103)  # seeds of rooms; those of all other evaluations are others
CAMERAS, MOMENTS = 3, 6
HELD_OUT = ("cam_4", "cam_5", "cam_6")  # in the names of empty rooms' pictures that are only judged on
EMPTY_REPEATS = 4  # so often each picture of an empty room counts, because there are few
COMPOSED_SHARE = 0.5  # composed pictures per rendered one
LEAST_SCORE = 0.05  # of detections that are judged
SMALL = 208  # px, long side at which photographs are looked at once more: people as small as in large rooms


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--work", type=Path, required=True, metavar="DIR", help="rooms and trainings; made if missing")
    add("--photographs", type=Path, required=True, metavar="DIR", help="holds what room_prior_people.json names")
    add("--empty", type=Path, required=True, metavar="DIR", help="photographs of rooms without people")
    add("--remembered", type=Path, nargs="+", required=True, metavar="DIR", help="photographs of people to remember")
    add("--steps", type=int, default=200, metavar="N", help="of the training (default: 200)")
    add("--minutes", type=float, metavar="M", help="after which the training ends early (default: no limit)")
    add("--batch", type=int, default=8, metavar="N", help="pictures per step (default: 8)")
    add("--long-side", type=int, default=352, metavar="PX", help="of the pictures in training (default: 352)")
    add("--learning-rate", type=float, default=2e-4, metavar="R", help="the highest (default: 2e-4)")
    add("--frozen-stages", type=int, default=2, metavar="N", help="of the backbone (default: 2)")
    add("--teacher-weight", type=float, default=0.5, metavar="W", help="of agreeing with the start (default: 0.5)")
    add("--remembered-count", type=int, default=100, metavar="N", help="such photographs (default: 100)")
    add("--seed", type=int, default=0, metavar="N", help="of every draw of the training (default: 0)")
    add("--out", type=Path, required=True, metavar="JSON", help="where the figures go")
    options = parser.parse_args()
    try:
        results = measure(options)
    except UserError as error:
        sys.exit(str(error))
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(markdown(results))
    print("The prior is better." if is_better(results) else "The prior is not better.")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Makes the prior and judges it beside the shipped and the trained detector."""
    start = fetch(needed_weights()["detector"])
    judged = _rooms(options.work, JUDGED)
    empty = picture_files(options.empty)
    held_out = [path for path in empty if any(camera in path.name for camera in HELD_OUT)]
    trained = train(options, start, empty=[path for path in empty if path not in held_out])
    prior = trained.with_name("prior.onnx")
    average(start, trained, prior)
    results = {}
    for name, network in (("shipped", start), ("trained", trained), ("prior", prior)):
        detector = _detector(network)
        results[name] = {
            "simulated": judge_rooms(detector, judged),
            "photographs": judge_photographs(detector, options.photographs),
            "photographs, small": judge_photographs(_detector(network, long_side=SMALL), options.photographs),
            "empty": judge_empty(detector, held_out),
        }
    return results


def train(options: argparse.Namespace, start: Path, *, empty: Sequence[Path]) -> Path:
    """The ONNX file of the detector that learned from all material."""
    rng = np.random.default_rng(options.seed)
    rooms = _rooms(options.work, TRAINED)
    photographs = [read_picture(path) for path in empty]
    examples = [example for room in rooms for example in room_examples(room)]
    for room, equipment in zip(rooms, rooms[1:] + rooms[:1], strict=True):
        for number in rng.permutation(len(room.pictures))[: round(COMPOSED_SHARE * len(room.pictures))]:
            background = photographs[int(rng.integers(len(photographs)))]
            examples.append(composed_example(room, int(number), background, equipment, rng))
    examples += [empty_example(photograph) for photograph in photographs] * EMPTY_REPEATS
    examples += _remembered(options, _detector(start), rng)
    out = options.work / "training"
    out.mkdir(parents=True, exist_ok=True)
    labels = out / "labels.json"
    pictures = write_labels(examples, labels)
    trained = train_detector(
        DetectorTraining(
            config=resource("configs/detector/yolox_tiny.py"),
            start=start,
            labels=labels,
            pictures=pictures,
            out=out,
            steps=options.steps,
            batch=options.batch,
            long_side=options.long_side,
            learning_rate=options.learning_rate,
            seed=options.seed,
            device="cpu",
            seconds=options.minutes and options.minutes * 60,
            teacher=start,
            teacher_weight=options.teacher_weight,
            frozen_stages=options.frozen_stages,
        )
    )
    if trained.onnx is None:
        raise UserError(f"The training in {out} gave no network; the configuration has to describe a YOLOX.")
    return trained.onnx


def is_better(results: dict[str, Any]) -> bool:
    """Whether the prior may be offered in the shipped detector's place; simulated rooms have no say."""
    gains, alarms = [], []
    for size in ("photographs", "photographs, small"):
        before, after = (results[name][size]["all photographs"]["at"] for name in ("shipped", "prior"))
        gains += [new["recall"] - old["recall"] for old, new in zip(before, after, strict=True)]
    for old, new in zip(results["shipped"]["empty"], results["prior"]["empty"], strict=True):
        alarms.append(new["count"] - old["count"])
    return min(gains) >= 0 and max(gains) > 0 and max(alarms) <= 0


def markdown(results: dict[str, Any]) -> str:
    """The figures as tables."""
    lines = [
        "| detector | judged on | people | AP | recall, precision at 0.1 | at 0.3 | at 0.5 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in results.items():
        sets = {"unseen simulated rooms": row["simulated"], **row["photographs"]}
        sets |= {f"{where}, small": figures for where, figures in row["photographs, small"].items()}
        for where, figures in sets.items():
            points = [f"{at['recall']:.1%}, {at['precision']:.1%}" for at in figures["at"]]
            cells = [name, where, str(figures["people"]), f"{figures['average_precision']:.1%}", *points]
            lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| detector | false alarms in empty rooms at 0.1 | at 0.3 | at 0.5 |", "|---|---|---|---|"]
    for name, row in results.items():
        lines.append(f"| {' | '.join([name, *(str(at['count']) for at in row['empty'])])} |")
    return "\n".join(lines)


def _rooms(work: Path, seeds: Sequence[int]) -> list[Room]:
    folder = work / "rooms"
    folder.mkdir(parents=True, exist_ok=True)
    return [
        make_room(folder / f"{seed}.npz", seed=seed, cameras=CAMERAS, moments=MOMENTS)
        for seed in tqdm(seeds, desc="rooms", unit="room")
    ]


def _remembered(options: argparse.Namespace, detector: PersonDetector, rng: np.random.Generator) -> list[Example]:
    judged = {Path(name).name for name in read_marked()}
    files = [path for folder in options.remembered for path in picture_files(folder) if path.name not in judged]
    chosen = rng.permutation(len(files))[: options.remembered_count]
    return [remembered_example(read_picture(files[number]), detector) for number in tqdm(chosen, desc="photographs")]


def _detector(network: Path, *, long_side: int | None = None) -> PersonDetector:
    config = replace(load_config(None).detection, min_score=LEAST_SCORE)
    if long_side is not None:
        config = replace(config, input_long_side=long_side)
    return PersonDetector(network, config, device="cpu")


if __name__ == "__main__":
    main()
