"""What happens to a scope's picture during an operation: smoke, blood, drops, motion, odd colours, weak encoding."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def clouds(size: int, rng: np.random.Generator, *, cells: int) -> NDArray[np.float32]:
    """Smooth noise from 0 to 1, (size, size), with about `cells` lumps along a side."""
    coarse = rng.random((cells + 2, cells + 2)).astype(np.float32)
    return np.asarray(np.clip(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1))


def smoke(picture: Picture, rng: np.random.Generator) -> Picture:
    """Grey haze of uneven density."""
    density = clouds(picture.shape[0], rng, cells=int(rng.integers(1, 5))) * rng.uniform(0.2, 0.9)
    grey = rng.uniform(120, 230)
    return _mixed(picture, np.full(3, grey), density)


def blood(picture: Picture, rng: np.random.Generator) -> Picture:
    """Red film and drops on the lens."""
    film = clouds(picture.shape[0], rng, cells=int(rng.integers(2, 7)))
    density = np.clip((film - rng.uniform(0.4, 0.8)) * rng.uniform(2, 6), 0, rng.uniform(0.4, 0.95))
    colour = np.array([rng.uniform(5, 40), rng.uniform(5, 40), rng.uniform(90, 190)])
    return _mixed(picture, colour, density.astype(np.float32))


def drops(picture: Picture, rng: np.random.Generator) -> Picture:
    """Drops and smears that blur parts of the picture."""
    blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(3, 9))
    share = np.clip((clouds(picture.shape[0], rng, cells=int(rng.integers(2, 9))) - rng.uniform(0.3, 0.7)) * 8, 0, 1)
    return np.asarray((picture * (1 - share[..., None]) + blurred * share[..., None]).astype(np.uint8))


def motion_blur(picture: Picture, rng: np.random.Generator) -> Picture:
    """The scope moves while the frame is exposed, or is out of focus."""
    if rng.random() < 0.4:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 5)))
    length = int(rng.integers(3, 28))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    ends = [tuple(np.round(middle + sign * reach).astype(int).tolist()) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()))


def colours(picture: Picture, rng: np.random.Generator) -> Picture:
    """White balance, exposure, contrast and saturation."""
    gains = np.exp(rng.normal(0, 0.14, 3)) * np.exp(rng.normal(0, 0.3))
    shown = 255 * np.clip(picture / 255 * gains, 0, 1) ** np.exp(rng.normal(0, 0.25))
    grey = shown.mean(axis=2, keepdims=True)
    return np.asarray(np.clip(grey + (shown - grey) * np.clip(rng.normal(1, 0.3), 0, 1.8), 0, 255).astype(np.uint8))


def weak_encoding(picture: Picture, rng: np.random.Generator) -> Picture:
    """Sensor noise and the blocks of a coarse encoder, at a lower resolution."""
    size = picture.shape[0]
    low = max(8, round(size * rng.uniform(0.3, 1.0)))
    small = cv2.resize(picture, (low, low), interpolation=cv2.INTER_AREA)
    noisy = np.clip(small + rng.normal(0, rng.uniform(0, 12), small.shape), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.resize(decoded, (size, size)), np.uint8)


def _mixed(picture: Picture, colour: NDArray[np.float64], density: NDArray[np.float32]) -> Picture:
    share = density[..., None]
    return np.asarray((picture * (1 - share) + colour * share).astype(np.uint8))
