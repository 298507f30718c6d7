"""Covers the frames between and around a track's detections, because a face shown for one frame is shown.

Between two detections boxes are interpolated linearly in time, on every frame, analysed or not. At both ends a track
is prolonged: the box keeps drifting with the person's last velocity, which fades, and grows a little, because nobody
knows where the person went.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as box_geometry
from or_mv_anon.core.records import Detections, Provenance, Tracks
from or_mv_anon.core.rows import numbered
from or_mv_anon.tracking.kalman import SAME_TIME_S
from or_mv_anon.tracking.matching import Indices

VELOCITY_WINDOW_S = 0.3  # span of the last detections that give the velocity; shorter ones measure the boxes' jitter
FADE_S = 0.4  # time constant with which the drift of a prolonged box fades
GROWTH_PER_S = 0.2  # share of its size by which a prolonged box grows on every side per second ...
GROWTH_AT_EDGE_PER_S = 1.25  # ... and at the picture's edge, where who leaves is near and turns out of sight
AT_EDGE = 0.25  # share of a box's shorter side, within which it counts as at the edge
FARTHEST_DRIFT = 0.5  # in heights of the box; guards against velocities from boxes that jump
_ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Timeline:
    """A camera's frames and how far tracks may be prolonged; row 0 for weak tracks, row 1 for the others."""

    seconds: NDArray[np.float64]  # (F,) of every frame, never falling
    before: NDArray[np.int64]  # (2, F) first frame of the padding of a track that starts in this frame
    after: NDArray[np.int64]  # (2, F) last frame of the padding of a track that ends in this frame

    @classmethod
    def build(
        cls,
        seconds: NDArray[np.float64],
        analysed: NDArray[np.bool_],
        *,
        pad_s: float,
        weak_pad_s: float,
        longest_s: float,
    ) -> "Timeline":
        """Padding of `pad_s`, and where only some frames were analysed at least up to the next analysed one.

        Args:
            seconds: time of every frame ``(F,)``, never falling.
            analysed: frames ``(F,)`` in which the detector ran.
            pad_s: padding in seconds.
            weak_pad_s: padding of weak tracks in seconds.
            longest_s: limit in seconds for reaching the next analysed frame.
        """
        frames = np.arange(len(seconds))
        looked = np.flatnonzero(analysed)
        bounded = np.concatenate([[-1], looked, [len(seconds)]])
        next_looked = bounded[1 + np.searchsorted(looked, frames, side="right")]
        previous_looked = bounded[np.searchsorted(looked, frames, side="left")]
        limit_s = max(pad_s, longest_s)
        after = np.minimum(next_looked - 1, _last_frame(seconds, limit_s))
        before = np.maximum(previous_looked + 1, _first_frame(seconds, limit_s))
        pads = (weak_pad_s, pad_s)
        return cls(
            seconds,
            np.stack([np.minimum(before, _first_frame(seconds, pad)) for pad in pads]),
            np.stack([np.maximum(after, _last_frame(seconds, pad)) for pad in pads]),
        )


def fill_tracks(
    detections: Detections,
    track: NDArray[np.int32],
    timeline: Timeline,
    *,
    size: tuple[int, int],
    high_score: float,
    strong_score: float,
) -> Tracks:
    """Tracks without gaps from the detections they consist of.

    Args:
        detections: of one camera, ordered by frame.
        track: track of every detection ``(D,)``, -1 for none; a track has at most one detection per frame.
        timeline: the camera's frames and paddings.
        size: width and height of the picture; padding is clipped to it and ends where nothing is left.
        high_score: from this score on a box counts as detected, below as tracked.
        strong_score: a track whose best detection is below this is weak and prolonged less.
    """
    best = np.zeros(track.max(initial=-1) + 2, np.float32)  # the last entry takes what is in no track
    np.maximum.at(best, track, detections.score)
    strong = (best >= strong_score).astype(np.intp)
    member = np.flatnonzero(track >= 0)
    member = member[np.argsort(track[member], kind="stable")]
    blocks = []
    for block in _track_blocks(detections.frame[member], track[member], timeline):
        nodes = member[block]
        parts = [
            between(detections, nodes, track, timeline.seconds, high_score=high_score),
            _beyond(detections, nodes, track, timeline, strong, direction=-1, size=size),
            _beyond(detections, nodes, track, timeline, strong, direction=1, size=size),
        ]
        rows = Tracks.concat(parts)
        blocks.append(rows[np.lexsort((rows.frame, rows.track))])
    return Tracks.concat(blocks)


