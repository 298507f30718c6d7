"""Which of the heads in a frame is whose: one head to a person, the pairs that fit best first.

A detector of people and heads gives boxes of both, and boxes of people that overlap: a person twice, or two as one. A
head therefore counts for every box of a person that is mostly the box that it fits best, and for no other person.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes, longer_side
from or_mv_anon.core.config import HeadConfig, PipelineConfig
from or_mv_anon.core.records import Detections, Tracks
from or_mv_anon.core.rows import equal_pairs

ROWS_AT_ONCE = 100_000
INSIDE = 0.6  # share of a head's box that lies in the box of its person, for boxes cut off at the hair
SAME_HEAD = 0.6  # share of a head's box in a surer one from which on both are one head
SAME_PERSON = 0.7  # share of a person's box in another from which on both may be one person
CHIN = 0.2  # heights of a head's box that are added towards the body: boxes of masked heads end above the chin
FROM_END = 0.3  # sides of the person's box by which a head's centre must be away from its end to fit a third as well


def own_heads(
    people: Tracks | Detections, heads: Detections, config: HeadConfig, *, lying_aspect: float
) -> NDArray[np.intp]:
    """The row of `heads` that is each person's, ``(P,)``; -1 where there is none.

    Args:
        people: boxes of persons.
        heads: found in their frames, ordered by frame.
        config: how large a head can be.
        lying_aspect: width ÷ height of a person's box from which on a head may be at either side.
    """
    person, head = equal_pairs(people.frame, heads.frame)
    fits = _can_belong(heads.box[head], people.box[person], config)
    person, head = person[fits], head[fits]
    quality = heads.score[head] * _fit(heads.box[head], people.box[person], lying_aspect)
    own = _best_first(person, head, quality, len(people))
    return _shared(own, person, head, quality, people)


def known_heads(
    people: Detections, heads: Detections | None, config: PipelineConfig, *, least_score: float
) -> NDArray[np.bool_]:
    """Whose head was found with them so surely that their keypoints need not be looked for, ``(P,)``.

    Args:
        people: ordered by frame.
        heads: found in the same pass, ordered by frame; None where none are looked for.
        config: how large heads are.
        least_score: of a head that is sure; with 1 none is.
    """
    known = np.zeros(len(people), bool)
    if heads is None or least_score >= 1:
        return known
    own = own_heads(people, heads, config.heads, lying_aspect=config.regions.lying_aspect)
    known[own >= 0] = heads.score[own[own >= 0]] >= least_score
    return known


def towards_body(head: Boxes, person: Boxes) -> Boxes:
    """Heads' boxes ``(N, 4)`` prolonged by a chin in the direction of the middle of their person's box."""
    away = (person[:, :2] + person[:, 2:] - head[:, :2] - head[:, 2:]) / 2
    longer = longer_side(head)[:, None]
    chin = CHIN * longer * away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    return np.concatenate([head[:, :2] + chin.clip(max=0), head[:, 2:] + chin.clip(min=0)], axis=1).astype(np.float32)


def holds_a_head(frame: NDArray[np.int32], box: Boxes, heads: Detections) -> NDArray[np.bool_]:
    """Which boxes ``(N, 4)`` in frames ``(N,)`` hold the middle of a head of their frame; `heads` come by frame."""
    holding = np.zeros(len(frame), bool)
    for start in range(0, len(frame), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        row, head = equal_pairs(frame[part], heads.frame)
        row += start
        middle = (heads.box[head, :2] + heads.box[head, 2:]) / 2
        inside = ((middle >= box[row, :2]) & (middle <= box[row, 2:])).all(axis=1)
        holding[row[inside]] = True
    return holding


def distinct_heads(heads: Detections) -> Detections:
    """Without the boxes that lie mostly in a surer one of their frame; `heads` are ordered by frame."""
    # Memory: a long recording has millions of heads, so their pairs are looked at a part at a time.
    starts = np.unique(np.searchsorted(heads.frame, heads.frame[::ROWS_AT_ONCE], side="left"))
    parts = pairwise([*starts.tolist(), len(heads)])
    return Detections.concat([_distinct(heads[start:stop]) for start, stop in parts])


def _distinct(heads: Detections) -> Detections:
    """The same of a part that holds whole frames."""
    row, other = equal_pairs(heads.frame, heads.frame)
    surer = (heads.score[other] > heads.score[row]) | ((heads.score[other] == heads.score[row]) & (other < row))
    row, other = row[surer], other[surer]
    twice = row[_shared_area(heads.box[row], heads.box[other]) >= SAME_HEAD]
    return heads[~np.isin(np.arange(len(heads)), twice)]


def _best_first(
    person: NDArray[np.intp], head: NDArray[np.intp], quality: NDArray[np.float32], people: int
) -> NDArray[np.intp]:
    """Greedy pairs: in every round those are joined that are each other's best; then both are out."""
    own = np.full(people, -1, np.intp)
    order = np.argsort(-quality, kind="stable")
    person, head = person[order], head[order]
    while len(person):
        of_person, of_head = (np.unique(each, return_index=True)[1] for each in (person, head))  # the best of each
        joined = np.intersect1d(of_person, of_head)
        own[person[joined]] = head[joined]
        free = ~np.isin(head, head[joined]) & ~np.isin(person, person[joined])
        person, head = person[free], head[free]
    return own


def _shared(
    own: NDArray[np.intp],
    person: NDArray[np.intp],
    head: NDArray[np.intp],
    quality: NDArray[np.float32],
    people: Tracks | Detections,
) -> NDArray[np.intp]:
    """Gives a box that got no head the best of those whose own person's box it mostly is, or holds."""
    owner = np.full(head.max(initial=-1) + 1, -1, np.intp)
    owner[own[own >= 0]] = np.flatnonzero(own >= 0)
    left = (own[person] < 0) & (owner[head] >= 0)
    person, head, quality = person[left], head[left], quality[left]
    same = _shared_area(people.box[person], people.box[owner[head]]) >= SAME_PERSON
    person, head, quality = person[same], head[same], quality[same]
    order = np.argsort(quality, kind="stable")  # the best is written last
    shared = own.copy()
    shared[person[order]] = head[order]
    return shared


def _shared_area(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """The area ``(N,)`` that boxes ``(N, 4)`` share with those beside them, as a share of the smaller one."""
    smaller = np.minimum(bx.area(a), bx.area(b))
    return np.asarray(bx.paired_intersection(a, b) / np.maximum(smaller, 1e-9), np.float32)


def _can_belong(head: Boxes, person: Boxes, config: HeadConfig) -> NDArray[np.bool_]:
    """Whether each head lies in the box of the person beside it and is not too large for it."""
    inside = bx.paired_intersection(head, person) >= INSIDE * bx.area(head)
    longer = longer_side(person)
    return np.asarray(inside & (longer_side(head) <= config.largest_share * longer))


def _fit(head: Boxes, person: Boxes, lying_aspect: float) -> NDArray[np.float32]:
    """How well a head's place in its person's box fits ``(N,)``, 1 at its end: the top, of the lying the sides too."""
    sides = np.maximum(person[:, 2:] - person[:, :2], 1e-9)
    place = ((head[:, :2] + head[:, 2:]) / 2 - person[:, :2]) / sides
    lying = sides[:, 0] >= lying_aspect * sides[:, 1]
    from_side = np.minimum(place[:, 0], 1 - place[:, 0])
    from_end = np.where(lying, np.minimum(from_side, place[:, 1]), place[:, 1])
    return np.exp(-from_end.clip(0) / FROM_END).astype(np.float32)
