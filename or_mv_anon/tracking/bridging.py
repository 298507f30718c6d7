"""Covers the way from where one track ends to where another begins, if somebody who walks could have gone it.

Small heads that walk are seen now and then, and at few frames a second so far apart that their boxes do not overlap.
Whether both ends are one person's is a guess, so nothing else changes: both tracks stay what they are, ends and all,
and the boxes between them are a track of their own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as box_geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Provenance, Tracks
from or_mv_anon.core.rows import numbered
from or_mv_anon.tracking.filling import interpolated
from or_mv_anon.tracking.linking import stitches
from or_mv_anon.tracking.matching import Indices

AT_ONCE = 0.5  # sizes by which a box may be elsewhere at once: detectors' boxes jitter
MOST_RATIO = 1.8  # times that a head's box may have grown or shrunk meanwhile


def walks(seen: Tracks, seconds: NDArray[np.float64], *, longest_s: float, speed: float) -> tuple[Indices, Indices]:
    """Which tracks somebody who walks may have gone on as: rows ``(W,)`` of one's end, and of the other's beginning.

    Args:
        seen: what was detected of one camera's tracks, ordered by track, then frame.
        seconds: of every frame, never falling.
        longest_s: from the end to the beginning.
        speed: sizes of a box, the root of its area, that somebody walks in a second at most.
    """
    changes = np.flatnonzero(np.diff(seen.track))
    firsts, lasts = np.append(0, changes + 1), np.append(changes, len(seen) - 1)
    time = seconds[seen.frame]

    def way(before: Indices, after: Indices) -> NDArray[np.float64]:
        sizes, ratio = _away(seen.box[before], seen.box[after])
        farthest = AT_ONCE + speed * (time[after] - time[before])
        return np.where((sizes <= farthest) & (ratio <= MOST_RATIO), sizes, np.inf)

    firsts = firsts[np.argsort(seen.frame[firsts], kind="stable")]
    return stitches(seen.frame, time, lasts, firsts, longest_gap_s=longest_s, cost=way)


def bridges(seen: Tracks, ways: tuple[Indices, Indices], seconds: NDArray[np.float64]) -> Tracks:
    """The boxes between tracks, one number for every way from 0 on.

    Args:
        seen: what was detected of them.
        ways: see `walks`.
        seconds: of every frame, never falling.
    """
    before, after = ways
    counts = seen.frame[after] - seen.frame[before] - 1
    here, there = np.repeat(before, counts), np.repeat(after, counts)
    frame = seen.frame[here] + 1 + numbered(counts)
    return Tracks(
        frame=frame,
        track=np.repeat(np.cumsum(counts > 0) - 1, counts),
        box=interpolated(seen, here, there, frame, seconds),
        score=np.minimum(seen.score[here], seen.score[there]),
        provenance=np.full(len(frame), Provenance.INTERPOLATED),
        detection=np.full(len(frame), -1),
    )


def _away(before: Boxes, after: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far apart the middles of paired boxes are, in their mean size, and how many times larger the larger is."""
    sizes = np.stack([box_geometry.size(box, least=1e-3) for box in (before, after)]).astype(float)
    middles = [(box[:, :2].astype(float) + box[:, 2:]) / 2 for box in (before, after)]
    return np.linalg.norm(middles[1] - middles[0], axis=1) / sizes.mean(axis=0), sizes.max(axis=0) / sizes.min(axis=0)
