"""Lying people where no picture shows any: simulated ones, turned by any angle, in rooms and beds that are empty.

Boxes are exact: of a person, of what shows of their outline; of a head, of the ellipse in its box, turned along.
Equipment is pasted in the same way, so that a cut edge is no sign of a person.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.detector_training.examples import NOTHING, Example, Picture
from or_mv_anon.detector_training.pasting import blend, paste_piece
from or_mv_anon.detector_training.rooms import LEAST_HEAD, LEAST_SHOWN
from or_mv_anon.detector_training.simulated_rooms import Room
from or_mv_anon.openmmlab.further_augmentation import between_centres

LEAST_PASTED = 0.7  # of a person who is cut out
MOST_PEOPLE, MOST_DECOYS = 4, 3
SIZE = (0.15, 0.7)  # longest side of a pasted person against the picture's shorter one
LEAST_SIDE = 12  # px of a pasted person in their own picture
HEAD_LEFT = 0.5  # of a pasted head that others may not cover; less is an ignored region


def composed_example(background: Picture, rooms: Sequence[Room], rng: Generator) -> Example:
    """People of any rooms over a picture without people.

    Args:
        background: (H, W, 3) BGR, shows nobody.
        rooms: whose people and equipment are taken.
        rng: chooses everything.

    Returns:
        The picture with boxes of both classes.
    """
    canvas = background.copy()
    height, width = canvas.shape[:2]
    for _ in range(rng.integers(MOST_DECOYS + 1)):
        paste_piece(canvas, rooms[int(rng.integers(len(rooms)))], rng)
    owner = np.zeros((height, width), np.uint8)  # whom each pixel shows, from 1
    heads: dict[int, NDArray[np.float32]] = {}
    pixels: dict[int, int] = {}
    for number in range(1, int(rng.integers(1, MOST_PEOPLE + 1)) + 1):
        room = rooms[int(rng.integers(len(rooms)))]
        sides = (room.box[:, 2:] - room.box[:, :2]).min(axis=1)
        rows = np.flatnonzero((room.shown >= LEAST_PASTED) & ~room.patient & (sides >= LEAST_SIDE))
        if not len(rows):
            continue
        row = int(rng.choice(rows))
        moved = _placing(room.box[row], (width, height), rng)
        mask = room.outlines[room.picture[row]] == room.number[row]
        pixels_to_pixels = between_centres(moved)
        outline = cv2.warpAffine(mask.astype(np.float32), pixels_to_pixels, (width, height))
        shown = outline > 0.5
        person = cv2.warpAffine(room.pictures[room.picture[row]], pixels_to_pixels, (width, height))
        blend(canvas, np.asarray(person, np.uint8), shown)
        owner[shown] = number
        pixels[number] = int(mask.sum() * abs(np.linalg.det(moved[:, :2])))
        if room.head_shown[row] >= LEAST_HEAD:
            heads[number] = _moved_ellipse(room.head[row], moved)
    return _labelled(canvas, owner, pixels, heads)


def _placing(box: NDArray[np.float32], size: tuple[int, int], rng: Generator) -> NDArray[np.float64]:
    """Turns a person by any angle, mostly to lie, and puts their middle anywhere."""
    angle = rng.uniform(0, 2 * math.pi) if rng.random() < 0.7 else rng.normal(0, 0.15)
    scale = rng.uniform(*SIZE) * min(size) / float((box[2:] - box[:2]).max())
    turning = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    if rng.random() < 0.5:
        turning[:, 0] *= -1
    middle = rng.uniform(0.05, 0.95, 2) * size
    return np.column_stack([turning, middle - turning @ (box[:2] + box[2:]) / 2])


def _moved_ellipse(box: NDArray[np.float32], moved: NDArray[np.float64]) -> NDArray[np.float32]:
    middle = moved[:, :2] @ (box[:2] + box[2:]) / 2 + moved[:, 2]
    half = np.sqrt(moved[:, :2] ** 2 @ ((box[2:] - box[:2]) / 2) ** 2)
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def _labelled(
    canvas: Picture, owner: NDArray[np.uint8], pixels: dict[int, int], heads: dict[int, NDArray[np.float32]]
) -> Example:
    height, width = owner.shape
    found: list[list[Boxes]] = [[NOTHING], [NOTHING]]
    unsure: list[list[Boxes]] = [[NOTHING], [NOTHING]]
    for number, whole in pixels.items():
        mask = owner == number
        if not mask.any():
            continue
        left, top, wide, high = cv2.boundingRect(mask.astype(np.uint8))
        shows = mask.sum() >= LEAST_SHOWN * whole
        (found if shows else unsure)[0].append(np.array([[left, top, left + wide, top + high]], np.float32))
        head = heads.get(number)
        if head is None:
            continue
        inside = np.clip(head, 0, [width, height, width, height])
        first, top_row, last, end_row = np.rint(inside).astype(int)
        if last <= first or end_row <= top_row:
            continue
        mine = mask[top_row:end_row, first:last].sum() >= HEAD_LEFT * np.prod(head[2:] - head[:2])
        (found if mine else unsure)[1].append(inside[None].astype(np.float32))
    boxes = tuple(np.concatenate(of_class) for of_class in found)
    regions = tuple(np.concatenate(of_class) for of_class in unsure)
    return Example(canvas, (boxes[0], boxes[1]), (regions[0], regions[1]), (1.0, 1.0), "composed")
