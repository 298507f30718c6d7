"""People who differ by the colours of their faces, and a recognizer that sees just that: no weights are needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from or_mv_anon.attack.identities import Face
from or_mv_anon.models.recognizers import SFACE_TEMPLATE, align, unit

SIDE = 96  # px of a picture
FACE = (24, 24, 72, 72)  # its face, and the region that covers it
LANDMARKS = (SFACE_TEMPLATE * 40 + 28).astype(np.float32)


def toy_picture(person: int, number: int) -> np.ndarray:
    """A grey picture with a face of 4 x 4 patches in the person's colours; noise tells pictures apart."""
    colours = np.random.default_rng(person).integers(0, 255, (4, 4, 3))
    noise = np.random.default_rng(1000 * person + number).normal(0, 6, (SIDE, SIDE, 3))
    picture = np.full((SIDE, SIDE, 3), 128.0)
    x1, y1, x2, y2 = FACE
    picture[y1:y2, x1:x2] = colours.repeat(12, axis=0).repeat(12, axis=1)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def toy_faces(people: int, pictures: int, *, of: str = "set") -> list[Face]:
    """`pictures` of each of `people`."""
    region = np.array([FACE], np.float32)
    return [
        Face(f"{of}/id{person:02d}", toy_picture(person, number), region, LANDMARKS)
        for person in range(people)
        for number in range(pictures)
    ]


class ToyRecognizer:
    """Describes a face by its patches' colours."""

    name = "toy"
    same_person = 0.9

    def __init__(self) -> None:
        self.faces = 0

    def embed(self, pictures: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
        self.faces += len(pictures)
        crops = [align(picture, points, side=32) for picture, points in zip(pictures, landmarks, strict=True)]
        patches = np.array([crop[4::8, 4::8].astype(np.float32).ravel() for crop in crops]).reshape(len(crops), 48)
        return unit(patches - 128)
