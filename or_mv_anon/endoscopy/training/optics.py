"""The look of an endoscope's optics, for pictures that come from elsewhere: lens, light, border.

Pictures of both labels go through it, so that neither a border nor its absence tells the network anything.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def crop(picture: Picture, rng: np.random.Generator, *, least: float, size: int) -> Picture:
    """A random part of the picture, turned and perhaps mirrored, (size, size, 3).

    Args:
        picture: (H, W, 3).
        rng: where chance comes from.
        least: smallest part, as a share of the picture's shorter side.
        size: of the result, pixels.
    """
    height, width = picture.shape[:2]
    side = rng.uniform(least, 1.0) * min(height, width)
    stretch = rng.uniform(0.8, 1.25)
    centre = [rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2)]
    angle = rng.uniform(0, 2 * np.pi)
    across = np.array([np.cos(angle), np.sin(angle)]) * side / 2 * (1 if rng.random() < 0.5 else -1)
    down = np.array([-np.sin(angle), np.cos(angle)]) * side / 2 * stretch
    corners = np.array([centre - across - down, centre + across - down, centre - across + down], np.float32)
    target = np.array([[0, 0], [size, 0], [0, size]], np.float32)
    matrix = cv2.getAffineTransform(corners, target)
    flags = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(picture, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101))


def barrel(picture: Picture, strength: float) -> Picture:
    """Bends straight lines outwards, as a wide lens does; `strength` 0 to about 0.5 is the shift at the corners."""
    size = picture.shape[0]
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, axis)
    bend = (1 + strength * (x * x + y * y)) / (1 + strength)
    to_pixels = size / 2
    return np.asarray(
        cv2.remap(picture, (x * bend + 1) * to_pixels - 0.5, (y * bend + 1) * to_pixels - 0.5, cv2.INTER_LINEAR)
    )


def scope_light(picture: Picture, rng: np.random.Generator) -> Picture:
    """Light from the scope's tip: bright in the middle, dark towards the rim."""
    size = picture.shape[0]
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    centre = rng.uniform(-0.25, 0.25, 2).astype(np.float32)
    distance = (axis[None] - centre[0]) ** 2 + (axis[:, None] - centre[1]) ** 2
    gain = rng.uniform(0.8, 1.7) / (1 + rng.uniform(0.2, 1.6) * distance)
    return np.asarray(np.clip(picture * gain[..., None], 0, 255).astype(np.uint8))


def border(picture: Picture, rng: np.random.Generator) -> Picture:
    """Puts the picture behind a black mask: a circle, perhaps cut at two sides, or an octagon, with a soft rim."""
    size = picture.shape[0]
    mask = np.zeros((size, size), np.uint8)
    middle = size / 2
    if rng.random() < 0.6:
        radius = middle * rng.uniform(0.94, 1.2)
        cv2.circle(mask, (round(middle), round(middle)), round(radius), 255, -1, cv2.LINE_AA)
    else:
        cut = rng.uniform(0.1, 0.3) * size
        points = [(cut, 0), (size - cut, 0), (size, cut), (size, size - cut)]
        points += [(size - x, size - y) for x, y in points]
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 255, cv2.LINE_AA)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 3.0)).astype(np.float32) / 255
    floor = rng.uniform(0, 12)
    return np.asarray((picture * soft[..., None] + floor * (1 - soft[..., None])).astype(np.uint8))
