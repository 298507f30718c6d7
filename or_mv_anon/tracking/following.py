"""Follows a box that a person drew: where its picture goes from frame to frame, until nothing like it is found.

Normalized cross-correlation with the picture as it was drawn and as it was last seen, at three sizes, in a window that
grows while it is not found. What is hidden for a moment is held, and looked for where it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import ManualConfig

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

SIZES = (0.94, 1.0, 1.06)  # of the box from one frame to the next
PATCH = 48  # px of the longer side in which pictures are compared
REACH = 0.9  # of the longer side that the box may move from one frame to the next
GROWTH = 0.5  # of the box's sides, per second in which it is held without being found
UNSURE = 1.0  # of the box's sides, on every side, per what the score lacks of 1
RENEWAL = 0.3  # share of the newest picture in what is remembered as the last seen
FALL = 0.85  # share of its usual score to which a box may fall; what hides it looks a little like it, too
LEAST_CONTRAST = 2.0  # levels of 255 (standard deviation); a patch without structure is found everywhere


@dataclass(frozen=True)
class Way:
    """One direction of following.

    Attributes:
        frames: numbers, in the order in which they were looked at.
        boxes: of each ``(N, 4)``.
        scores: of each.
        lost_at: seconds at which it was last found, if it was not found up to where the pictures end.
    """

    frames: list[int]
    boxes: list[Floats]
    scores: list[float]
    lost_at: float | None


def follow(first: Picture, box: Floats, pictures: Iterable[tuple[int, float, Picture]], config: ManualConfig) -> Way:
    """Follow a box through pictures of one size.

    Args:
        first: the upright grey picture ``(h, w)`` in which the box was drawn.
        box: ``(4,)`` x1, y1, x2, y2 in its pixels.
        pictures: number, seconds and picture of the frames that follow, forwards or backwards.
        config: from which score on it counts as found, and how long it is held otherwise.
    """
    drawn = _patch(first, box)
    seen, here = drawn, np.asarray(box, np.float64)
    way = Way([], [], [], None)
    found_at: float | None = None
    usual: float | None = None
    for number, time, picture in pictures:
        found_at = time if found_at is None else found_at
        missing = abs(time - found_at)
        place, score = _look(picture, here, (drawn, seen), 1 + missing)
        if score >= max(config.follow_score, FALL * (usual or 0.0)):
            here, found_at = place, time
            usual = score if usual is None else usual + RENEWAL * (score - usual)
            newest = _patch(picture, here)
            if newest is not None and seen is not None:
                seen = RENEWAL * newest + (1 - RENEWAL) * seen
            shown = _grown(here, UNSURE * (1 - score))
        elif missing > config.lost_s:
            return Way(way.frames, way.boxes, way.scores, found_at)
        else:
            score = 0.0
            shown = _grown(here, GROWTH * missing / 2)
        way.frames.append(number)
        way.boxes.append(shown)
        way.scores.append(score)
    missed = bool(way.scores) and way.scores[-1] == 0.0
    return replace(way, lost_at=found_at) if missed else way


def _grown(box: Floats, share: float) -> Floats:
    """The box grown by a share of its sides on every side."""
    margin = share * (box[2:] - box[:2])
    return np.concatenate([box[:2] - margin, box[2:] + margin])


def _look(
    picture: Picture, box: Floats, patches: tuple[Floats | None, Floats | None], wider: float
) -> tuple[Floats, float]:
    """Where one of the patches is found best near `box`, and how well: -1 to 1."""
    best, best_box = -1.0, box
    side = float((box[2:] - box[:2]).max())
    reach = REACH * side * wider
    low = np.floor(np.maximum(box[:2] - reach, 0)).astype(int)
    high = np.ceil(np.minimum(box[2:] + reach, np.array(picture.shape[::-1]))).astype(int)
    if (high - low < 4).any():
        return box, best
    window = picture[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    for size in SIZES:
        extent = size * (box[2:] - box[:2])
        scale = PATCH / float(extent.max())
        shown = cv2.resize(window, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else 1)
        for patch in patches:
            if patch is None:
                continue
            sides = np.maximum(np.round(extent * scale).astype(int), 4)
            wanted = cv2.resize(patch.astype(np.float32), (int(sides[0]), int(sides[1])))
            if shown.shape[0] < wanted.shape[0] or shown.shape[1] < wanted.shape[1]:
                continue
            answer = cv2.matchTemplate(shown, wanted, cv2.TM_CCOEFF_NORMED, mask=_oval(*map(int, sides)))
            _, score, _, (x, y) = cv2.minMaxLoc(np.nan_to_num(answer, nan=-1.0, posinf=-1.0, neginf=-1.0))
            if score > best:
                middle = low + (np.array([x, y]) + sides / 2) / scale
                best, best_box = float(score), np.concatenate([middle - extent / 2, middle + extent / 2])
    return best_box, best


@lru_cache(maxsize=64)
def _oval(width: int, height: int) -> NDArray[np.float32]:
    """What counts of a patch: its corners are mostly background, which stays where it is."""
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)
    return np.asarray(x[None] ** 2 + y[:, None] ** 2 <= 1, np.float32)


def _patch(picture: Picture, box: Floats) -> Floats | None:
    """The picture of a box, its longer side `PATCH`; None where it holds no structure."""
    middle, extent = (np.asarray(box, np.float64)[:2] + box[2:]) / 2, np.asarray(box, np.float64)[2:] - box[:2]
    scale = PATCH / float(extent.max())
    sides = np.maximum(np.round(extent * scale).astype(int), 4)
    turn = np.array([[scale, 0, sides[0] / 2 - scale * middle[0]], [0, scale, sides[1] / 2 - scale * middle[1]]])
    patch = cv2.warpAffine(
        picture, turn, (int(sides[0]), int(sides[1])), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return patch.astype(np.float64) if float(patch.std()) >= LEAST_CONTRAST else None
