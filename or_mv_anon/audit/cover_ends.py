"""Covers that end or begin in mid-picture: a head that was covered a moment ago is most likely still there.

What counts is what covers the place afterwards, not what became of the track: where another region takes over, or the
covered head walked on under the next track's region, nothing is in doubt. A head that kept still until its cover ended
is the gravest: people who lie or stand do not vanish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.evidence import CameraEvidence, Doubt
from or_mv_anon.audit.intervals import Clock
from or_mv_anon.audit.reasons import Reason
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Provenance, RegionKind, Regions
from or_mv_anon.core.rows import rows_of

LOOK_S = 0.6  # seconds that show whether somebody is there
AGAIN = 0.3  # of what a look is worth, at a place that was looked at before
WAIT_S = 15.0  # seconds in the open after which it is worth looking again
CERTAIN_S = 3.0  # seconds after which what was followed is somebody, rather than something
STILL_FARTHEST_S, FARTHEST_S = 180.0, 4.0  # seconds beyond a cover's end that are in doubt: of still heads, of others
DENSE_S = 1.0  # seconds beyond it in which every frame is looked at; farther away they lie apart by
THIN_S, THINNER = 0.2, 0.05  # so many seconds, or such a share of the distance
STAYING = {10.0: 0.7, 120.0: 0.3}  # seconds for which a still head stays, in the mean, and how many stay so long
LEAVING = {1.5: 1.0}  # the same of heads that move
STILL_S = 1.0  # seconds at a cover's end by which it is judged how much it moved
STILL = 0.15  # of its size, by which a head that keeps still moves at most in this time
CHAIN_S = 0.7  # seconds before a cover's end in which another one may have taken over
GUESSED = 0.3  # of the chance, where the head's place within a person's box was not known
OF_FOLLOWED = 0.25  # of the chance, where the place is in the upper part of a person who is followed
REACH = 1.0  # sizes within which another cover's head may be the same
COVERED = 0.5  # share of a head's middle from which on it is covered


def cover_ends(evidence: CameraEvidence, *, border_px: float) -> Iterator[Doubt]:
    """Doubts about the places that a cover has just left, or is just about to reach.

    Args:
        evidence: of one camera.
        border_px: distance from the picture's edge within which people leave.
    """
    clock, regions = evidence.clock, evidence.regions
    bodies = regions[np.isin(regions.kind, [RegionKind.HEAD, RegionKind.BOX_TOP, RegionKind.PERSON, RegionKind.FACE])]
    bodies = bodies[np.lexsort((bodies.frame, bodies.track))]
    if not len(bodies):
        return
    first = np.flatnonzero(np.diff(bodies.track, prepend=bodies.track[0] - 1))
    last = np.append(first[1:], len(bodies)) - 1
    people = dict(zip(evidence.identities.track.tolist(), evidence.identities.identity.tolist(), strict=True))
    keys, scores = _observed(evidence)
    row_of = rows_of(keys, _keys(bodies.track, bodies.frame))
    score = np.where(row_of >= 0, np.append(scores, 0)[row_of], 0)
    ends: tuple[tuple[Reason, NDArray[np.intp], int], ...] = (("cover_ends", last, 1), ("cover_begins", first, -1))
    for reason, rows, step in ends:
        inside = _inside(bodies.box[rows], evidence.size, border_px)
        inside &= evidence.covered(bodies.frame[rows] + step, bodies.box[rows]) < COVERED
        for i, row in enumerate(rows.tolist()):
            whole = range(int(first[i]), int(last[i]) + 1)
            tail = _tail(bodies, row_of >= 0, score, whole[::-1] if step > 0 else whole, clock)
            if not tail.still and not inside[i]:  # it left the picture, or another cover took over
                continue
            frame, track, box = int(bodies.frame[row]), int(bodies.track[row]), bodies.box[row]
            if not tail.still and _moved_on(evidence, frame, track, box, step):
                continue
            beyond = _beyond(clock, frame, step, farthest_s=STILL_FARTHEST_S if tail.still else FARTHEST_S)
            bare = evidence.covered(beyond, np.repeat(box[None], len(beyond), axis=0)) < COVERED
            if not bare.any():
                continue
            guess = GUESSED if bodies.kind[row] in (RegionKind.BOX_TOP, RegionKind.PERSON) else 1.0
            if evidence.is_of_followed(int(beyond[bare][0]), box, track=track):
                guess *= OF_FOLLOWED
            chance = guess * _chance(tail, _nearest_cover(evidence, int(beyond[bare][0]), track, box))
            for look in _looks(clock, beyond, bare, STAYING if tail.still else LEAVING, step):
                yield Doubt(
                    camera=evidence.name,
                    reason=reason,
                    start=look.start,
                    end=look.end,
                    until=look.until,
                    box=tuple(box.tolist()),
                    track=track,
                    identity=people.get(track, -1),
                    severity=chance * look.worth,
                )


def _observed(evidence: CameraEvidence) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of regions that rest on something seen in their very frame, as keys of track and frame, and its score."""
    parts = []
    for tracks, numbers in ((evidence.tracks, evidence.tracks.track), (evidence.heads, -2 - evidence.heads.track)):
        seen = np.isin(tracks.provenance, [Provenance.DETECTED, Provenance.TRACKED, Provenance.CROSS_VIEW])
        parts.append((_keys(numbers[seen], tracks.frame[seen]), tracks.score[seen]))
    keys, scores = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(keys, kind="stable")
    return keys[order], scores[order]


