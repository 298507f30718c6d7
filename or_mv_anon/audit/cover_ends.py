"""Covers that end or begin in mid-picture: a head that was covered a moment ago is most likely still there.

What counts is what covers the place afterwards, not what became of the track: where another region takes over, or the
covered head walked on under the next track's region, nothing is in doubt. A head that kept still until its cover ended
is the gravest: people who lie or stand do not vanish.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.cover_tails import Tail, seen_rows, tail_of
from or_mv_anon.audit.evidence import CameraEvidence, Doubt
from or_mv_anon.audit.moments import frames_beyond, moments_of
from or_mv_anon.audit.reasons import Reason
from or_mv_anon.core import boxes as box_geometry
from or_mv_anon.core.boxes import Boxes, to_edge
from or_mv_anon.core.records import RegionKind

CERTAIN_S = 3.0  # seconds after which what was followed is somebody, rather than something
STILL_FARTHEST_S, FARTHEST_S = 180.0, 4.0  # seconds beyond a cover's end that are in doubt: of still heads, of others
STAYING = {10.0: 0.7, 120.0: 0.3}  # seconds for which a still head stays, in the mean, and how many stay so long
LEAVING = {1.5: 1.0}  # the same of heads that move
CHAIN_S = 0.7  # seconds before a cover's end in which another one may have taken over
BEFORE = 0.35  # of the chance, before a cover begins: most people are found as soon as they show
GUESSED = 0.3  # of the chance, where the head's place within a person's box was not known
OF_FOLLOWED = 0.25  # of the chance, where the place is in the upper part of a person who is followed
HEADLESS = 0.3  # of the chance, where heads were looked for in upright pictures around the end and never found
AT_EDGE = 0.3  # of the chance, at the picture's edge: a head is cut off there, and most people there are leaving
OUTWARDS = 0.15  # of its size, from which on who moves over an edge leaves
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
    seen, score = seen_rows(evidence, bodies)
    ends: tuple[tuple[Reason, NDArray[np.intp], int], ...] = (("cover_ends", last, 1), ("cover_begins", first, -1))
    for reason, rows, step in ends:
        inside = _inside(bodies.box[rows], evidence.size, border_px)
        taken_over = evidence.covered(bodies.frame[rows] + step, bodies.box[rows]) >= COVERED
        for i, row in enumerate(rows.tolist()):
            whole = range(int(first[i]), int(last[i]) + 1)
            tail = tail_of(bodies, seen, score, whole[::-1] if step > 0 else whole, clock)
            frame, track, box = int(bodies.frame[row]), int(bodies.track[row]), bodies.box[row]
            if not tail.still and (taken_over[i] or (not inside[i] and _leaves(tail, box, evidence.size, border_px))):
                continue
            if not tail.still and _moved_on(evidence, frame, track, box, step):
                continue
            beyond = frames_beyond(clock, frame, step, farthest_s=STILL_FARTHEST_S if tail.still else FARTHEST_S)
            bare = evidence.covered(beyond, np.repeat(box[None], len(beyond), axis=0)) < COVERED
            if not bare.any():
                continue
            guess = (1.0 if step > 0 else BEFORE) * (
                GUESSED if bodies.kind[row] in (RegionKind.BOX_TOP, RegionKind.PERSON) else 1.0
            )
            if not tail.still and not inside[i]:
                guess *= AT_EDGE
            if evidence.is_of_followed(int(beyond[bare][0]), box, track=track):
                guess *= OF_FOLLOWED
            if evidence.headless(box, *clock.span(frame, frame)):
                guess *= HEADLESS
            chance = guess * _chance(tail, _nearest_cover(evidence, int(beyond[bare][0]), track, box))
            for moment in moments_of(clock, beyond, bare, STAYING if tail.still else LEAVING, step):
                yield Doubt(
                    camera=evidence.name,
                    reason=reason,
                    start=moment.start,
                    end=moment.end,
                    until=moment.until,
                    box=tuple(box.tolist()),
                    track=track,
                    identity=people.get(track, -1),
                    severity=chance * moment.worth,
                )


def _inside(box: Boxes, size: tuple[int, int], border_px: float) -> NDArray[np.bool_]:
    return np.asarray(to_edge(box, width=size[0], height=size[1]) > border_px)


def _leaves(tail: Tail, box: NDArray[np.float32], size: tuple[int, int], border_px: float) -> bool:
    """Whether what was covered went out over an edge that its cover touches; who walks along an edge does not leave."""
    right, down = tail.motion
    outwards = np.array([-right, -down, right, down])
    touches = np.array([box[0], box[1], size[0] - box[2], size[1] - box[3]]) <= border_px
    return tail.seconds == 0 or bool((outwards[touches] >= OUTWARDS).any())


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
    size = float(box_geometry.size(box[None], least=1.0)[0])
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
    size = float(box_geometry.size(box[None], least=1.0)[0])
    return float(np.linalg.norm(there - middle, axis=1).min()) / size


def _chance(tail: Tail, other: float) -> float:
    """The chance that a face shows there.

    Args:
        tail: what was seen at the cover's end.
        other: sizes to the nearest other cover: most likely this head's, if it is near.
    """
    sure = min(1.0, max(tail.seconds, 0.2) / CERTAIN_S) * (0.3 + 0.7 * tail.score)
    alone = float(np.interp(other, [0.5, 1.0, 2.5], [0.04, 0.15, 1.0]))
    return (0.4 if tail.still else 0.03) * sure * alone
