"""Small generated recordings of an endoscope: red and round inside the body, blue and full outside."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.clips import write_clip

SIZE = (160, 96)


def scope_picture(number: int, width: int, height: int, *, outside: bool) -> NDArray[np.uint8]:
    """A picture with fine detail that moves: tissue behind a round border, or a room without any."""
    random = np.random.default_rng(7)
    detail = random.integers(0, 90, (height, width, 1)).repeat(3, axis=2)
    detail = np.roll(detail, number * 3, axis=1)
    colour = (190, 120, 40) if outside else (40, 60, 190)
    picture = np.clip(detail + np.array(colour) - 40, 0, 255).astype(np.uint8)
    if not outside:
        mask = np.zeros((height, width), np.uint8)
        cv2.circle(mask, (width // 2, height // 2), int(0.62 * height), 1, -1)
        picture[mask == 0] = 4
    return picture


def write_scope_clip(path: Path, *, outside: Collection[int] = (), **options: Any) -> Path:
    """A clip that is outside in the frames `outside`; see `clips.write_clip` for the rest."""

    def draw(number: int, width: int, height: int) -> NDArray[np.uint8]:
        return scope_picture(number, width, height, outside=number in outside)

    with mock.patch("tests.clips.picture", draw):
        return write_clip(path, **{"size": SIZE, "frames": 60, "rate": 20, **options})
