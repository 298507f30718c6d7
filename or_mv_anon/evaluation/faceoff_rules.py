"""What FaceOff's protocol works on and by: labelled faces, its options, and which boxes belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes


@dataclass(frozen=True, kw_only=True)
class FaceOffOptions:
    """What the paper states and what it leaves open.

    Attributes:
        iou: overlap of a hit (the paper's).
        strictly: an overlap of exactly `iou` is no hit ("above").
        linking: which boxes of neighbouring frames are the same face: those that overlap it in a chain of frames by
            `link_iou` (`overlap`, what a tool can do), or those that hit the same labelled face (`labels`, an upper
            bound that only an evaluation knows).
        link_iou: least overlap of linked boxes.
        placing: `replace` puts the mean wherever the window holds a box of the face, as the paper's formula reads;
            `fill` only where the frame itself has none.
        sides: the window must hold boxes on `either` side of a frame without one, or on `both`.
        duplicates: further detections of a face that is hit are `false` alarms, or `ignored`.
        average: over all faces of all videos (`micro`), or of the videos' figures (`per_video`).
        min_score: of detections.
        min_head_score: of detected heads, where they stand for faces.
    """

    iou: float = 0.3
    strictly: bool = True
    linking: Literal["overlap", "labels"] = "overlap"
    link_iou: float = 0.3
    placing: Literal["replace", "fill"] = "replace"
    sides: Literal["either", "both"] = "either"
    duplicates: Literal["false", "ignored"] = "false"
    average: Literal["micro", "per_video"] = "micro"
    min_score: float = 0.5
    min_head_score: float = 0.2


@dataclass(frozen=True)
class FaceLabels:
    """One video's labelled faces; `counts` is False for faces too small or hidden: finding them is no false alarm."""

    frame: NDArray[np.int32]
    person: NDArray[np.int16]
    box: Boxes
    counts: NDArray[np.bool_]


def best_pairs(overlap: NDArray[np.float32], *, least: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of overlaps of at least `least`, best first, each row and column once."""
    pairs: list[tuple[int, int]] = []
    if not overlap.size:
        return pairs
    left = overlap.copy()
    while left.max() >= least and left.max() > 0:
        i, j = np.unravel_index(int(left.argmax()), left.shape)
        pairs.append((int(i), int(j)))
        left[i, :] = left[:, j] = 0
    return pairs