def _keys(track: NDArray[np.integer], frame: NDArray[np.integer]) -> NDArray[np.int64]:
    return (track.astype(np.int64) << 32) + frame


@dataclass(frozen=True)
class _Tail:
    """What was seen of a cover at its end: for how many seconds, how surely, and whether it kept still meanwhile."""

    seconds: float
    score: float
    still: bool


def _tail(bodies: Regions, seen: NDArray[np.bool_], score: NDArray[np.float32], rows: range, clock: Clock) -> _Tail:
    """Of the rows of one track, the nearest to its end first."""
    chosen = np.array(rows)
    chosen = chosen[seen[chosen]]
    if not len(chosen):
        return _Tail(0.0, 0.0, False)
    seconds = clock.start(bodies.frame[chosen])
    near = chosen[np.abs(seconds - seconds[0]) <= STILL_S]
    box = bodies.box[near]
    middle = (box[:, :2] + box[:, 2:]) / 2
    size = float(np.sqrt(np.maximum((box[:, 2:] - box[:, :2]).prod(axis=1).mean(), 1.0)))
    long = np.ptp(clock.start(bodies.frame[near])) >= STILL_S / 2
    still = bool(long and np.ptp(middle, axis=0).max() <= STILL * size)
    return _Tail(float(np.ptp(seconds)), float(score[chosen].max()), still)


def _inside(box: Boxes, size: tuple[int, int], border_px: float) -> NDArray[np.bool_]:
    edge = np.minimum.reduce([box[:, 0], box[:, 1], size[0] - box[:, 2], size[1] - box[:, 3]])
    return np.asarray(edge > border_px)


def _beyond(clock: Clock, frame: int, step: int, *, farthest_s: float) -> NDArray[np.int32]:
    """Frames of the time after `frame`, or before it, the nearest first; beyond the first second some stand for all."""
    row = int(np.searchsorted(clock.frame, frame))
    if step > 0:
        rows = np.arange(row + 1, np.searchsorted(clock.starts, clock.ends[row] + farthest_s))
    else:
        rows = np.arange(np.searchsorted(clock.ends, clock.starts[row] - farthest_s), row)[::-1]
    away = np.abs(clock.starts[rows] - clock.starts[row])
    kept = np.zeros(len(rows), bool)
    reached = -np.inf
    for i, seconds in enumerate(away.tolist()):
        if seconds < DENSE_S or seconds - reached >= max(THIN_S, THINNER * seconds):
            kept[i], reached = True, seconds
    return clock.frame[rows[kept]]


