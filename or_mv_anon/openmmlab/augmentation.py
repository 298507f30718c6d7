"""Changes training pictures at random: other distances, other light, worse cameras, people behind things.

All randomness comes from the generator that is passed, so a draw can be repeated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.pictures import Picture
from or_mv_anon.models.detectors.dense import fitted_size

GREY = 114  # what YOLOX sees around pictures
LEVELS = np.linspace(0, 1, 256)
HEAD_SHARE = 0.1  # of a person's box, from its top to the middle of the head

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far pictures are changed; `configs/detector/base.py` explains each value."""

    scale: Range
    towards_person: float
    flip: float
    shown: float
    occluder: float
    occluded: Range
    gain: Range
    colour_gain: Range
    gamma: Range
    grey: float
    blur: float
    blur_sigma: Range
    jpeg: float
    jpeg_quality: Range
    noise: float
    noise_sigma: Range


def place(
    picture: Picture, boxes: Boxes, *, people: int, long_side: int, settings: Augmentation, rng: Generator
) -> tuple[Picture, Boxes]:
    """Zooms, moves and mirrors a picture.

    Args:
        picture: ``(h, w, 3)``.
        boxes: ``(N, 4)`` in its pixels; the first `people` of them are people.
        people: how many.
        long_side: of the result in pixels; the aspect stays.
        settings: how far.
        rng: the randomness.

    Returns:
        The new picture, grey where the old one has nothing, and the boxes in its pixels, not clipped to it.
    """
    height, width = picture.shape[:2]
    size = np.array(fitted_size(width, height, long_side=long_side))
    zoom = math.exp(rng.uniform(*np.log(settings.scale)))
    scaled = np.maximum(1, np.rint(size * zoom)).astype(int)
    shrinks = scaled[0] < width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(picture, scaled.tolist(), interpolation=method), np.uint8)
    moved = boxes * np.tile(scaled / (width, height), 2).astype(np.float32)
    slack = size - scaled
    corner = rng.uniform(np.minimum(slack, 0), np.maximum(slack, 0))
    if people and rng.random() < settings.towards_person:
        box = moved[rng.integers(people)]
        head = np.array([(box[0] + box[2]) / 2, box[1] + HEAD_SHARE * (box[3] - box[1])])
        corner = np.clip(rng.uniform(0, size) - head, np.minimum(slack, 0), np.maximum(slack, 0))
    corner = np.rint(corner).astype(int)
    canvas = _pasted(resized, corner, size)
    moved = moved + np.tile(corner, 2).astype(np.float32)
    if rng.random() < settings.flip:
        canvas = canvas[:, ::-1].copy()
        moved[:, [0, 2]] = size[0] - moved[:, [2, 0]]
    return canvas, moved


def _pasted(picture: Picture, corner: NDArray[np.int_], size: NDArray[np.int_]) -> Picture:
    canvas = np.full((size[1], size[0], 3), GREY, np.uint8)
    end = np.array(picture.shape[1::-1])
    start, stop = np.maximum(corner, 0), np.minimum(corner + end, size)
    from_start, from_stop = start - corner, stop - corner
    canvas[start[1] : stop[1], start[0] : stop[0]] = picture[from_start[1] : from_stop[1], from_start[0] : from_stop[0]]
    return canvas


def occlude(picture: Picture, boxes: Boxes, *, settings: Augmentation, rng: Generator) -> tuple[Picture, Boxes]:
    """Puts patches of the picture itself, or single colours, over some people.

    Args:
        picture: ``(h, w, 3)``, is changed.
        boxes: ``(N, 4)`` of people, in its pixels.
        settings: how often and how much.
        rng: the randomness.

    Returns:
        The picture and the covered boxes ``(M, 4)``.
    """
    height, width = picture.shape[:2]
    covered = []
    for box in geometry.clip(boxes, width=width, height=height)[rng.random(len(boxes)) < settings.occluder]:
        sides = box[2:] - box[:2]
        shares = rng.uniform(*settings.occluded, size=2)
        shares[rng.integers(2)] = 1.0  # a stripe hides more shapes than a spot does
        extent = np.floor(sides * np.minimum(shares, 1.0)).astype(int)
        corner = np.floor(box[:2] + rng.random(2) * (sides - extent)).astype(int)
        if extent.min() < 1:
            continue
        source = rng.integers(0, np.array([width, height]) - extent + 1)
        patch = picture[source[1] : source[1] + extent[1], source[0] : source[0] + extent[0]].copy()
        if rng.random() < 0.5:
            patch[:] = rng.integers(0, 256, 3)
        picture[corner[1] : corner[1] + extent[1], corner[0] : corner[0] + extent[0]] = patch
        covered.append([*corner, *(corner + extent)])
    return picture, np.array(covered, np.float32).reshape(-1, 4)


def shown_share(boxes: Boxes, covered: Boxes, *, width: int, height: int) -> NDArray[np.float32]:
    """For each box ``(N, 4)`` the share inside the picture and under none of the `covered` boxes, at least."""
    inside = geometry.clip(boxes, width=width, height=height)
    hidden = geometry.intersection(inside, covered).sum(axis=1) if len(covered) else np.zeros(len(boxes), np.float32)
    whole = np.maximum(geometry.area(boxes), 1e-6)
    return np.asarray(np.maximum(geometry.area(inside) - hidden, 0) / whole, np.float32)


def degrade(picture: Picture, *, settings: Augmentation, rng: Generator) -> Picture:
    """Another light and another camera: brightness, colour, blur, noise and compression; nothing moves."""
    curves = LEVELS[:, None] ** rng.uniform(*settings.gamma) * rng.uniform(*settings.gain)
    curves = curves * rng.uniform(*settings.colour_gain, size=3)
    changed: NDArray[Any] = cv2.LUT(picture, np.clip(curves * 255, 0, 255).astype(np.uint8)[None])
    if rng.random() < settings.grey:
        changed = cv2.cvtColor(cv2.cvtColor(changed, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < settings.blur:
        changed = cv2.GaussianBlur(changed, (0, 0), rng.uniform(*settings.blur_sigma))
    if rng.random() < settings.noise:
        spread = rng.uniform(*settings.noise_sigma)
        noise = rng.standard_normal(changed.shape, dtype=np.float32) * spread
        changed = np.clip(changed + noise, 0, 255).astype(np.uint8)
    if rng.random() < settings.jpeg:
        quality = int(rng.uniform(*settings.jpeg_quality))
        _, data = cv2.imencode(".jpg", changed, [cv2.IMWRITE_JPEG_QUALITY, quality])
        changed = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return np.ascontiguousarray(changed, np.uint8)
