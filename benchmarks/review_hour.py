"""A finished run of four cameras and any length to open the review page on: generated pictures that say where they are.

Twenty seconds of a grainy, textured room in which a few things move are encoded with the tool's own settings and
repeated without encoding them again. Every picture holds a code of its camera and its
frame within the twenty seconds, so that what the page shows can be compared with what was asked for.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import load_config
from or_mv_anon.video.encoding import encoder_options
from tests.review.review_scenes import View, case, coded_picture, write_reviewed

CAMERAS = ("cam1", "cam2", "cam3", "cam4")
RATE = 25
TURN_S = 20
SIZE = (1280, 720)
GRAIN = 2.0  # standard deviation of the sensor's noise, grey values
THINGS = 6


def write_hour(out: Path, *, seconds: float, size: tuple[int, int] = SIZE, keyframe_every: int | None = None) -> Path:
    """A run in a new folder `out` whose cameras last `seconds`; frames from keyframe to keyframe as the tool has it."""
    video = load_config().video
    gop = keyframe_every or video.keyframe_every
    encoder = encoder_options("libx264", crf=video.crf, preset=video.preset, threads=1)
    frames = round(seconds * RATE)
    views = {
        name: View(frames, rate=RATE, gop=gop, turn=min(frames, TURN_S * RATE), encoder=encoder, picture=grainy_picture)
        for name in CAMERAS
    }
    moments = np.random.default_rng(5).uniform(0, seconds - 2, max(1, round(seconds / 40))).round(2).tolist()
    cases = [
        case(number, start, start + 1.2, *np.roll(CAMERAS, number)[: 1 + number % 3].tolist())
        for number, start in enumerate(moments)
    ]
    return write_reviewed(out, views, size=size, cases=cases)


def grainy_picture(camera: int, frame: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture (height, width, 3) BGR of the room with its code."""
    random = np.random.default_rng((camera, frame))
    picture = _room(camera, size).astype(np.float32)
    for thing in range(THINGS):
        x = round((0.1 + 0.8 * (0.5 + 0.5 * np.sin(frame / (40 + 9 * thing) + camera + thing))) * size[0])
        y = round((0.3 + 0.1 * thing) * size[1])
        cv2.ellipse(picture, (x, y), (size[0] // 20, size[1] // 8), 0, 0, 360, (40.0 * thing, 120, 180), -1)
    picture += random.normal(0, GRAIN, (*picture.shape[:2], 1)).astype(np.float32)
    cell = size[0] // 16
    picture[cell // 2 : 5 * cell // 2] = 0
    coded = np.clip(picture, 0, 255).astype(np.uint8)
    code = coded_picture(camera, frame, size)
    coded[cell : 2 * cell] = code[cell : 2 * cell]
    return coded


@lru_cache(maxsize=8)
def _room(camera: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    random = np.random.default_rng(camera)
    coarse = random.integers(60, 200, (size[1] // 40, size[0] // 40, 3), np.uint8)
    fine = random.integers(0, 40, (size[1], size[0], 1), np.uint8)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC) + fine, np.uint8)