def _moved_on(evidence: CameraEvidence, frame: int, track: int, box: NDArray[np.float32], step: int) -> bool:
    """Whether another cover that goes on was near this one shortly before it ended: most likely the same head's."""
    regions = evidence.regions
    low, high = np.searchsorted(regions.frame, [frame + step, frame + step + 1])
    going_on = regions.track[low:high]
    clock = evidence.clock
    row = int(np.searchsorted(clock.frame, frame))
    near = np.abs(clock.starts - clock.starts[row]) <= CHAIN_S
    around = clock.frame[near]
    low, high = np.searchsorted(regions.frame, [around[0], around[-1] + 1])
    part = regions[low:high]
    own = part[part.track == track]
    other = part[(part.track != track) & np.isin(part.track, going_on)]
    if not len(other):
        return False
    size = max(float(np.sqrt((box[2:] - box[:2]).prod())), 1.0)
    for one in range(len(own)):
        there = other.box[other.frame == own.frame[one]]
        middle = (own.box[one, :2] + own.box[one, 2:]) / 2
        if (np.linalg.norm((there[:, :2] + there[:, 2:]) / 2 - middle, axis=1) <= REACH * size).any():
            return True
    return False


def _nearest_cover(evidence: CameraEvidence, frame: int, track: int, box: NDArray[np.float32]) -> float:
    """How far the nearest other cover's middle is from a box in a frame, in sizes of the box."""
    regions = evidence.regions
    span = slice(*np.searchsorted(regions.frame, [frame, frame + 1]))
    other = regions.box[span][regions.track[span] != track]
    if not len(other):
        return np.inf
    middle, there = (box[:2] + box[2:]) / 2, (other[:, :2] + other[:, 2:]) / 2
    size = max(float(np.sqrt((box[2:] - box[:2]).prod())), 1.0)
    return float(np.linalg.norm(there - middle, axis=1).min()) / size


def _chance(tail: _Tail, other: float) -> float:
    """The chance that a face shows there.

    Args:
        tail: what was seen at the cover's end.
        other: sizes to the nearest other cover: most likely this head's, if it is near.
    """
    sure = min(1.0, max(tail.seconds, 0.2) / CERTAIN_S) * (0.3 + 0.7 * tail.score)
    alone = float(np.interp(other, [0.5, 1.0, 2.5], [0.04, 0.15, 1.0]))
    return (0.6 if tail.still else 0.03) * sure * alone


@dataclass(frozen=True)
class _Look:
    """When to look at a place, until when it may be in the open, and for how long a head that was there is then."""

    start: float
    end: float
    until: float
    worth: float


def _looks(
    clock: Clock, beyond: NDArray[np.int32], bare: NDArray[np.bool_], staying: Mapping[float, float], step: int
) -> Iterator[_Look]:
    """One at the nearer end of every stretch in which the place is bare, and one more where that is long."""
    starts, ends = clock.start(beyond), clock.end(beyond)
    away = starts - starts[0] if step > 0 else ends[0] - ends
    length = np.diff(away, append=away[-1:] + float(ends[-1] - starts[-1]))
    there = sum(share * np.exp(-away / seconds) for seconds, share in staying.items())
    expected = np.asarray(there * length)
    rows = np.flatnonzero(bare)
    stretch = np.cumsum(np.diff(rows, prepend=rows[0]) > 1)
    since = away[rows] - away[rows][np.searchsorted(stretch, stretch)]
    number = stretch * 2 + (since >= WAIT_S)
    for each in np.unique(number).tolist():
        part = rows[number == each]
        look = part[np.abs(away[part] - away[part[0]]) < LOOK_S]
        yield _Look(
            start=float(starts[look].min()),
            end=float(ends[look].max()),
            until=float(ends[part].max()),
            worth=(AGAIN if each > number[0] else 1.0) * float(expected[part].sum()),
        )
