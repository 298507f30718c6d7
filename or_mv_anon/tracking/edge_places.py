"""Heads that stay where the picture's edge cuts them: seen surely once, and weakly now and then from then on.

Who goes out of the picture has usually gone. Somebody who stops halfway is half a head for as long as they stand there,
which networks hardly see. So where a head was sure at the edge, weaker candidates at the same place count as well, and
the place is covered from the first to the last of them as long as they come again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Detections, Provenance, Tracks

NEAR = 0.25  # sizes of a box, the root of its area, from the edge within which it is at the edge
SURE = 0.25  # score of a head that shows that somebody is there
SAME_PLACE = 1.0  # sizes by which candidates of one head may be apart
MOST_RATIO = 1.8  # times that one may be larger than the other
COMES_AGAIN_S = 10.0  # seconds without a candidate after which the place counts as left
REACH_S = 600.0  # seconds from the sure head to others that count with it
LEAST_SEEN = 3  # candidates at a place
BEFORE_AFTER_S = 2.0  # seconds that are covered before the first and after the last
SPREAD = 25  # per cent of the candidates that may say that the head reaches farther than what is covered


def at_edge(box: Boxes, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which boxes ``(N, 4)`` are at the edge of a picture of such width and height in pixels."""
    return np.asarray(bx.to_edge(box, width=size[0], height=size[1]) <= NEAR * bx.size(box))


def edge_places(found: Detections, seconds: NDArray[np.float64]) -> Tracks:
    """Places at the edge at which somebody stays, one track each, without gaps.

    Args:
        found: heads of one camera at its picture's edge, weak ones too, ordered by frame.
        seconds: time of every frame of the camera, never falling.
    """
    middle, side = (found.box[:, :2] + found.box[:, 2:]) / 2, bx.size(found.box, least=1.0)
    time = seconds[found.frame]
    counted = np.zeros(len(found), bool)
    parts: list[Tracks] = []
    for sure in np.flatnonzero(found.score >= SURE).tolist():
        if counted[sure]:
            continue
        first, stop = np.searchsorted(time, time[sure] + np.array([-REACH_S, REACH_S])).tolist()
        away = np.linalg.norm(middle[first:stop] - middle[sure], axis=1) / ((side[first:stop] + side[sure]) / 2)
        ratio = np.maximum(side[first:stop] / side[sure], side[sure] / side[first:stop])
        here = first + np.flatnonzero((away <= SAME_PLACE) & (ratio <= MOST_RATIO))
        stay = np.cumsum(np.diff(time[here], prepend=time[here[0]]) > COMES_AGAIN_S)
        here = here[stay == stay[np.searchsorted(here, sure)]]
        counted[here] = True
        if len(here) >= LEAST_SEEN:
            parts.append(_covered(found[here], seconds, number=len(parts)))
    return Tracks.concat(parts)


def _covered(here: Detections, seconds: NDArray[np.float64], *, number: int) -> Tracks:
    first, last = seconds[here.frame[[0, -1]]]
    # Whether a candidate would have come again before the recording begins, or after it ends, nobody can say.
    unseen = max(BEFORE_AFTER_S, float(np.diff(seconds[here.frame]).max()))
    earlier = unseen if first - seconds[0] <= unseen else BEFORE_AFTER_S
    later = unseen if seconds[-1] - last <= unseen else BEFORE_AFTER_S
    begin = int(np.searchsorted(seconds, first - earlier))
    end = int(np.searchsorted(seconds, last + later, side="right"))
    low, high = np.percentile(here.box, SPREAD, axis=0)[:2], np.percentile(here.box, 100 - SPREAD, axis=0)[2:]
    return Tracks(
        frame=np.arange(begin, end),
        track=np.full(end - begin, number),
        box=np.tile(np.concatenate([low, high]).astype(np.float32), (end - begin, 1)),
        score=np.full(end - begin, here.score.mean()),
        provenance=np.full(end - begin, Provenance.TRACKED),
        detection=np.full(end - begin, -1),
    )
