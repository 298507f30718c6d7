"""Weak candidates that pass through the picture: one of them is noise, several that go one way are somebody.

Nothing is decided about a single candidate before those of the frames around it were seen (track before detect,
Tonissen and Bar-Shalom 1998). Things that networks mistake for heads stand where they are; a head below the camera, at
the picture's edge, or blurred by its own movement does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as box_geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Detections, Tracks
from or_mv_anon.tracking.filling import between
from or_mv_anon.tracking.matching import best_pairs

LONGEST_GAP_S = 0.45  # seconds in which a candidate may not be found; two frames at 5 per second
WINDOW_S = 1.0  # in which it has to go its way
LEAST_WAY = 1.0  # sizes that it goes meanwhile, the root of its area
LEAST_SEEN = 3  # times meanwhile
LONGEST_STEP = 0.7  # of the way, in one step: two things that are found by turns take it in one
AT_ONCE = 0.4  # sizes by which it may be elsewhere at once, while its speed is not known ...
FASTEST = 5.0  # ... and sizes per second that it goes at most
AWAY = 0.6  # sizes by which it may be elsewhere than its speed has it
MOST_RATIO = 1.6  # times that it may have grown or shrunk


def passing(found: Detections, seconds: NDArray[np.float64]) -> NDArray[np.int32]:
    """The chain ``(D,)`` of every candidate that passes, dense from 0; -1 for all others.

    Args:
        found: candidates of one camera, ordered by frame.
        seconds: time of every candidate ``(D,)``, never falling.
    """
    chain = _chains(found, seconds)
    order = np.lexsort((seconds, chain))
    middle, size = _middles(found.box), box_geometry.size(found.box, least=1.0)
    passes = np.zeros(len(found), bool)
    for rows in np.split(order, np.flatnonzero(np.diff(chain[order])) + 1):
        if len(rows) >= LEAST_SEEN:
            passes[rows] = _goes(seconds[rows], middle[rows], size[rows])
    numbers = np.full(len(found), -1, np.int32)
    numbers[passes] = np.unique(chain[passes], return_inverse=True)[1]
    return numbers


def passing_tracks(found: Detections, seconds: NDArray[np.float64]) -> Tracks:
    """The candidates that pass, as tracks without a gap.

    Args:
        found: candidates of one camera, ordered by frame.
        seconds: time of every frame of the camera.
    """
    chain = passing(found, seconds[found.frame])
    rows = np.flatnonzero(chain >= 0)
    rows = rows[np.lexsort((found.frame[rows], chain[rows]))]
    return between(found, rows, chain, seconds, high_score=0.0)  # passing is what makes them sure


def _chains(found: Detections, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which candidates may be one thing after another: the chain of each ``(D,)``."""
    middle, size = _middles(found.box), box_geometry.size(found.box, least=1.0)
    chain = np.arange(len(found))
    last = before = np.zeros(0, np.intp)  # of every open chain, the row that was found last, and the one before
    for rows in np.split(np.arange(len(found)), np.flatnonzero(np.diff(found.frame)) + 1):
        if not len(rows):
            break
        open_still = seconds[rows[0]] - seconds[last] <= LONGEST_GAP_S
        last, before = last[open_still], before[open_still]
        elapsed, earlier = seconds[rows[0]] - seconds[last], seconds[last] - seconds[before]
        moved = (middle[last] - middle[before]) * (elapsed / np.maximum(earlier, 1e-9))[:, None]
        farthest = np.where(before == last, AT_ONCE + FASTEST * elapsed, AWAY)
        unit = (size[last][:, None] + size[rows]) / 2
        away = np.linalg.norm((middle[last] + moved)[:, None] - middle[rows], axis=2) / unit
        ratio = size[last][:, None] / size[rows]
        alike = np.maximum(ratio, 1 / ratio) <= MOST_RATIO
        similarity = np.where(alike, np.clip(1 - away / farthest[:, None], 0, 1), 0)
        old, new = best_pairs(similarity, least=1e-3)
        chain[rows[new]] = chain[last[old]]
        fresh = np.setdiff1d(np.arange(len(rows)), new)
        rest = np.setdiff1d(np.arange(len(last)), old)
        before = np.concatenate([last[old], before[rest], rows[fresh]])
        last = np.concatenate([rows[new], last[rest], rows[fresh]])
    return chain


def _goes(seconds: NDArray[np.float64], middle: NDArray[np.float64], size: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which candidates of one chain are of a part of it that goes its way."""
    going = np.zeros(len(seconds), bool)
    steps = np.linalg.norm(np.diff(middle, axis=0), axis=1)
    stops = np.searchsorted(seconds, seconds + WINDOW_S, side="right")
    for first, stop in enumerate(stops.tolist()):
        if stop - first < LEAST_SEEN:
            continue
        way = float(np.linalg.norm(middle[stop - 1] - middle[first]))
        if way >= LEAST_WAY * np.median(size[first:stop]) and steps[first : stop - 1].max() <= LONGEST_STEP * way:
            going[first:stop] = True
    return going


def _middles(box: Boxes) -> NDArray[np.float64]:
    return np.asarray((box[:, :2] + box[:, 2:]) / 2, np.float64)
