"""Inputs that the tests and `make_reference.py` must make alike, from numbers alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAME_SIZES = [(1088, 1920), (640, 480), (333, 217), (1920, 1080), (100, 100)]
LONG_SIDE = 416
POSE_BOXES = np.array(
    [[40, 30, 140, 330], [-30, -20, 60, 90], [250, 180, 420, 260], [100, 100, 101, 103], [300.5, 10.25, 333, 217]],
    np.float32,
)
HEAD_PICTURE = (96, 160)  # height, width in pixels
SAMPLE_FRAMES = [("cam01.mp4", 59), ("cam03.mp4", 59)]


def generated_picture(width: int, height: int) -> NDArray[np.uint8]:
    """A BGR picture with smooth and rough parts, from integer arithmetic alone."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    channels = [
        (x * (3 + c) + y * (5 - c) + (x * y) // 97 + 31 * ((x // 16 + y // 16 + c) % 2)) % 256 for c in range(3)
    ]
    return np.stack(channels, axis=-1).astype(np.uint8)


def yolox_heads() -> dict[str, NDArray[np.float32]]:
    """Raw heads of one picture of `HEAD_PICTURE`, made so that boxes overlap and scores spread over (0, 1)."""
    random = np.random.RandomState(7)  # its stream is frozen for good, unlike default_rng's
    heads = {}
    for stride in (8, 16, 32):
        cells = (HEAD_PICTURE[0] // stride, HEAD_PICTURE[1] // stride)
        heads[f"cls_{stride}"] = random.normal(0, 2, (1, *cells))
        heads[f"reg_{stride}"] = random.normal(0, 0.5, (4, *cells))
        heads[f"obj_{stride}"] = random.normal(-1, 2, (1, *cells))
    return {name: head.astype(np.float32) for name, head in heads.items()}


def simcc_heads() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """SimCC heads of two people; a few points have no evidence."""
    random = np.random.RandomState(11)
    x = random.normal(0, 0.2, (2, 26, 384)).astype(np.float32)
    y = random.normal(0, 0.2, (2, 26, 512)).astype(np.float32)
    x[0, 3] = -np.abs(x[0, 3])
    y[1, 5] = -np.abs(y[1, 5])
    return x, y


def sampled_pixels(picture: NDArray[np.uint8]) -> list[int]:
    """About 150 values spread over a picture, enough to tell another sampling or padding."""
    flat = picture.reshape(-1)
    return [int(value) for value in flat[:: max(1, len(flat) // 150)]]
