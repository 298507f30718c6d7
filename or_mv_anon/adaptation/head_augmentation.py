"""Harder versions of a labelled head: masks, caps and things in front of it, turned, small, blurred or noisy.

The labels were made on the picture as it is; learning them on these versions is what adaptation gains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.head_crops import HeadCrop
from or_mv_anon.core.pictures import Picture
from or_mv_anon.models.pose import BOX_PADDING, CROP_HEIGHT, CROP_WIDTH, Halpe26
from or_mv_anon.regions.heads import HEAD_POINTS, USUAL_SHARE

Example = tuple[Picture, NDArray[np.float32], NDArray[np.float32]]
"""A crop (256, 192, 3) BGR, keypoints in its pixels (26, 2) and their weights (26,)."""

PAIRS = [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16), (20, 21), (22, 23), (24, 25)]
CLOTH = np.array([[170, 190, 90], [150, 160, 60], [200, 170, 120], [225, 225, 225], [120, 90, 40]], np.float32)  # BGR


def unchanged(crop: HeadCrop) -> Example:
    """The example as the anonymizer would see it."""
    return _warped(crop, _matrix(crop, shift=np.zeros(2), scale=1.0, degrees=0.0, flip=False), flip=False)


def harder(crop: HeadCrop, rng: np.random.Generator) -> Example:
    """A random harder version."""
    flip = bool(rng.random() < 0.5)
    degrees = float(np.clip(rng.normal(0, 20), -45, 45)) if rng.random() < 0.6 else 0.0
    matrix = _matrix(
        crop, shift=rng.uniform(-0.1, 0.1, 2), scale=float(rng.uniform(0.75, 1.3)), degrees=degrees, flip=flip
    )
    warped, points, weight = _warped(crop, matrix, flip=flip)
    picture = warped.astype(np.float32)
    head = _Head.of(points, weight)
    if head is not None:
        if rng.random() < 0.4:  # a mask
            _cover(picture, head, along=-rng.uniform(0.15, 0.3), length=0.4, breadth=0.7, rng=rng)
        if rng.random() < 0.3:  # a cap
            _cover(picture, head, along=rng.uniform(0.3, 0.45), length=0.5, breadth=0.95, rng=rng)
        if rng.random() < 0.4:
            _hide_part(picture, head, rng)
    return _worse_camera(picture, rng), points, weight


@dataclass(frozen=True)
class _Head:
    """Middle of the labelled head points (2,) and head height in crop pixels, and the direction up in radians."""

    middle: NDArray[np.float64]
    height: float
    up: float

    @classmethod
    def of(cls, points: NDArray[np.float32], weight: NDArray[np.float32]) -> _Head | None:
        known = [point for point in HEAD_POINTS if weight[point] > 0]
        if not known:
            return None
        middle = points[known].mean(axis=0).astype(np.float64)
        spread = float(np.ptp(points[known], axis=0).max())
        up = np.array([0.0, -1.0])
        if weight[Halpe26.NECK] > 0 and np.linalg.norm(middle - points[Halpe26.NECK]) > 1:
            up = middle - points[Halpe26.NECK]
        return cls(middle, max(spread, USUAL_SHARE * CROP_HEIGHT / BOX_PADDING), float(np.arctan2(up[1], up[0])))


def _matrix(
    crop: HeadCrop, *, shift: NDArray[np.float64], scale: float, degrees: float, flip: bool
) -> NDArray[np.float64]:
    """Cut-out pixels to crop pixels (2, 3)."""
    zoom = CROP_WIDTH / (float(crop.size[0]) * scale)
    centre = crop.centre + shift * crop.size
    angle = np.deg2rad(degrees)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if flip:
        turn = np.diag([-1.0, 1.0]) @ turn
    middle = np.array([CROP_WIDTH / 2, CROP_HEIGHT / 2])
    return np.column_stack([turn, middle - turn @ centre])


def _warped(crop: HeadCrop, matrix: NDArray[np.float64], *, flip: bool) -> Example:
    picture = cv2.warpAffine(crop.picture, matrix, (CROP_WIDTH, CROP_HEIGHT), flags=cv2.INTER_LINEAR)
    points = crop.points @ matrix[:, :2].T + matrix[:, 2]
    weight = crop.weight.copy()
    if flip:
        for left, right in PAIRS:
            points[[left, right]], weight[[left, right]] = points[[right, left]], weight[[right, left]]
    inside = ((points >= 0) & (points < [CROP_WIDTH, CROP_HEIGHT])).all(axis=1)
    return np.asarray(picture, np.uint8), points.astype(np.float32), weight * inside


def _cover(
    picture: NDArray[np.float32],
    head: _Head,
    *,
    along: float,
    length: float,
    breadth: float,
    rng: np.random.Generator,
) -> None:
    """Paints a shaded ellipse of cloth; lengths are shares of the head height, `along` goes up the head."""
    centre = head.middle + along * head.height * np.array([np.cos(head.up), np.sin(head.up)])
    mask = np.zeros(picture.shape[:2], np.uint8)
    axes = (max(1, round(length * head.height / 2)), max(1, round(breadth * head.height / 2)))
    cv2.ellipse(mask, (round(centre[0]), round(centre[1])), axes, float(np.rad2deg(head.up)), 0, 360, 1, -1)
    inside = mask > 0
    cloth = CLOTH[rng.integers(len(CLOTH))] * rng.uniform(0.5, 1.1)
    light = picture[inside].mean(axis=1, keepdims=True) if inside.any() else np.zeros((0, 1), np.float32)
    shade = 0.7 + 0.3 * light / max(float(light.mean()) if light.size else 1.0, 1.0)
    picture[inside] = cloth * shade + rng.normal(0, 3, (int(inside.sum()), 3))


def _hide_part(picture: NDArray[np.float32], head: _Head, rng: np.random.Generator) -> None:
    """Puts another part of the picture, or a flat colour, over a part of the head and what is around it."""
    size = np.maximum(rng.uniform(0.3, 1.2, 2) * head.height, 2).astype(int)
    low = (head.middle + rng.uniform(-0.8, 0.8, 2) * head.height - size / 2).astype(int)
    high = np.minimum(low + size, [CROP_WIDTH, CROP_HEIGHT])
    low = np.clip(low, 0, None)
    width, tall = high - low
    if width <= 0 or tall <= 0:
        return
    if rng.random() < 0.5:
        patch: NDArray[Any] = CLOTH[rng.integers(len(CLOTH))] * rng.uniform(0.2, 1.0)
    else:
        x, y = rng.integers(0, CROP_WIDTH - width + 1), rng.integers(0, CROP_HEIGHT - tall + 1)
        patch = picture[y : y + tall, x : x + width].copy()
    picture[low[1] : high[1], low[0] : high[0]] = patch


def _worse_camera(picture: NDArray[np.float32], rng: np.random.Generator) -> Picture:
    picture = (picture - 128) * np.float32(rng.uniform(0.7, 1.3)) + np.float32(128 + rng.uniform(-25, 25))
    picture *= rng.uniform(0.93, 1.07, 3).astype(np.float32)
    if rng.random() < 0.4:
        share = rng.uniform(0.3, 0.8)
        small = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        picture = _float(cv2.resize(small, (CROP_WIDTH, CROP_HEIGHT), interpolation=cv2.INTER_LINEAR))
    if rng.random() < 0.3:
        length = int(rng.integers(3, 8))
        picture = _float(cv2.blur(picture, (1, length) if rng.random() < 0.5 else (length, 1)))
    if rng.random() < 0.4:
        picture = _float(picture + rng.normal(0, rng.uniform(2, 10), picture.shape))
    result = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        _, data = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])
        result = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return result


def _float(picture: Any) -> NDArray[np.float32]:
    return np.asarray(picture, np.float32)
