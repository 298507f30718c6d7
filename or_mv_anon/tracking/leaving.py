"""Follows who comes in or goes out straight to the picture's edge, where a detector finds half a head late or never.

Prolonging a track's end forgets within half a second where somebody was going, because indoors people stop and turn.
Who is about to leave the picture does not: the box keeps its velocity until nothing of it is left, and so backwards for
who came in. The tracks stay what they are; the boxes beyond their ends are tracks of their own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as box_geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Provenance, Tracks
from or_mv_anon.core.rows import numbered
from or_mv_anon.tracking.filling import GROWTH_PER_S, end_velocity
from or_mv_anon.tracking.matching import Indices
from or_mv_anon.tracking.numbering import numbered_on


def ways_out(
    seen: Tracks,
    ways: tuple[Indices, Indices],
    seconds: NDArray[np.float64],
    *,
    size: tuple[int, int],
    longest_s: float,
    speed: float,
) -> Tracks:
    """The boxes beyond tracks' ends on their straight way out of the picture, one number for every way from 0 on.

    Args:
        seen: what was detected of one camera's tracks, ordered by track, then frame.
        ways: on which of them somebody went on as another, see `bridging.walks`: where nothing ends, and what tells the
            velocity of who was seen once.
        seconds: of every frame ``(F,)``, never falling.
        size: width and height of the picture in pixels.
        longest_s: that a way out may take, from the last detection; longer ways may end anywhere.
        speed: sizes of a box, the root of its area, that somebody walks in a second at most; faster boxes jump.
    """
    walker = _walkers(seen, ways)
    order = np.lexsort((seen.frame, walker))
    seen, walker = seen[order], walker[order]
    parts = []
    for direction in (-1, 1):
        outward = np.arange(len(seen))[::-direction]  # everybody from the end of interest inwards
        places = np.flatnonzero(np.diff(walker[outward], prepend=-1))
        velocity = end_velocity(seen, outward, places, seconds)
        ends = outward[places]
        takes = _seconds_to_leave(seen.box[ends], direction * velocity, size)
        walked = np.linalg.norm(velocity, axis=1) <= speed * box_geometry.size(seen.box[ends])
        kept = walked & (takes <= longest_s)
        parts.append(_straight_on(seen[ends[kept]], velocity[kept], direction * takes[kept], seconds, size))
    return numbered_on(parts)


def _walkers(seen: Tracks, ways: tuple[Indices, Indices]) -> Indices:
    """One number ``(N,)`` for all rows of tracks on which somebody went on: that of the first of them."""
    first = np.arange(int(seen.track.max(initial=-1)) + 1)
    before, after = (seen.track[rows] for rows in ways)
    first[after] = before
    while (first != (earlier := first[first])).any():
        first = earlier
    return first[seen.track]


def _straight_on(
    ends: Tracks,
    velocity: NDArray[np.float64],
    takes: NDArray[np.float64],
    seconds: NDArray[np.float64],
    size: tuple[int, int],
) -> Tracks:
    """The boxes from `ends` ``(N,)`` on at their velocities in the frames of the next, or last, `takes` seconds."""
    gone = seconds[ends.frame] + takes
    last = np.where(takes > 0, np.searchsorted(seconds, gone) - 1, np.searchsorted(seconds, gone, side="right"))
    counts = np.abs(last - ends.frame)
    owner = np.repeat(np.arange(len(ends)), counts)
    frame = ends.frame[owner] + np.sign(takes).astype(int)[owner] * (1 + numbered(counts))
    away = (seconds[frame] - seconds[ends.frame[owner]])[:, None]
    held = ends.box[owner].astype(np.float64)
    growth = GROWTH_PER_S * np.abs(away) * (held[:, 2:] - held[:, :2])
    moved = np.tile(velocity[owner] * away, 2) + np.concatenate([held[:, :2] - growth, held[:, 2:] + growth], axis=1)
    rows = Tracks(
        frame=frame,
        track=(np.cumsum(counts > 0) - 1)[owner],
        box=box_geometry.clip(moved.astype(np.float32), width=size[0], height=size[1]),
        score=ends.score[owner],
        provenance=np.full(len(frame), Provenance.INTERPOLATED),
        detection=np.full(len(frame), -1),
    )
    rows = rows[box_geometry.area(rows.box) > 0]
    return rows[np.lexsort((rows.frame, rows.track))]


def _seconds_to_leave(boxes: Boxes, velocity: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """How long ``(N,)`` boxes ``(N, 4)`` at these velocities ``(N, 2)`` need until nothing is left in the picture."""
    way = np.where(velocity > 0, np.asarray(size) - boxes[:, :2], boxes[:, 2:]).astype(np.float64)
    takes = np.full_like(velocity, np.inf)
    np.divide(way, np.abs(velocity), out=takes, where=velocity != 0)
    return np.maximum(takes.min(axis=1), 0.0)
