"""Changes pictures so far that people in them could lie anywhere: any angle, under drapes, in infrared light.

These are for a network that is to know every room; a network that learns one fixed camera needs none of them. All
randomness comes from the generator that is passed, so a draw can be repeated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.pictures import Picture
from or_mv_anon.openmmlab.augmentation import GREY, Range

PERSON = 0  # the class that drapes are put over
POINTS = 14  # of a drape's outline


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How far pictures are changed; `configs/detector/people_and_heads.py` explains each value."""

    turned: float
    right_angle: float
    slight: float
    slight_degrees: float
    drape: float
    drape_share: Range
    drape_nothing: float
    infrared: float
    infrared_green: float
    motion: float
    motion_length: Range


def turn(picture: Picture, boxes: Boxes, *, trusted: int, settings: Changes, rng: Generator) -> tuple[Picture, Boxes]:
    """Turns some pictures by any angle, others slightly or by right angles.

    Args:
        picture: ``(h, w, 3)``.
        boxes: ``(N, 4)`` in its pixels.
        trusted: the first so many are of things, which fill the ellipse in their box rather than its corners; the
            others are regions, and stay covered whole.
        settings: how often.
        rng: the randomness.

    Returns:
        The whole turned picture, with a plain colour or its own stretched edge around it, and the boxes in it.
    """
    kind = rng.random()
    angle = rng.uniform(0, 2 * math.pi)
    if kind >= settings.turned:
        return picture, boxes
    if kind < settings.turned * settings.right_angle:
        angle = math.pi / 2 * int(rng.integers(1, 4))
    elif kind < settings.turned * (settings.right_angle + settings.slight):
        angle = math.radians(rng.uniform(-settings.slight_degrees, settings.slight_degrees))
    cosine, sine = math.cos(angle), math.sin(angle)
    old = np.array(picture.shape[1::-1], float)
    new = np.rint(np.abs([[cosine, sine], [sine, cosine]]) @ old)
    turning = np.array([[cosine, -sine], [sine, cosine]])
    shift = new / 2 - turning @ old / 2
    border = cv2.BORDER_CONSTANT if rng.random() < 0.7 else cv2.BORDER_REPLICATE
    turned = cv2.warpAffine(
        picture,
        between_centres(np.column_stack([turning, shift])),
        (int(new[0]), int(new[1])),
        flags=cv2.INTER_LINEAR,
        borderMode=border,
        borderValue=(GREY,) * 3,
    )
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 @ turning.T + shift
    halves = (boxes[:, 2:] - boxes[:, :2]) / 2
    shares = np.abs(turning)
    of_region, of_thing = halves @ shares.T, np.sqrt(halves**2 @ (shares**2).T)
    halves = np.where((np.arange(len(boxes)) < trusted)[:, None], of_thing, of_region)
    return np.asarray(turned, np.uint8), np.concatenate([centres - halves, centres + halves], axis=1).astype(np.float32)


