"""Candidates in the open: what some detector took for a head or a person, too weakly or too rarely to cover it.

One weak candidate means nothing. At a place where they recur, somebody may lie or stand whom no track stands for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.evidence import CameraEvidence, Doubt
from or_mv_anon.core.boxes import Boxes, iou

COVERED = 0.5  # share of a head's middle from which on it is covered
SAME_PLACE_IOU = 0.3
LONGEST_GAP_S = 6.0  # seconds without any candidate after which a place is another one
LOOK_S = 0.6  # seconds of one look
TOP_SHARE = 0.3  # of a person box that holds the head
PERSON_WEIGHT, HEAD_WEIGHT = 0.4, 0.25  # chance of a face per unit of score
ALONE_S = 1.0  # seconds that a candidate stands for


@dataclass
class _Place:
    """Candidates at one place: rows of the candidates, the last box and its time."""

    rows: list[int] = field(default_factory=list)
    box: Boxes = field(default_factory=lambda: np.zeros((1, 4), np.float32))
    seconds: float = -np.inf


def open_candidates(evidence: CameraEvidence) -> Iterator[Doubt]:
    """One doubt per place and stretch of time in which candidates recur that nothing covers."""
    clock = evidence.clock
    persons, heads = evidence.persons, evidence.candidates
    frame = np.concatenate([persons.frame, heads.frame])
    box = np.concatenate([_tops(persons.box), heads.box]).astype(np.float32)
    weight = np.concatenate([PERSON_WEIGHT * persons.score, HEAD_WEIGHT * heads.score])
    bare = np.flatnonzero(np.isin(frame, clock.frame))
    bare = bare[evidence.covered(frame[bare], box[bare]) < COVERED]
    bare = bare[np.argsort(frame[bare], kind="stable")]
    seconds = clock.start(frame[bare])
    for place in _places(box[bare], seconds):
        rows = bare[place.rows]
        times = seconds[place.rows]
        best = int(np.argmax(weight[rows]))
        chance = 1 - float(np.prod(1 - np.unique(np.clip(weight[rows], 0, 0.9))))
        middle = float(times[best])
        yield Doubt(
            camera=evidence.name,
            reason="open_candidate",
            start=max(middle - LOOK_S / 2, float(clock.starts[0])),
            end=min(middle + LOOK_S / 2, float(clock.ends[-1])),
            until=float(times[-1]),
            box=tuple(box[rows[best]].tolist()),
            severity=chance * (float(times[-1] - times[0]) + ALONE_S),
        )


def _tops(box: Boxes) -> Boxes:
    """The part of person boxes in which heads are."""
    top = box.copy()
    width, height = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    top[:, 3] = box[:, 1] + np.maximum(TOP_SHARE * height, np.minimum(0.6 * width, height))
    return top


def _places(box: Boxes, seconds: NDArray[np.float64]) -> list[_Place]:
    """Boxes ordered by time, gathered by place."""
    done: list[_Place] = []
    active: list[_Place] = []
    for row, (here, now) in enumerate(zip(box, seconds.tolist(), strict=True)):
        done += [place for place in active if now - place.seconds > LONGEST_GAP_S]
        active = [place for place in active if now - place.seconds <= LONGEST_GAP_S]
        best = None
        if active:
            overlap = iou(here[None], np.concatenate([place.box for place in active]))[0]
            best = active[int(overlap.argmax())] if overlap.max() >= SAME_PLACE_IOU else None
        if best is None:
            best = _Place()
            active.append(best)
        best.rows.append(row)
        best.box, best.seconds = here[None], now
    return done + active
