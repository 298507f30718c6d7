"""The pictures that detectors of people and heads are judged on, none of which any of them was trained on.

Real ones: what `configs/detector_training.toml` holds out of the labelled folders, people of wards by posture; views of
an operating room in which heads are labelled; empty rooms. Simulated ones: rooms of other seeds, with and without their
people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.picture_files import picture_files, read_picture
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.errors import UserError
from or_mv_anon.detector_training.examples import Example, Picture
from or_mv_anon.detector_training.folders import Use, read_folder, read_uses
from or_mv_anon.detector_training.rooms import room_examples
from or_mv_anon.detector_training.train import SimulatedRoom, room_of
from or_mv_anon.simulation.cameras.sensor import USUAL

LYING = {"lie", "fall", "danger"}  # danger: hanging over a bed's edge, or climbing over its rails
SITTING, STANDING, LIES, SITS, ANY = {"sit"}, {"stand", "move", "person"}, "lying", "sitting", "all"


@dataclass(frozen=True, eq=False)
class Judged:
    """A picture with what must be found in it.

    Attributes:
        picture: (H, W, 3) BGR.
        name: of the set.
        boxes: by class, (N, 4) in its pixels.
        groups: by class, a name for each of the boxes.
        unsure: by class, (M, 4): finding something there is neither right nor wrong.
        whole: by class, whether everything is labelled, so that other boxes are false.
        holders: boxes of heads (K, 4) whose people have no box: a box of a person must hold each one's centre.
    """

    picture: Picture = field(repr=False)
    name: str
    boxes: tuple[Boxes, Boxes]
    groups: tuple[Sequence[str], Sequence[str]]
    unsure: tuple[Boxes, Boxes]
    whole: tuple[bool, bool]
    holders: Boxes = field(default_factory=lambda: np.zeros((0, 4), np.float32))


def read_all(
    people: Path, uses: Path, *, or_pictures: Path, empty: Path, rooms: Path, simulated: Sequence[SimulatedRoom]
) -> list[Judged]:
    """Everything.

    Raises:
        UserError: something cannot be read.
    """
    of_folder = read_uses(uses)
    found: list[Judged] = []
    for folder in sorted(path for path in people.iterdir() if path.is_dir()):
        for example, image in read_folder(folder, of_folder.get(folder.name, Use()), held_out=True):
            found.append(_held_out(example, image))
    found += _operating_rooms(or_pictures)
    found += [_nobody(read_picture(path), "empty rooms") for path in picture_files(empty)]
    rooms.mkdir(parents=True, exist_ok=True)
    for wanted in simulated:
        found += _simulated(rooms, wanted)
    return found


def _held_out(example: Example, image: Mapping[str, Any]) -> Judged:
    people, heads = example.boxes
    postures = image.get("postures") or [[] for _ in people]
    groups = [_posture(words) for words in postures]
    name = example.source
    if "camera" in image:  # cam_*: another building
        name += ", other building" if image["camera"].startswith("cam") else ", other cameras"
    whole = tuple(not _covers(unsure, example.picture) for unsure in example.unsure)
    return Judged(
        example.picture, name, (people, heads), (groups, [ANY] * len(heads)), example.unsure, (whole[0], whole[1])
    )


def _posture(words: Sequence[str]) -> str:
    if LYING & set(words):
        return LIES
    if SITTING & set(words):
        return SITS
    return "standing" if STANDING & set(words) else ANY


def _operating_rooms(folder: Path) -> Iterator[Judged]:
    try:
        pictures = json.loads((folder / "labels.json").read_text())["pictures"]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{folder} has no readable labels.json with pictures ({error}).") from error
    for name, entry in pictures.items():
        file = next(path for path in picture_files(folder / "images") if path.stem == name)
        people = [person for person in entry["people"] if "head" in person]
        heads = np.array([person["head"] for person in people], np.float32).reshape(-1, 4)
        groups = [LIES if "lying" in person["tags"] else "others" for person in people]
        yield Judged(
            read_picture(file),
            "operating room",
            (heads[:0], heads),
            ([], groups),
            (heads[:0], heads[:0]),
            (False, False),
            heads,
        )


def _nobody(picture: Picture, name: str) -> Judged:
    none: Boxes = np.zeros((0, 4), np.float32)
    return Judged(picture, name, (none, none), ([], []), (none, none), (True, True))


def _simulated(rooms: Path, wanted: SimulatedRoom) -> Iterator[Judged]:
    room, name = room_of(rooms, wanted), "simulated" if wanted.sensor == USUAL else f"simulated, {wanted.sensor}"
    for number, example in enumerate(room_examples(room)):
        if room.nobody[number]:
            yield _nobody(example.picture, f"{name}, deserted")
            continue
        here = room.picture == number
        lying = room.box[here][room.patient[here]]
        people, heads = example.boxes
        groups = [LIES if (box == lying).all(axis=1).any() else "others" for box in people]
        yield Judged(example.picture, name, (people, heads), (groups, [ANY] * len(heads)), example.unsure, (True, True))


def _covers(unsure: Boxes, picture: Picture) -> bool:
    height, width = picture.shape[:2]
    return bool((unsure == (0, 0, width, height)).all(axis=1).any())