def between_centres(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """The map (2, 3) between places in pictures as OpenCV wants it: it counts from the first pixel's centre."""
    offset = affine[:, :2] @ (0.5, 0.5) - 0.5
    return np.column_stack([affine[:, :2], affine[:, 2] + offset])


def drape(
    picture: Picture, boxes: Boxes, classes: NDArray[np.int64], *, settings: Changes, rng: Generator
) -> NDArray[np.float32]:
    """Lays cloth over parts of some people, from any side, and sometimes over nothing in particular.

    Args:
        picture: ``(h, w, 3)``, is changed.
        boxes: ``(N, 4)`` in its pixels.
        classes: ``(N,)``; persons are draped.
        settings: how often and how much.
        rng: the randomness.

    Returns:
        For each box the share ``(N,)`` that lies under cloth; a draped person still fills the own box, so less than
        all of it counts as nothing.
    """
    hidden = np.zeros(picture.shape[:2], np.uint8)
    chosen = (classes == PERSON) & (rng.random(len(boxes)) < settings.drape)
    for box in boxes[chosen]:
        _lay(picture, hidden, _part_of(box, rng.uniform(*settings.drape_share), rng), rng)
    if rng.random() < settings.drape_nothing:
        height, width = picture.shape[:2]
        sides = rng.uniform(0.1, 0.5, 2) * min(width, height)
        corner = rng.uniform(-0.1, 0.9, 2) * (width, height)
        _lay(picture, hidden, np.concatenate([corner, corner + sides]), rng)
    if not hidden.any():
        return np.zeros(len(boxes), np.float32)
    sums = cv2.integral(hidden)
    limits = np.array([picture.shape[1], picture.shape[0]] * 2)
    left, top, right, bottom = np.clip(np.rint(boxes), 0, limits).astype(int).T
    covered = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    shares = covered / np.maximum((right - left) * (bottom - top), 1)
    return np.where((classes == PERSON) & (shares < 0.9), 0, shares).astype(np.float32)


def infrared(picture: Picture, *, settings: Changes, rng: Generator) -> Picture:
    """Makes some pictures look as cameras see at night, grey or with a cast of green, and smears others by motion."""
    if rng.random() < settings.motion:
        length = max(2, round(rng.uniform(*settings.motion_length)))
        kernel = np.zeros((length, length), np.float32)
        reach = length / 2 * np.array([math.cos(angle := rng.uniform(0, math.pi)), math.sin(angle)])
        ends = [np.rint(length / 2 + sign * reach).astype(int).tolist() for sign in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0, 1)
        if kernel.sum() > 0:
            picture = np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)
    if rng.random() >= settings.infrared:
        return picture
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32) / 255
    grey = grey ** rng.uniform(0.6, 1.6)
    if rng.random() < 0.3:  # cloth and skin reflect infrared whatever their colour: little contrast
        grey = 0.5 + (grey - 0.5) * rng.uniform(0.5, 0.9)
    height, width = grey.shape
    across, down = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
    grey *= 1 - rng.uniform(0, 0.6) * (down**2 + across**2) / 2  # the lamp beside the lens lights the middle
    cast = np.ones(3)
    if rng.random() < settings.infrared_green:
        cast = np.array([rng.uniform(0.6, 0.95), 1.0, rng.uniform(0.5, 0.9)])
    return np.clip(grey[..., None] * cast * 255, 0, 255).astype(np.uint8)


def _part_of(box: NDArray[np.float32], share: float, rng: Generator) -> NDArray[np.float64]:
    """The part of a box, a little wider than it, that begins at any of its four sides."""
    side, part = int(rng.integers(4)), box.astype(float)
    sides = part[2:] - part[:2]
    axis = side % 2
    if side < 2:
        part[axis] = part[axis + 2] - share * sides[axis]
    else:
        part[axis + 2] = part[axis] + share * sides[axis]
    spill = rng.uniform(-0.05, 0.2, 2) * sides.min()
    return part + np.concatenate([-spill, spill])


def _lay(picture: Picture, hidden: NDArray[np.uint8], box: NDArray[np.float64], rng: Generator) -> None:
    """A cloth with a wavy outline, one colour, folds and a shaded side over the box."""
    angles = (np.arange(POINTS) + rng.uniform(-0.3, 0.3, POINTS)) * 2 * math.pi / POINTS
    squareness = rng.uniform(2.0, 6.0)
    x, y = np.cos(angles), np.sin(angles)
    radius = (np.abs(x) ** squareness + np.abs(y) ** squareness) ** (-1 / squareness) * rng.uniform(0.85, 1.1, POINTS)
    outline = np.column_stack([x, y]) * radius[:, None] * (box[2:] - box[:2]) / 2 + (box[:2] + box[2:]) / 2
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
    if not mask.any():
        return
    hue = rng.choice([(70, 110, 50), (130, 90, 50), (190, 190, 190), (120, 120, 110), (150, 140, 90), (90, 130, 90)])
    colour = np.clip(np.array(hue) * rng.uniform(0.5, 1.4) + rng.normal(0, 12, 3), 0, 255)
    height, width = picture.shape[:2]
    coarse = rng.normal(0, 1, (max(2, height // 24), max(2, width // 24))).astype(np.float32)
    folds = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * rng.uniform(0.03, 0.15)
    slope = rng.normal(0, 0.25, 2)
    light = 1 + folds + slope[0] * np.linspace(-0.5, 0.5, height)[:, None] + slope[1] * np.linspace(-0.5, 0.5, width)
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(0.5, 1.2))[..., None]
    picture[:] = np.clip(alpha * colour * light[..., None] + (1 - alpha) * picture, 0, 255).astype(np.uint8)
    hidden |= mask
