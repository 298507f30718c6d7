"""May a drawn face be shown? Recognizers compare it with its original, in memory, and its detail is compared too.

The comparison is the strictest that an attacker could make: the drawn face is aligned by the original's landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import RecognizerChoice
from or_mv_anon.models.detectors.dense import fitted_size
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.landmarks import FoundFaces
from or_mv_anon.models.recognizers import RECOGNIZERS, SFACE, Recognizer

Outcome = Literal["released", "small", "unclear", "overlapped", "faceless", "detailed", "recognized", "failed"]
"""What became of a region; everything but `released` is what the strict operator covered, see `audit/learned.py`."""
LOOK_SIDE = 160  # px, longer side of the head in which landmarks are looked for
SURROUNDINGS = 0.25  # of the longer side, grey, on every side: YuNet finds faces that do not fill the picture
GREY = 114


def chosen(recognizers: RecognizerChoice) -> tuple[str, ...]:
    """The recognizers' names that a setting stands for."""
    return RECOGNIZERS if recognizers == "all" else (SFACE,)


class Finder(Protocol):
    """Finds faces and their landmarks; see `LandmarkFinder`."""

    def find(self, picture: Picture) -> FoundFaces: ...


class ReleaseCheck:
    """Compares drawn faces with their originals.

    Args:
        finder: of the original's landmarks.
        recognizers: all of them must fail.
        least_distance: how far apart the two must be for every recognizer, as a multiple of the cosine distance below
            which its makers call two faces one person's.
    """

    def __init__(self, finder: Finder, recognizers: Sequence[Recognizer], *, least_distance: float) -> None:
        self._finder = finder
        self._recognizers = recognizers
        self._least_distance = least_distance

    def judge(self, originals: Sequence[Picture], drawn: Sequence[Picture]) -> list[Outcome]:
        """`released`, `recognized` or `faceless` for each pair of upright BGR pictures of one size.

        Raises:
            FloatingPointError: a recognizer gave something that is no number.
        """
        found = [self._landmarks(picture) for picture in originals]
        outcomes: list[Outcome] = ["faceless" if points is None else "released" for points in found]
        rows = [row for row, points in enumerate(found) if points is not None]
        if not rows:
            return outcomes
        landmarks = np.stack([points for points in found if points is not None])
        for recognizer in self._recognizers:
            both = [*(originals[row] for row in rows), *(drawn[row] for row in rows)]
            vectors = recognizer.embed(both, np.concatenate([landmarks, landmarks]))
            distance = 1 - (vectors[: len(rows)] * vectors[len(rows) :]).sum(axis=1)
            if not np.isfinite(distance).all():
                raise FloatingPointError(f"the recognizer {recognizer.name} gave something that is no number")
            for row, value in zip(rows, distance.tolist(), strict=True):
                if value < self._least_distance * (1 - recognizer.same_person):
                    outcomes[row] = "recognized"
        return outcomes

    def _landmarks(self, picture: Picture) -> NDArray[np.float32] | None:
        """Of the surest face, ``(5, 2)`` pixels, or None."""
        height, width = picture.shape[:2]
        size = fitted_size(width, height, long_side=LOOK_SIDE)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        margin = round(SURROUNDINGS * LOOK_SIDE)
        found = self._finder.find(np.pad(small, ((margin, margin), (margin, margin), (0, 0)), constant_values=GREY))
        if not len(found.score):
            return None
        scale = np.array([width / size[0], height / size[1]], np.float32)
        landmarks: NDArray[np.float32] = (found.landmarks[0] - margin) * scale
        return landmarks