def _track_blocks(frame: NDArray[np.int32], track: NDArray[np.int32], timeline: Timeline) -> Iterator[slice]:
    """Slices of whole tracks that fill to about `_ROWS_AT_ONCE` rows each."""
    starts = np.flatnonzero(np.diff(track, prepend=-1))
    ends = np.append(starts[1:], len(track))
    rows = (
        np.cumsum(timeline.after[1, frame[ends - 1]] - timeline.before[1, frame[starts]] + 1) if len(starts) else starts
    )
    first = 0
    for last in np.flatnonzero(np.diff(rows // _ROWS_AT_ONCE, append=-1)):
        yield slice(int(starts[first]), int(ends[last]))
        first = int(last) + 1


def between(
    detections: Detections,
    nodes: Indices,
    track: NDArray[np.int32],
    seconds: NDArray[np.float64],
    *,
    high_score: float,
) -> Tracks:
    """Rows from every track's first to its last detection.

    Args:
        detections: of one camera.
        nodes: rows ``(N,)`` of those that tracks consist of, ordered by track, then frame.
        track: of every detection ``(D,)``.
        seconds: time of every frame.
        high_score: from which on a detection counts as sure.
    """
    following = np.append(nodes[1:], nodes[-1:])
    following = np.where(track[following] == track[nodes], following, nodes)
    counts = np.maximum(detections.frame[following] - detections.frame[nodes], 1)
    here, there = np.repeat(nodes, counts), np.repeat(following, counts)
    steps = numbered(counts)
    frame = detections.frame[here] + steps
    box = interpolated(detections, here, there, frame, seconds)
    seen = steps == 0
    box[seen] = detections.box[nodes]
    score = np.minimum(detections.score[here], detections.score[there])
    score[seen] = detections.score[nodes]
    sure = np.where(score >= high_score, Provenance.DETECTED, Provenance.TRACKED)
    return Tracks(
        frame=frame,
        track=track[here],
        box=box,
        score=score,
        provenance=np.where(seen, sure, Provenance.INTERPOLATED).astype(np.uint8),
        detection=np.where(seen, here, -1),
    )


def interpolated(
    seen: Detections | Tracks, here: Indices, there: Indices, frame: NDArray[np.integer], seconds: NDArray[np.float64]
) -> box_geometry.Boxes:
    """Boxes ``(R, 4)`` in frames ``(R,)`` between rows `here` and `there` of what was seen, linearly in time."""
    began, whole = seconds[seen.frame[here]], seconds[seen.frame[there]] - seconds[seen.frame[here]]
    share = np.divide(seconds[frame] - began, whole, out=np.zeros(len(frame)), where=whole > 0)[:, None]
    return ((1 - share) * seen.box[here] + share * seen.box[there]).astype(np.float32)


def _beyond(
    detections: Detections,
    nodes: Indices,
    track: NDArray[np.int32],
    timeline: Timeline,
    strong: Indices,
    *,
    direction: int,
    size: tuple[int, int],
) -> Tracks:
    """Padding before the first (`direction` -1) or after the last (+1) detection of every track."""
    outward = nodes[::-direction]  # every track from its end of interest inwards
    end_places = np.flatnonzero(np.diff(track[outward], prepend=-1))
    ends = outward[end_places]
    end_frame = detections.frame[ends]
    kind = strong[track[ends]]
    counts = (
        timeline.after[kind, end_frame] - end_frame if direction > 0 else end_frame - timeline.before[kind, end_frame]
    )
    velocity = end_velocity(detections, outward, end_places, timeline.seconds)
    owner = np.repeat(np.arange(len(ends)), counts)
    offset = 1 + numbered(counts)
    frame = end_frame[owner] + direction * offset
    away = (timeline.seconds[frame] - timeline.seconds[end_frame[owner]])[:, None]
    held = detections.box[ends][owner].astype(np.float64)
    sides = held[:, 2:] - held[:, :2]
    drift = velocity[owner] * direction * FADE_S * (1 - np.exp(-np.abs(away) / FADE_S))
    drift = np.clip(drift, -FARTHEST_DRIFT * sides[:, 1:], FARTHEST_DRIFT * sides[:, 1:])
    edge = box_geometry.to_edge(held, width=size[0], height=size[1])[:, None]
    at_edge = edge <= AT_EDGE * sides.min(axis=1, keepdims=True)
    growth = np.where(at_edge, GROWTH_AT_EDGE_PER_S, GROWTH_PER_S) * np.abs(away) * sides
    grown = np.concatenate([held[:, :2] + drift - growth, held[:, 2:] + drift + growth], axis=1)
    box = box_geometry.clip(grown.astype(np.float32), width=size[0], height=size[1])
    first_outside = counts + 1
    outside = box_geometry.area(box) <= 0
    np.minimum.at(first_outside, owner[outside], offset[outside])
    rows = Tracks(
        frame=frame,
        track=track[ends][owner],
        box=box,
        score=detections.score[ends][owner],
        provenance=np.full(len(frame), Provenance.INTERPOLATED),
        detection=np.full(len(frame), -1),
    )
    return rows[offset < first_outside[owner]]


def end_velocity(
    detections: Detections | Tracks, outward: Indices, end_places: Indices, seconds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Velocity ``(T, 2)`` in pixels per second of the boxes' centres at one end of every track.

    Args:
        detections: of one camera.
        outward: rows ``(N,)`` of those that tracks consist of, every track from that end inwards.
        end_places: where in `outward` each track begins ``(T,)``.
        seconds: time of every frame.
    """
    ends = outward[end_places]
    lengths = np.diff(end_places, append=len(outward))
    age = np.abs(seconds[detections.frame[outward]] - np.repeat(seconds[detections.frame[ends]], lengths))
    within = (
        np.add.reduceat(age <= VELOCITY_WINDOW_S + SAME_TIME_S, end_places, dtype=np.intp) if len(ends) else lengths
    )
    inner = outward[end_places + np.minimum(np.maximum(within - 1, 1), lengths - 1)]
    span = (seconds[detections.frame[ends]] - seconds[detections.frame[inner]])[:, None]
    centres = [(detections.box[at, :2] + detections.box[at, 2:]).astype(np.float64) / 2 for at in (ends, inner)]
    return np.divide(centres[0] - centres[1], span, out=np.zeros((len(ends), 2)), where=span != 0)


def _last_frame(seconds: NDArray[np.float64], reach_s: float) -> NDArray[np.int64]:
    return np.searchsorted(seconds, seconds + reach_s + SAME_TIME_S, side="right") - 1


def _first_frame(seconds: NDArray[np.float64], reach_s: float) -> NDArray[np.int64]:
    return np.searchsorted(seconds, seconds - reach_s - SAME_TIME_S, side="left")
