"""Joins what the forward and the backward pass followed into one set of tracks.

A pass is seen as its links: which detection came after which. Links of both passes are taken first, then those of one
pass, the shortest first, as long as every detection keeps at most one predecessor and one successor. So a detection
that both passes claim joins their tracks, their coverage is united, no detection lands in two tracks, and time
reversed gives the same tracks. Fragments left over are stitched where the person hardly moved.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as box_geometry
from or_mv_anon.core.records import Detections
from or_mv_anon.core.rows import ranges
from or_mv_anon.tracking.kalman import SAME_TIME_S
from or_mv_anon.tracking.matching import Indices, greedy_pairs

_PAIRS_AT_ONCE = 2_000_000


def chain_passes(
    detections: Detections,
    seconds: NDArray[np.float64],
    passes: tuple[NDArray[np.int32], ...],
    *,
    longest_gap_s: float,
    stitch_iou: float,
    lone_score: float,
) -> NDArray[np.int32]:
    """One track id per detection from the ids that several passes gave.

    Args:
        detections: of one camera, ordered by frame, in an order within frames that depends on the boxes only.
        seconds: time of every detection ``(D,)``, never falling.
        passes: per pass the id of every detection ``(D,)``, -1 for none.
        longest_gap_s: detections farther apart in time are never joined directly.
        stitch_iou: least IoU of a fragment's last and another's first box for joining them.
        lone_score: detections that no pass took become tracks from this score on.

    Returns:
        Track ids ``(D,)``, dense from 0 in the order of the tracks' first detections; -1 for detections left out.
    """
    kept = detections.score >= lone_score
    for ids in passes:
        kept = kept | (ids >= 0)
    before, after = _pass_links(detections, seconds, passes, longest_gap_s=longest_gap_s)
    previous = np.arange(len(detections))
    previous[after] = before
    is_tail, is_head = kept.copy(), kept.copy()
    is_tail[before] = False
    is_head[after] = False

    def stayed(before: Indices, after: Indices) -> NDArray[np.float64]:
        overlap = box_geometry.paired_iou(detections.box[before], detections.box[after])
        return np.where(overlap >= stitch_iou, 1.0 - overlap, np.inf)

    tails, heads = stitches(
        detections.frame,
        seconds,
        np.flatnonzero(is_tail),
        np.flatnonzero(is_head),
        longest_gap_s=longest_gap_s,
        cost=stayed,
    )
    previous[heads] = tails
    first = _roots(previous)
    tracks = np.full(len(detections), -1, np.int32)
    tracks[kept] = np.unique(first[kept], return_inverse=True)[1]
    return tracks


def _pass_links(
    detections: Detections,
    seconds: NDArray[np.float64],
    passes: tuple[NDArray[np.int32], ...],
    *,
    longest_gap_s: float,
) -> tuple[Indices, Indices]:
    size = max(len(detections), 1)
    keys = []
    for ids in passes:
        followed = np.flatnonzero(ids >= 0)
        followed = followed[np.argsort(ids[followed], kind="stable")]
        before, after = followed[:-1], followed[1:]
        same = (ids[before] == ids[after]) & (seconds[after] - seconds[before] <= longest_gap_s + SAME_TIME_S)
        keys.append(before[same] * size + after[same])
    links, votes = np.unique(np.concatenate(keys), return_counts=True)
    before, after = links // size, links % size
    overlap = box_geometry.paired_iou(detections.box[before], detections.box[after])
    order = np.lexsort((-overlap, detections.frame[after] - detections.frame[before], -votes))
    taken = greedy_pairs(before, after, order)
    return before[taken], after[taken]


def stitches(
    frame: NDArray[np.int32],
    seconds: NDArray[np.float64],
    tails: Indices,
    heads: Indices,
    *,
    longest_gap_s: float,
    cost: Callable[[Indices, Indices], NDArray[np.float64]],
) -> tuple[Indices, Indices]:
    """Ends of fragments and beginnings of others that belong together, the shortest gaps first.

    Args:
        frame, seconds: of every detection ``(D,)``.
        tails: last detections of fragments.
        heads: first detections of fragments, in the order of their frames.
        longest_gap_s: from one to the other.
        cost: of joining pairs of detections ``(N,)``, infinite where they are not one person's.
    """
    start = np.searchsorted(frame[heads], frame[tails], side="right")
    stop = np.maximum(
        np.searchsorted(seconds[heads], seconds[tails] + longest_gap_s + SAME_TIME_S, side="right"), start
    )
    found_tails, found_heads, found_costs = [tails[:0]], [heads[:0]], [np.zeros(0)]
    block_of_tail = np.cumsum(stop - start) // _PAIRS_AT_ONCE
    for block in np.unique(block_of_tail):
        rows = np.flatnonzero(block_of_tail == block)
        counts = (stop - start)[rows]
        left = np.repeat(tails[rows], counts)
        right = heads[ranges(start[rows], counts)]
        costs = cost(left, right)
        possible = np.isfinite(costs)
        found_tails.append(left[possible])
        found_heads.append(right[possible])
        found_costs.append(costs[possible])
    before, after = np.concatenate(found_tails), np.concatenate(found_heads)
    order = np.lexsort((np.concatenate(found_costs), frame[after] - frame[before]))
    taken = greedy_pairs(before, after, order)
    return before[taken], after[taken]


def _roots(previous: Indices) -> Indices:
    """First element of the chain of every element, by pointer doubling."""
    while True:
        further = previous[previous]
        if np.array_equal(further, previous):
            return previous
        previous = further
