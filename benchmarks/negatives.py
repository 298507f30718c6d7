"""False alarms on pictures of empty rooms: nobody is there, so every detection is wrong and all covering is cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes, clip
from or_mv_anon.core.figures import Figures


@dataclass(frozen=True, eq=False)
class EmptyPicture:
    """What a detector found in a picture of nobody: boxes (N, 4) in pixels and scores (N,); its size in pixels."""

    width: int
    height: int
    boxes: Boxes
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class FalseAlarms(Figures):
    """Detections of at least `score`.

    Attributes:
        count: of all pictures together.
        per_picture: mean count.
        pictures_with_any: share of the pictures.
        covered: mean share of a picture that lies under the boxes, overlaps counted once.
        worst_covered: the largest such share.
    """

    score: float
    count: int
    per_picture: float
    pictures_with_any: float
    covered: float
    worst_covered: float


def false_alarms(pictures: Sequence[EmptyPicture], *, scores: Sequence[float]) -> list[FalseAlarms]:
    """False alarms at each threshold of `scores`; NaN without pictures."""
    rows = []
    for score in scores:
        kept = [picture.boxes[picture.scores >= score] for picture in pictures]
        counts = np.array([len(boxes) for boxes in kept])
        covered = [
            covered_share(boxes, width=picture.width, height=picture.height)
            for boxes, picture in zip(kept, pictures, strict=True)
        ]
        rows.append(
            FalseAlarms(
                score=score,
                count=int(counts.sum()),
                per_picture=_mean(counts),
                pictures_with_any=_mean(counts > 0),
                covered=_mean(covered),
                worst_covered=max(covered, default=math.nan),
            )
        )
    return rows


def covered_share(boxes: Boxes, *, width: int, height: int) -> float:
    """Share of a picture that lies under at least one box, exactly, in [0, 1]."""
    inside = clip(np.asarray(boxes, np.float64), width=width, height=height)
    inside = inside[(inside[:, 2] > inside[:, 0]) & (inside[:, 3] > inside[:, 1])]
    if not len(inside):
        return 0.0
    across, down = np.unique(inside[:, [0, 2]]), np.unique(inside[:, [1, 3]])
    under = np.zeros((len(down), len(across)), bool)
    for x1, y1, x2, y2 in inside:
        rows, columns = np.searchsorted(down, [y1, y2]), np.searchsorted(across, [x1, x2])
        under[rows[0] : rows[1], columns[0] : columns[1]] = True
    cells = np.diff(down)[:, None] * np.diff(across)[None, :]
    return float((under[:-1, :-1] * cells).sum() / (width * height))


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else math.nan
