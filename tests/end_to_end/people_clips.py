"""Clips of real people, made on the spot from the fetched four-camera sample; nothing of it is stored here.

Two heads were located by eye in one of its views: what a test demands to be covered does not come from the tool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests import clips

SIZE = (272, 480)  # px; a quarter of the sample's sides
RATE = 30  # every second frame of the sample
SHARP = {"crf": "16"}

Picture = NDArray[np.uint8]
Turn = Callable[[Picture], Picture]


@dataclass(frozen=True)
class Head:
    """One head's middle in pixels of `SIZE`, at some frames by their number, and half the side that is surely head."""

    at: dict[int, tuple[float, float]]
    half: float
    from_the_front: bool

    def box(self, number: int) -> NDArray[np.float64]:
        """``(x1, y1, x2, y2)`` in frame `number`, interpolated linearly."""
        frames = sorted(self.at)
        middle = np.array([np.interp(number, frames, [self.at[frame][axis] for frame in frames]) for axis in (0, 1)])
        return np.concatenate([middle - self.half, middle + self.half])


HEADS = (
    Head({0: (173, 116), 12: (172, 116), 24: (177, 122)}, half=8, from_the_front=True),
    Head({0: (65, 134), 12: (52, 147), 24: (56, 162)}, half=7, from_the_front=False),
)
FACE = HEADS[0]


def read_people(video: Path) -> Picture:
    """Every second frame of a sample video as (N, height, width, 3) BGR, scaled down to `SIZE`."""
    pictures = []
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 2 == 0:
                pictures.append(cv2.resize(frame.to_ndarray(format="bgr24"), SIZE, interpolation=cv2.INTER_AREA))
    return np.stack(pictures)


def write_people(
    path: Path, people: Picture, *, turn: Turn = lambda picture: picture, first: int = 0, **clip: Any
) -> Path:
    """A clip of `people` from number `first` on; `turn` makes the coded picture, the rest is `clips.write_clip`'s."""

    def coded(number: int, width: int, height: int) -> Picture:
        picture = turn(people[first + number])
        if picture.shape[:2] != (height, width):
            picture = picture[:height, :width]
        return np.ascontiguousarray(picture)

    height, width = turn(people[0]).shape[:2]
    values = {"size": (width, height), "rate": RATE, "gop": 6, "options": SHARP} | clip
    with mock.patch.object(clips, "picture", coded):
        return clips.write_clip(path, **values)


def write_picture_folder(path: Path, people: Picture, *, suffix: str, count: int, name: str = "{:06d}") -> Path:
    """The first `count` of `people` as numbered pictures."""
    path.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(path / (name.format(number) + suffix)), people[number])
    return path
