"""What was seen of a cover at its end: for how long, how surely, and whether what it covered kept still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.evidence import CameraEvidence
from or_mv_anon.audit.intervals import Clock
from or_mv_anon.core.records import Provenance, Regions
from or_mv_anon.core.rows import rows_of

STILL_S = 1.0  # seconds at a cover's end by which it is judged how much it moved
STILL = 0.15  # of its size, by which a head that keeps still moves at most in this time


@dataclass(frozen=True)
class Tail:
    """What was seen of a cover at its end.

    Attributes:
        seconds: for how long.
        score: how surely.
        still: whether it kept still meanwhile.
        motion: how far its middle had moved to the right and down when it ended, in its sizes, in the last `STILL_S`.
    """

    seconds: float
    score: float
    still: bool
    motion: tuple[float, float] = (0.0, 0.0)


def tail_of(bodies: Regions, seen: NDArray[np.bool_], score: NDArray[np.float32], rows: range, clock: Clock) -> Tail:
    """Of the rows of one track, the nearest to its end first."""
    chosen = np.array(rows)
    chosen = chosen[seen[chosen]]
    if not len(chosen):
        return Tail(0.0, 0.0, False)
    seconds = clock.start(bodies.frame[chosen])
    near = chosen[np.abs(seconds - seconds[0]) <= STILL_S]
    box = bodies.box[near]
    middle = (box[:, :2] + box[:, 2:]) / 2
    size = float(np.sqrt(np.maximum((box[:, 2:] - box[:, :2]).prod(axis=1).mean(), 1.0)))
    long = np.ptp(clock.start(bodies.frame[near])) >= STILL_S / 2
    still = bool(long and np.ptp(middle, axis=0).max() <= STILL * size)
    motion = (middle[0] - middle[-1]) / size
    return Tail(float(np.ptp(seconds)), float(score[chosen].max()), still, (float(motion[0]), float(motion[1])))


def seen_rows(evidence: CameraEvidence, bodies: Regions) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which regions ``(R,)`` rest on something seen in their very frame, and its score, 0 for the others."""
    keys, scores = _observed(evidence)
    row = rows_of(keys, _keys(bodies.track, bodies.frame))
    return row >= 0, np.where(row >= 0, np.append(scores, np.float32(0))[row], np.float32(0))


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
