"""Heads that keep still: a lying patient is found weakly, now and then, and always at the same place.

No single weak candidate may be trusted, and following it from frame to frame fails because most frames have none. But
furniture apart, whatever looks like a head at one place again and again is one. Candidates are gathered by place over
windows of time, densest place first, and a place that has enough of them is covered from the first to the last. Who
lies there was there before, and is still there until the place counts as left. Somebody whom the upright looks find
there anyhow is seen when they come and when they leave.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.config import StaticHeadConfig
from or_mv_anon.core.records import Detections, Frames, Provenance, Tracks

SAME_HEAD_IOU = 0.5  # candidates of one observation that overlap more are one
SPREAD = 0.25  # share of the candidates at a place that may say that the head reaches farther than what is covered


def static_heads(
    candidates: Detections,
    frames: Frames,
    looked: NDArray[np.integer],
    config: StaticHeadConfig,
    *,
    upright: Callable[[NDArray[np.float32], NDArray[np.int32]], float] = lambda box, frame: 0.0,
) -> Tracks:
    """Tracks of what looks like a head at one place again and again.

    Args:
        candidates: head boxes found in some frames, weak ones too.
        frames: all frames of the camera.
        looked: frames ``(L,)`` in which candidates were looked for, ascending.
        config: thresholds.
        upright: in which share of some frames ``(M,)`` the upright looks find the head at a place's box ``(4,)``.

    Returns:
        Tracks without gaps, ordered by track, then frame; ids from 0. A box holds the middle half of what its
        place's candidates say of each edge, the score is their mean.
    """
    if not len(candidates) or not len(looked):
        return Tracks.empty()
    seconds = np.maximum.accumulate(frames.time)
    window = np.floor((seconds[looked] - seconds[looked[0]]) / config.window_s).astype(np.int64)
    bounds = np.flatnonzero(np.diff(window, prepend=-1, append=-1))
    parts: list[Tracks] = []
    for start, stop in pairwise(bounds):
        observed = looked[start:stop]
        here = candidates[(candidates.frame >= observed[0]) & (candidates.frame <= observed[-1])]
        for box, score, hits in _places(here, observed, seconds, config):
            number = len(parts)
            found = upright(box, hits) >= config.found_upright
            hold_s = config.upright_gap_s if found else config.longest_gap_s
            begin = np.searchsorted(seconds, seconds[hits[0]] - hold_s)
            end = np.searchsorted(seconds, seconds[hits[-1]] + hold_s, side="right")
            count = int(end - begin)
            parts.append(
                Tracks(
                    frame=np.arange(begin, end),
                    track=np.full(count, number),
                    box=np.tile(box, (count, 1)),
                    score=np.full(count, score),
                    provenance=np.full(count, Provenance.TRACKED),
                    detection=np.full(count, -1),
                )
            )
    return Tracks.concat(parts)


def _places(
    candidates: Detections, observed: NDArray[np.integer], seconds: NDArray[np.float64], config: StaticHeadConfig
) -> list[tuple[NDArray[np.float32], float, NDArray[np.int32]]]:
    """Box, score and frames of the candidates ``(M,)``, ascending, of every place that has enough of them."""
    rows = _one_per_observation(candidates)
    box, score, frame = rows.box, rows.score, rows.frame
    near = geometry.iou(box, box) >= config.same_place_iou
    alive = np.ones(len(rows), bool)
    support = near.sum(axis=1)
    found = []
    while alive.any():
        densest = int(np.where(alive, support, -1).argmax())
        if support[densest] < config.least_observations:
            break
        members = np.flatnonzero(near[densest] & alive)
        alive[members] = False
        support -= near[:, members].sum(axis=1)
        for stretch in _stretches(members[np.argsort(frame[members], kind="stable")], frame, seconds, config):
            hits = np.unique(frame[stretch])
            possible = np.searchsorted(observed, hits[-1], side="right") - np.searchsorted(observed, hits[0])
            if len(hits) >= config.least_observations and len(hits) >= config.least_share * possible:
                found.append((_place_of(box[stretch]), float(score[stretch].mean()), hits))
    return found


def _place_of(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The box ``(4,)`` of a place: wider than the median of its ``boxes`` (N, 4) by as much as these disagree."""
    outer = np.percentile(boxes, [100 * SPREAD, 100 * (1 - SPREAD)], axis=0)
    return np.concatenate([outer[0, :2], outer[1, 2:]]).astype(np.float32)


def _one_per_observation(candidates: Detections) -> Detections:
    """The best of the candidates that overlap within a frame."""
    kept = []
    for frame in np.unique(candidates.frame):
        here = np.flatnonzero(candidates.frame == frame)
        kept.append(here[geometry.nms(candidates.box[here], candidates.score[here], iou_threshold=SAME_HEAD_IOU)])
    return candidates[np.concatenate(kept)] if kept else candidates


def _stretches(
    members: NDArray[np.intp], frame: NDArray[np.integer], seconds: NDArray[np.float64], config: StaticHeadConfig
) -> list[NDArray[np.intp]]:
    """The members, ordered by time, cut where they lie too far apart."""
    cuts = np.flatnonzero(np.diff(seconds[frame[members]]) > config.longest_gap_s) + 1
    return np.split(members, cuts)
