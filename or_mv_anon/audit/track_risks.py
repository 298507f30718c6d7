"""What tracks say against themselves: where they end, where they were filled, and what they left unexplained.

Every function takes `tracks` ordered by track, then frame, and returns row numbers or intervals.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.intervals import Clock, RiskInterval
from or_mv_anon.audit.reasons import REASONS, Reason
from or_mv_anon.core.boxes import Boxes, paired_iou, to_edge
from or_mv_anon.core.records import Detections, Identities, Provenance, Regions, Tracks
from or_mv_anon.core.rows import pair_key, ranges

AROUND_END_S = 2.0  # seconds listed after a track's end and before its start
LONG_FILL_S = 1.0  # seconds after which a person can have walked away from a filled-in place
WORST_FILL_S = 2.0  # seconds of filling from which on its severity is highest
SAME_PLACE_IOU = 0.6  # boxes that overlap more show one person, or one in front of the other
PAIRS_AT_ONCE = 2_000_000  # bounds memory

Rows = NDArray[np.intp]


def ends(
    tracks: Tracks,
    clock: Clock,
    *,
    border_px: float,
    size: tuple[int, int],
    identities: Identities | None = None,
) -> Iterator[RiskInterval]:
    """The seconds just outside tracks that start or end away from the picture's edge and from the video's ends.

    The surer the detector was of the person, the more severe: somebody seen clearly does not vanish. Half as severe
    where another track stands at the same place, because then one person usually hides the other. Nothing is said where
    another track goes on with the same person.

    Args:
        tracks: ordered by track, then frame.
        clock: the camera's.
        border_px: distance from the picture's edge within which a track may end.
        size: width and height of the upright picture in pixels.
        identities: who each track is, where that is known.
    """
    if not len(tracks):
        return
    person = tracks.track if identities is None else _person_of(tracks, identities)
    everywhere = pair_key(tracks.frame, person)
    first, last = _bounds(tracks)
    score = np.add.reduceat(tracks.score.astype(np.float64), first) / (last - first + 1)
    sides: tuple[tuple[Reason, Rows, int], ...] = (
        ("track_starts_inside", first, clock.first),
        ("track_ends_inside", last, clock.last),
    )
    for reason, rows, outermost in sides:
        box = tracks.box[rows]
        edge = to_edge(box, width=size[0], height=size[1])
        hidden = overlapped(tracks.frame[rows], box, tracks, own=tracks.track[rows])
        beyond = tracks.frame[rows] + (1 if reason == "track_ends_inside" else -1)
        goes_on = np.isin(pair_key(beyond, person[rows]), everywhere)
        for i in np.flatnonzero((edge > border_px) & (tracks.frame[rows] != outermost) & ~goes_on):
            frame = int(tracks.frame[rows[i]])
            look = clock.before if reason == "track_starts_inside" else clock.after
            near, far = look(frame, seconds=AROUND_END_S)
            severity = REASONS[reason].weight * float(np.clip(score[i], 0.3, 1)) * (0.5 if hidden[i] else 1.0)
            other = "; another person at the same place" if hidden[i] else ""
            detail = f"Frame {frame}, {edge[i]:.0f} px from the edge, mean score {score[i]:.2f}{other}."
            track = int(tracks.track[rows[i]])
            yield RiskInterval(*clock.span(near, far), near, far, reason, track, severity, detail)


def uncovered(tracks: Tracks, regions: Regions, whole: NDArray[np.integer]) -> Rows:
    """Track rows for which no region was placed, except in frames covered whole."""
    placed = pair_key(regions.frame, regions.track)
    missing = ~np.isin(pair_key(tracks.frame, tracks.track), placed)
    return np.flatnonzero(missing & ~np.isin(tracks.frame, whole))


def long_fills(tracks: Tracks, clock: Clock) -> tuple[Rows, NDArray[np.float64]]:
    """Rows filled in between observations for longer than `LONG_FILL_S`, each with a severity in [0.5, 1]."""
    rows, seconds = _inner_fills(tracks, clock)
    long = seconds > LONG_FILL_S
    return rows[long], np.clip(seconds[long] / WORST_FILL_S, 0.5, 1.0)


def missed(tracks: Tracks, clock: Clock, searched: NDArray[np.integer]) -> Rows:
    """Rows of shorter fills in frames that the person detector did look at."""
    rows, seconds = _inner_fills(tracks, clock)
    rows = rows[seconds <= LONG_FILL_S]
    return rows[np.isin(tracks.frame[rows], searched)]


def lone(detections: Detections, tracks: Tracks, known_frames: NDArray[np.integer], *, least_score: float) -> Rows:
    """Detections of at least `least_score` that no track holds and that do not double a tracked box."""
    held = np.zeros(len(detections), bool)
    held[tracks.detection[(tracks.detection >= 0) & (tracks.detection < len(detections))]] = True
    rows = np.flatnonzero(~held & (detections.score >= least_score) & np.isin(detections.frame, known_frames))
    return rows[~overlapped(detections.frame[rows], detections.box[rows], tracks)]


def overlapped(
    frame: NDArray[np.integer], box: Boxes, tracks: Tracks, *, own: NDArray[np.integer] | None = None
) -> NDArray[np.bool_]:
    """Whether each box ``(N, 4)`` overlaps a track's box in the same frame by more than `SAME_PLACE_IOU`.

    Args:
        frame: ``(N,)`` the boxes' frames.
        box: pixels.
        tracks: in any order.
        own: ``(N,)`` a track that does not count for its box.
    """
    result = np.zeros(len(frame), bool)
    order = np.argsort(tracks.frame, kind="stable")
    low = np.searchsorted(tracks.frame, frame, side="left", sorter=order)
    partners = np.searchsorted(tracks.frame, frame, side="right", sorter=order) - low
    batch = np.cumsum(partners) // PAIRS_AT_ONCE
    for queries in np.split(np.arange(len(frame)), np.flatnonzero(np.diff(batch)) + 1):
        left = np.repeat(queries, partners[queries])
        right = order[ranges(low[queries], partners[queries])]
        close = paired_iou(box[left], tracks.box[right]) > SAME_PLACE_IOU
        if own is not None:
            close &= own[left] != tracks.track[right]
        result[left[close]] = True
    return result


def _person_of(tracks: Tracks, identities: Identities) -> NDArray[np.int32]:
    """A number per row that tracks of one identity share; tracks without an identity keep to themselves."""
    person = -1 - np.arange(tracks.track.max(initial=-1) + 1)
    known = identities[identities.track < len(person)]
    person[known.track] = known.identity
    return person[tracks.track].astype(np.int32)


def _bounds(tracks: Tracks) -> tuple[Rows, Rows]:
    """First and last row of every track."""
    first = np.flatnonzero(np.concatenate([[True], tracks.track[1:] != tracks.track[:-1]]))
    return first, np.append(first[1:], len(tracks)) - 1


def _inner_fills(tracks: Tracks, clock: Clock) -> tuple[Rows, NDArray[np.float64]]:
    """Rows filled between two observations, and the length of each one's run in seconds.

    Fills at a track's end are padding beyond the last observation; `ends` speaks of those.
    """
    filled = (tracks.provenance == Provenance.INTERPOLATED) | (tracks.provenance == Provenance.TRANSFERRED)
    if not filled.any():
        return np.zeros(0, np.intp), np.zeros(0)
    first, last = _bounds(tracks)
    goes_on = np.concatenate([[False], filled[1:] & filled[:-1] & (tracks.track[1:] == tracks.track[:-1])])
    begin = np.flatnonzero(filled & ~goes_on)
    stop = np.flatnonzero(filled & ~np.append(goes_on[1:], False))
    inner = ~np.isin(begin, first) & ~np.isin(stop, last)
    begin, length = begin[inner], (stop - begin + 1)[inner]
    seconds = clock.end(tracks.frame[begin + length - 1]) - clock.start(tracks.frame[begin])
    return ranges(begin, length), np.repeat(seconds, length)
