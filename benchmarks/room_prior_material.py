"""What a detector prior for operating rooms is trained on: simulated rooms, real backgrounds, real people.

Simulated people are labelled exactly, in their rooms and cut out over photographs of real rooms, among pieces of
equipment cut out in the same way, so that a cut edge is no sign of a person. Photographs of empty rooms are shown as
they are. In photographs of people the detector in use says who is there, so that real people are not forgotten.
Photographs stay in memory; only labels are written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.room_prior_judge import detect
from or_mv_anon.adaptation.coco import PERSON
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.detector_training.pasting import blend, paste_piece
from or_mv_anon.detector_training.simulated_rooms import Room
from or_mv_anon.models.detectors.dense import fitted_size
from or_mv_anon.models.detectors.yolox import PersonDetector

Picture = NDArray[np.uint8]
LEAST_SHOWN = 0.15  # of a person; less is an ignored region
LEAST_PASTED = 0.4  # of a person who is cut out
LEAST_SIDE = 8  # px of a pasted person's box
SURE, POSSIBLE = 0.6, 0.1  # scores of the detector in use that make a label, and an ignored region
LONG_SIDE = 512  # px of photographs in memory
ZOOM = (0.7, 1.3)  # of the people over another background
MOST_DECOYS = 3  # pieces of equipment per composed picture


@dataclass(frozen=True, eq=False)
class Example:
    """A picture with people ``(N, 4)`` and ignored regions ``(M, 4)`` in its pixels."""

    picture: Picture
    people: Boxes
    ignored: Boxes


def room_examples(room: Room) -> list[Example]:
    """All pictures of a room with everybody who shows."""
    found = []
    for number, picture in enumerate(room.pictures):
        here = room.picture == number
        clear = room.shown[here] >= LEAST_SHOWN
        found.append(Example(picture, room.box[here][clear], room.box[here][~clear]))
    return found


def empty_example(photograph: Picture) -> Example:
    """A photograph of a room without people."""
    none = np.zeros((0, 4), np.float32)
    return Example(_shrunk(photograph), none, none)


def remembered_example(photograph: Picture, detector: PersonDetector) -> Example:
    """A photograph of people, labelled by the detector in use."""
    picture = _shrunk(photograph)
    boxes, scores = detect(detector, picture)
    sure = scores >= SURE
    return Example(picture, boxes[sure], boxes[~sure & (scores >= POSSIBLE)])


def composed_example(room: Room, number: int, background: Picture, equipment: Room, rng: Generator) -> Example:
    """The standing people of picture `number` over a photograph, among pieces of another room's equipment."""
    height, width = room.outlines[number].shape
    canvas = _filled(background, width, height, rng)
    for _ in range(rng.integers(MOST_DECOYS + 1)):
        paste_piece(canvas, equipment, rng)
    here = (room.picture == number) & ~room.patient & (room.shown >= LEAST_PASTED)
    zoom, flip = rng.uniform(*ZOOM), rng.random() < 0.5
    shift = rng.uniform(-0.15, 0.15, 2) * (width, height) + (1 - zoom) / 2 * np.array([width, height])
    moved = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float32)
    people = cv2.warpAffine(room.pictures[number], moved, (width, height), flags=cv2.INTER_LINEAR)
    outline = cv2.warpAffine(room.outlines[number], moved, (width, height), flags=cv2.INTER_NEAREST)
    if flip:
        people, outline = people[:, ::-1], outline[:, ::-1]
    outline = np.where(np.isin(outline, room.number[here]), outline, 0)
    blend(canvas, people, outline > 0)
    boxes = [cv2.boundingRect((outline == person).astype(np.uint8)) for person in np.unique(outline[outline > 0])]
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    large = (corners[:, 2:] - corners[:, :2]).min(axis=1) >= LEAST_SIDE
    return Example(canvas, corners[large], corners[~large])


def write_labels(examples: Sequence[Example], path: Path) -> PictureBank:
    """Writes the labels as COCO json, as `train_detector` reads them, and returns the pictures by image id."""
    images, annotations = [], []
    for number, example in enumerate(examples, 1):
        images.append({"id": number, "height": example.picture.shape[0], "width": example.picture.shape[1]})
        for boxes, ignored in ((example.people, 0), (example.ignored, 1)):
            for left, top, right, bottom in boxes.tolist():
                box = [left, top, right - left, bottom - top]
                annotations.append({"image_id": number, "bbox": box, "iscrowd": ignored, "category_id": PERSON})
    text = json.dumps({"images": images, "annotations": annotations, "categories": [{"id": PERSON, "name": "person"}]})
    write_atomically(path, lambda part: part.write_text(text))
    return PictureBank({number: example.picture for number, example in enumerate(examples, 1)})


def _shrunk(photograph: Picture) -> Picture:
    size = fitted_size(photograph.shape[1], photograph.shape[0], long_side=LONG_SIDE)
    return np.asarray(cv2.resize(photograph, size, interpolation=cv2.INTER_AREA), np.uint8)


def _filled(photograph: Picture, width: int, height: int, rng: Generator) -> Picture:
    """A part of the photograph that fills the picture, mirrored or not."""
    tall, wide = photograph.shape[:2]
    scale = max(width / wide, height / tall) * rng.uniform(1.0, 1.3)
    size = (max(width, round(wide * scale)), max(height, round(tall * scale)))
    resized = cv2.resize(photograph, size, interpolation=cv2.INTER_AREA)
    left, top = (int(rng.integers(0, spare + 1)) for spare in (size[0] - width, size[1] - height))
    part = resized[top : top + height, left : left + width]
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part, np.uint8)
