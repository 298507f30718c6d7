"""Where somebody stood shortly before or after, and may still be standing, unseen.

People in an operating room keep their places for minutes and are hidden in between. Around the ends of a clear track
its last place is undecided for some seconds: nobody is taught that it is empty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Tracks

Rows = NDArray[np.intp]


def remembered_places(
    tracks: Tracks, seconds: NDArray[np.float64], clear: NDArray[np.bool_], *, remember_s: float
) -> tuple[NDArray[np.int64], Boxes, Rows]:
    """Boxes that a clear track had last, in the frames before its first and after its last detection.

    Args:
        tracks: of one camera, ordered by track, then frame.
        seconds: time of every frame (F,).
        clear: by track id, whether the person was ever seen beyond doubt.
        remember_s: how long a place is remembered.

    Returns:
        The frame (N,), the box (N, 4), and the row of `tracks` that it comes from (N,).
    """
    seen = np.flatnonzero((tracks.detection >= 0) & clear[tracks.track])
    first = seen[np.flatnonzero(np.diff(tracks.track[seen], prepend=-1))]
    last = seen[np.flatnonzero(np.diff(tracks.track[seen], append=-1))]
    start = np.searchsorted(seconds, seconds[tracks.frame[first]] - remember_s)
    stop = np.searchsorted(seconds, seconds[tracks.frame[last]] + remember_s, side="right")
    before, before_rows = _spans(start, tracks.frame[first].astype(np.int64), first)
    after, after_rows = _spans(tracks.frame[last].astype(np.int64) + 1, stop, last)
    rows = np.concatenate([before_rows, after_rows])
    return np.concatenate([before, after]), tracks.box[rows], rows


def _spans(start: NDArray[np.int64], stop: NDArray[np.int64], rows: Rows) -> tuple[NDArray[np.int64], Rows]:
    """The numbers from every `start` to before its `stop`, each with its row."""
    counts = np.maximum(stop - start, 0)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(start, counts) + offset, np.repeat(rows, counts)
