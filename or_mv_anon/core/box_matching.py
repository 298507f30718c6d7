"""Which detection found which person: greedy matching by score, with people who neither count nor cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.records import Column, Columns

NOBODY = -1


@dataclass(frozen=True)
class Subjects(Columns):
    """Boxes to be found."""

    picture: Column  # any number that tells pictures apart
    box: Column
    counted: Column  # False: ignored, whoever finds it is neither right nor wrong

    columns = {"picture": (np.int64, ()), "box": (np.float64, (4,)), "counted": (np.bool_, ())}


@dataclass(frozen=True)
class Candidates(Columns):
    """Boxes that a detector emitted."""

    picture: Column
    box: Column
    score: Column

    columns = {"picture": (np.int64, ()), "box": (np.float64, (4,)), "score": (np.float64, ())}


def match(subjects: Subjects, candidates: Candidates, *, iou: float = 0.5) -> NDArray[np.int64]:
    """The row in `subjects` that each candidate found, `NOBODY` for none, (len(candidates),).

    COCO's rule: in order of score, each candidate takes the subject of its picture that it overlaps most among those
    still free, if that is at least `iou`; ignored subjects only when no counted one is left for it. Of equal overlaps
    the later subject is taken.
    """
    found = np.full(len(candidates), NOBODY, np.int64)
    order = np.argsort(-candidates.score, kind="stable")
    order = order[np.argsort(candidates.picture[order], kind="stable")]
    subject_rows = np.argsort(subjects.picture, kind="stable")
    pictures, first = np.unique(candidates.picture[order], return_index=True)
    sorted_pictures = subjects.picture[subject_rows]
    starts = np.searchsorted(sorted_pictures, pictures, side="left")
    ends = np.searchsorted(sorted_pictures, pictures, side="right")
    bounds = np.append(first, len(order))
    for i in np.flatnonzero(ends > starts):
        here, there = order[bounds[i] : bounds[i + 1]], subject_rows[starts[i] : ends[i]]
        overlaps = geometry.iou(candidates.box[here], subjects.box[there])
        taken = _greedy(overlaps, subjects.counted[there], iou=iou)
        found[here] = np.where(taken == NOBODY, NOBODY, there[taken])
    return found


def _greedy(overlaps: NDArray[Any], counted: NDArray[np.bool_], *, iou: float) -> NDArray[np.int64]:
    """Columns that the rows take, one after another; column `NOBODY` for none."""
    taken = np.full(len(overlaps), NOBODY, np.int64)
    usable = np.where(overlaps >= iou, overlaps, -1.0)
    for row in np.flatnonzero(usable.max(axis=1) > 0):
        # a counted subject is worth more than any overlap with an ignored one
        worth = np.where(usable[row] > 0, usable[row] + counted, -1.0)
        best = len(worth) - 1 - int(np.argmax(worth[::-1]))
        if worth[best] > 0:
            taken[row] = best
            usable[:, best] = -1.0
    return taken
