"""Who is found: people by posture, heads, and false boxes, by detectors that were trained on none of the pictures.

A person or a head is found by a box of the class with an IoU of at least 0.5, or 0.4 for heads. Where the people of
heads have no boxes, one of them counts as found if a box of a person holds the head's centre. False boxes are counted
where everybody is labelled. Milliseconds are of the processor, one thread, one picture at the configured size.

Example:
  python benchmarks/people_found.py --people DIR/people --or-pictures DIR/or_pictures --rooms judged_rooms/ \\
      --empty DIR/multiview/4d_or_empty_room --seeds 9101 9102 9103 \\
      --networks rooms=data/yolox_tiny_rooms.onnx both=data/people_and_heads.onnx --out people_found.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.people_found_sets import Judged, read_all
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.detector_training.train import SimulatedRoom
from or_mv_anon.models.detectors.people_and_heads import CLASSES, HEAD, PERSON, PeopleAndHeadsDetector
from or_mv_anon.models.detectors.protocol import Found
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.models.registry import fetch
from or_mv_anon.regions.detecting import people_and_heads
from or_mv_anon.regions.registry import needed_weights

SCORES = (0.1, 0.5)
IOU = {PERSON: 0.5, HEAD: 0.4}
TIMED = 20  # pictures
NONE: Found = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@dataclass
class Count:
    """What was looked for and found in one group of one set, by score."""

    wanted: int = 0
    found: list[int] = field(default_factory=lambda: [0] * len(SCORES))


@dataclass
class Alarms:
    """False boxes in pictures where everybody is labelled, by score."""

    pictures: int = 0
    boxes: list[int] = field(default_factory=lambda: [0] * len(SCORES))


def add_sets(parser: argparse.ArgumentParser) -> None:
    """The options that say what is judged; `judged_sets` reads it."""
    add = parser.add_argument
    add("--people", type=Path, required=True, metavar="DIR", help="folders of labelled pictures")
    add("--or-pictures", type=Path, required=True, metavar="DIR", help="operating-room views with labelled heads")
    add("--empty", type=Path, required=True, metavar="DIR", help="photographs of rooms without people")
    add("--rooms", type=Path, required=True, metavar="DIR", help="where single pictures of simulated rooms are kept")
    add("--seeds", type=SimulatedRoom.parse, nargs="+", required=True, metavar="ROOM",
        help="those rooms, seen in no training: a seed, or a seed and its cameras, such as 9101-infrared")  # fmt: skip
    add(
        "--uses", type=Path, default=resource("configs/detector_training.toml"), metavar="TOML", help="what is held out"
    )


def judged_sets(options: argparse.Namespace) -> list[Judged]:
    """All pictures that `add_sets` asks for.

    Raises:
        UserError: something cannot be read.
    """
    return read_all(
        options.people,
        options.uses,
        or_pictures=options.or_pictures,
        empty=options.empty,
        rooms=options.rooms,
        simulated=options.seeds,
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_sets(parser)
    add = parser.add_argument
    add("--networks", nargs="+", default=[], metavar="NAME=ONNX", help="beside the built-in detector")
    add("--out", type=Path, required=True, metavar="JSON", help="where the figures go")
    options = parser.parse_args()
    networks = {"built-in": fetch(needed_weights()["detector"])}
    networks |= {name: Path(path) for name, _, path in (entry.partition("=") for entry in options.networks)}
    try:
        judged = judged_sets(options)
        results = {name: judge(path, judged) for name, path in networks.items()}
    except UserError as error:
        sys.exit(str(error))
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    print(markdown(results))


def judge(network: Path, judged: Sequence[Judged]) -> dict[str, Any]:
    """All figures of one network."""
    detector = load(network)
    counts: dict[str, Count] = defaultdict(Count)
    alarms: dict[str, Alarms] = defaultdict(Alarms)
    for picture in tqdm(judged, desc=network.stem, unit="picture", leave=False):
        found = look(detector, picture)
        for number, of_class in enumerate(found):
            if of_class is not None:
                _count(picture, number, of_class, counts, alarms)
        _count_holders(picture, found[PERSON] or NONE, counts)
    return {
        "milliseconds": milliseconds(network, judged[:TIMED]),
        "found": {name: {"wanted": count.wanted, "at": count.found} for name, count in counts.items()},
        "false": {name: {"pictures": count.pictures, "at": count.boxes} for name, count in alarms.items()},
    }


def load(network: Path, *, threads: int = 0) -> PersonDetector:
    """The network at low scores, with heads if it knows them."""
    config = replace(load_config(None).detection, min_score=min(SCORES))
    try:
        return PeopleAndHeadsDetector(network, config, device="cpu", threads=threads)
    except UserError:
        return PersonDetector(network, config, device="cpu", threads=threads)


def look(detector: PersonDetector, judged: Judged) -> list[Found | None]:
    """What it finds of each class; None of a class that it does not know."""
    picture = judged.picture
    size = (picture.shape[1], picture.shape[0])
    fitted = np.asarray(cv2.resize(picture, detector.input_size(*size), interpolation=cv2.INTER_AREA), np.uint8)
    return list(people_and_heads(detector, [fitted], size=size)[0])


def milliseconds(network: Path, judged: Sequence[Judged]) -> float:
    """Median time of the processor for a picture; other programs do not count."""
    detector, spent = load(network, threads=1), []
    for picture in judged:
        begin = time.process_time()
        look(detector, picture)
        spent.append(time.process_time() - begin)
    return round(float(np.median(spent)) * 1000, 1)


def _count(picture: Judged, number: int, found: Found, counts: dict[str, Count], alarms: dict[str, Alarms]) -> None:
    boxes, unsure = picture.boxes[number], picture.unsure[number]
    subjects = Subjects(
        picture=np.zeros(len(boxes) + len(unsure)),
        box=np.concatenate([boxes, unsure]),
        counted=np.arange(len(boxes) + len(unsure)) < len(boxes),
    )
    taken = match(subjects, Candidates(np.zeros(len(found[0])), *found), iou=IOU[number])
    for row, group in enumerate(picture.groups[number]):
        count = counts[f"{CLASSES[number]}, {picture.name}, {group}"]
        count.wanted += 1
        best = found[1][taken == row].max(initial=0)
        count.found = [so_far + int(best >= score) for so_far, score in zip(count.found, SCORES, strict=True)]
    if picture.whole[number]:
        alarm = alarms[f"{CLASSES[number]}, {picture.name}"]
        alarm.pictures += 1
        free = found[1][(taken == NOBODY) & ~_mostly_in(found[0], unsure)]
        alarm.boxes = [so_far + int((free >= score).sum()) for so_far, score in zip(alarm.boxes, SCORES, strict=True)]


def _mostly_in(boxes: Boxes, regions: Boxes) -> NDArray[np.bool_]:
    return np.asarray((geometry.containment(boxes, regions) > 0.5).any(axis=1))


def _count_holders(picture: Judged, people: Found, counts: dict[str, Count]) -> None:
    centres = (picture.holders[:, :2] + picture.holders[:, 2:]) / 2
    for centre, group in zip(centres, picture.groups[HEAD] if len(centres) else [], strict=True):
        holding = ((people[0][:, :2] <= centre) & (people[0][:, 2:] >= centre)).all(axis=1)
        best = people[1][holding].max(initial=0)
        count = counts[f"person who holds a head, {picture.name}, {group}"]
        count.wanted += 1
        count.found = [so_far + int(best >= score) for so_far, score in zip(count.found, SCORES, strict=True)]


def markdown(results: dict[str, Any]) -> str:
    """The figures as tables: recall at the scores, and false boxes per picture."""
    names = list(results)
    lines = [f"| found at {SCORES[0]}, {SCORES[1]} | number | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for row in sorted({row for result in results.values() for row in result["found"]}):
        entries = [result["found"].get(row) for result in results.values()]
        wanted = next(entry["wanted"] for entry in entries if entry)
        cells = [", ".join(f"{n / wanted:.0%}" for n in entry["at"]) if entry else "-" for entry in entries]
        lines.append(f"| {row} | {wanted} | {' | '.join(cells)} |")
    lines += ["", f"| false boxes a picture | pictures | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for row in sorted({row for result in results.values() for row in result["false"]}):
        entries = [result["false"].get(row) for result in results.values()]
        pictures = next(entry["pictures"] for entry in entries if entry)
        cells = [", ".join(f"{n / pictures:.2f}" for n in entry["at"]) if entry else "-" for entry in entries]
        lines.append(f"| {row} | {pictures} | {' | '.join(cells)} |")
    times = " | ".join(str(result["milliseconds"]) for result in results.values())
    lines.append(f"| milliseconds, one thread | {TIMED} | {times} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
