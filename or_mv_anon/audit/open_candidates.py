"""Candidates in the open: what some detector took for a head or a person, too weakly or too rarely to cover it.

One weak candidate means nothing. At a place where they recur, somebody may lie or stand whom no track stands for. What
else was looked for at the place counts, too: equipment looks like a head in turned pictures and never in upright ones,
and a weak face is somebody's where a head was covered a moment ago or soon will be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.evidence import CameraEvidence, Doubt
from or_mv_anon.audit.looks import LOOK_S
from or_mv_anon.audit.track_risks import overlapped
from or_mv_anon.core.boxes import Boxes, iou, longer_side
from or_mv_anon.core.records import Detections, RegionKind

COVERED = 0.5  # share of a head's middle from which on it is covered
SAME_PLACE_IOU = 0.3
LONGEST_GAP_S = 6.0  # seconds without any candidate after which a place is another one
TOP_SHARE = 0.3  # of a person box that holds the head
PERSON_CHANCE = 0.01  # of a face, per unit of score
HEAD_CHANCE, HEAD_FROM, LEAST = 0.5, 0.3, 0.003  # of a face, per unit of score above the second, and at least
UPRIGHT_FROM, UPRIGHT_LEAST = 0.12, 0.002  # of a face, per unit of an upright head's score above it, and at least
FACE_CHANCE, LONE_FACE_CHANCE = 0.1, 0.001  # of a face, at a weak face with covers around it in time, and without
AROUND_S, STEP_S = 1.5, 0.1  # seconds before and after a weak face within which a head must be covered there; of a look
HEADLESS = 0.1  # of the chance, at a place where heads were looked for in upright pictures and never found
OF_FOLLOWED = 0.25  # of the chance, where the place is in the upper part of a person who is followed
ALONE_S, LONGEST_S = 1.0, 4.0  # seconds that a candidate stands for, and a place at most
CUT = 0.3  # of the chance, at the picture's edge
SURE = 0.3  # uncertainty of a head's place up to which its size is believed
LARGEST = 0.9  # times the usual large regions of heads, which are larger than the heads


@dataclass
class _Place:
    """Candidates at one place: rows of the candidates, the last box and its time."""

    rows: list[int] = field(default_factory=list)
    box: Boxes = field(default_factory=lambda: np.zeros((1, 4), np.float32))
    seconds: float = -np.inf


def open_candidates(evidence: CameraEvidence) -> Iterator[Doubt]:
    """One doubt per place and stretch of time in which candidates recur that nothing covers."""
    clock = evidence.clock
    frame, box, chance = _candidates(evidence)
    bare = np.flatnonzero(np.isin(frame, clock.frame))
    bare = bare[evidence.covered(frame[bare], box[bare]) < COVERED]
    bare = bare[np.argsort(frame[bare], kind="stable")]
    seconds = clock.start(frame[bare])
    for place in _places(box[bare], seconds):
        rows = bare[place.rows]
        times = seconds[place.rows]
        best = int(np.argmax(chance[rows]))
        of_frame: dict[int, float] = {}
        for row in rows.tolist():
            of_frame[int(frame[row])] = max(of_frame.get(int(frame[row]), 0.0), float(chance[row]))
        there = 1 - float(np.prod([1 - each for each in of_frame.values()]))
        if evidence.is_of_followed(int(frame[rows[best]]), box[rows[best]]):
            there *= OF_FOLLOWED
        if evidence.headless(box[rows[best]], float(times[0]), float(times[-1])):
            there *= HEADLESS
        middle = float(times[best])
        yield Doubt(
            camera=evidence.name,
            reason="open_candidate",
            start=max(middle - LOOK_S / 2, float(clock.starts[0])),
            end=min(middle + LOOK_S / 2, float(clock.ends[-1])),
            until=float(times[-1]),
            box=tuple(box[rows[best]].tolist()),
            severity=there * min(float(times[-1] - times[0]) + ALONE_S, LONGEST_S),
        )


def _candidates(evidence: CameraEvidence) -> tuple[NDArray[np.int32], Boxes, NDArray[np.float64]]:
    """Frame, box of the head and chance of being one, of everything weak that no track stands for."""
    persons, heads = evidence.persons, evidence.candidates
    held = np.zeros(len(persons), bool)
    claimed = evidence.tracks.detection[evidence.tracks.detection >= 0]
    held[claimed[claimed < len(persons)]] = True
    alone = np.flatnonzero(~held)
    alone = alone[~overlapped(persons.frame[alone], persons.box[alone], evidence.tracks)]
    largest = _largest_head(evidence)
    heads, upright, faces = (
        each[longer_side(each.box) <= largest] for each in (heads, evidence.upright, evidence.faces)
    )
    return (
        np.concatenate([persons.frame[alone], heads.frame, upright.frame, faces.frame]),
        np.concatenate([_tops(persons.box[alone]), heads.box, upright.box, faces.box]).astype(np.float32),
        np.concatenate(
            [
                PERSON_CHANCE * persons.score[alone],
                np.maximum(HEAD_CHANCE * (heads.score - HEAD_FROM), LEAST),
                np.maximum(upright.score - UPRIGHT_FROM, UPRIGHT_LEAST),
                np.where(_between_covers(evidence, faces), FACE_CHANCE, LONE_FACE_CHANCE),
            ]
        ),
    )


def _between_covers(evidence: CameraEvidence, faces: Detections) -> NDArray[np.bool_]:
    """Which faces ``(N,)`` lie bare where something is covered shortly before as well as shortly after."""
    clock = evidence.clock
    between = np.isin(faces.frame, clock.frame)
    between &= evidence.covered(faces.frame, faces.box) < COVERED
    step = max(1, round(STEP_S / float(np.median(clock.ends - clock.starts)))) if len(clock.frame) else 1
    most = max(1, round(AROUND_S / STEP_S))
    for direction in (-1, 1):
        rows = np.flatnonzero(between)
        frame = np.searchsorted(clock.frame, faces.frame[rows])
        covered = np.zeros(len(rows), bool)
        for away in range(1, most + 1):
            there = frame + direction * step * away
            left = np.flatnonzero(~covered & (there >= 0) & (there < len(clock.frame)))
            covered[left] = evidence.covered(clock.frame[there[left]], faces.box[rows[left]]) >= COVERED
        between[rows[~covered]] = False
    return between


def _cut(box: Boxes, evidence: CameraEvidence) -> NDArray[np.bool_]:
    """Which boxes reach over the picture's edge: most of these are corners of things."""
    return np.asarray(((box[:, :2] < 0) | (box[:, 2:] > np.array(evidence.size))).any(axis=1))


def _largest_head(evidence: CameraEvidence) -> float:
    """Side up to which a candidate can be a head, from the heads that are covered for sure."""
    regions = evidence.regions
    sure = regions.box[(regions.kind == RegionKind.HEAD) & (regions.uncertainty <= SURE)]
    sides = (sure[:, 2:] - sure[:, :2]).min(axis=1, initial=np.inf)
    return LARGEST * float(np.percentile(sides, 90)) if len(sure) else np.inf


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
