"""How well people in one view are matched to the same people in another, instant by instant.

The figures are those of self-supervised multi-view association (Self-MVA, CVPR 2025, arXiv:2503.13739, and the works
that it compares with), defined below so that they hold for noisy detections too:

- average precision and FPR-95 judge the scores of all pairs of labelled detections, matched or not;
- precision is the share of matches that join one person, recall the share of people detected in both views who are
  joined by a match;
- accuracy is the share of people detected in either view who are treated rightly: joined when in both views, left
  alone when in one. IPAA-X ("image pair association accuracy") is the share of image pairs in which that share is at
  least X percent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.figures import Figures, share
from or_mv_anon.core.records import Detections
from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.evaluation import average_precision as ap
from or_mv_anon.evaluation.detection_rules import DetectionRules, counts

UNKNOWN = -1  # a person whose identity the ground truth does not tell
NOBODY = -2  # a false detection

IPAA_LEVELS = (1.0, 0.9, 0.8)


@dataclass(frozen=True, eq=False)
class ViewPair:
    """What an association method says about two views of one instant.

    Attributes:
        views: their names.
        first, second: whom each detection shows: identities from 0, `UNKNOWN` or `NOBODY`, int (N,) and (M,).
        scores: (N, M), higher is more alike, on one scale for all instants; -inf where a pair is impossible.
        matches: rows of `first` and `second` that it says are one person, int (K, 2), none twice.
    """

    views: tuple[str, str]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    scores: NDArray[np.float64]
    matches: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.scores.shape != (len(self.first), len(self.second)):
            expected = (len(self.first), len(self.second))
            raise ValueError(f"ViewPair.scores: expected shape {expected}, got {self.scores.shape}")
        for side in self.matches.T:
            if len(np.unique(side)) != len(side):
                raise ValueError("ViewPair.matches: a detection is matched twice")


@dataclass(frozen=True)
class AssociationScores(Figures):
    """Figures of a set of image pairs; see the module's text.

    Attributes:
        image_pairs: with detections in both views.
        people_in_both: person-instants to be joined.
        matches: that were judged.
        ipaa: by level, such as {"100": ..., "90": ..., "80": ...}.
    """

    image_pairs: int
    people_in_both: int
    matches: int
    average_precision: float
    fpr_95: float
    precision: float
    recall: float
    accuracy: float
    ipaa: Mapping[str, float]


@dataclass(frozen=True)
class AssociationResult(Figures):
    """All pairs of views pooled, and each one."""

    overall: AssociationScores
    by_views: Mapping[str, AssociationScores]


@dataclass(frozen=True)
class _Tally:
    """Counts of one image pair."""

    right: int
    judged: int
    joined: int
    in_both: int
    treated_rightly: int
    known: int


def evaluate_association(
    pairs: Iterable[ViewPair], *, unknown: Literal["ignore", "wrong"] = "ignore"
) -> AssociationResult:
    """Judge matches and scores.

    Args:
        pairs: image pairs in which either view has no detection are left out, as in Self-MVA.
        unknown: whether a match with somebody of `UNKNOWN` identity is left out or, as in Self-MVA's code, wrong.
    """
    used = [pair for pair in pairs if len(pair.first) and len(pair.second)]
    groups: dict[str, list[ViewPair]] = {}
    for pair in used:
        groups.setdefault("-".join(pair.views), []).append(pair)
    return AssociationResult(
        _scores(used, unknown=unknown), {name: _scores(group, unknown=unknown) for name, group in groups.items()}
    )


def label(found: Boxes, people: Boxes, identities: NDArray[Any], *, iou: float = 0.5) -> NDArray[np.int64]:
    """Whom each detection shows, (N,): the identity of the person it overlaps most, by at least `iou`, or `NOBODY`.

    Two detections may show one person: unlike in detection metrics a duplicate is a true view of somebody.
    """
    if not len(found) or not len(people):
        return np.full(len(found), NOBODY, np.int64)
    overlap = geometry.iou(found, people)
    best = overlap.argmax(axis=1)
    return np.where(overlap.max(axis=1) >= iou, np.asarray(identities, np.int64)[best], NOBODY)


def label_camera(
    camera: CameraTruth, detections: Detections, *, rules: DetectionRules | None = None
) -> NDArray[np.int64]:
    """Whom each detection of a camera shows, (len(detections),): a person, `UNKNOWN` for ignored ones, or `NOBODY`."""
    rules = rules or DetectionRules()
    people = camera.people
    counted = counts(people, rules)
    # whoever is ignored shows too little for a box of what shows
    boxes = np.where(counted[:, None] & (rules.box == "visible"), people.visible_box, people.amodal_box)
    identities = np.where(counted, people.person.astype(np.int64), UNKNOWN)
    found = np.full(len(detections), NOBODY, np.int64)
    for frame in np.unique(detections.frame):
        here, who = detections.frame == frame, people.frame == frame
        found[here] = label(detections.box[here], boxes[who], identities[who], iou=rules.iou)
    return found


def _scores(pairs: Sequence[ViewPair], *, unknown: Literal["ignore", "wrong"]) -> AssociationScores:
    score, hit = _scored_pairs(pairs)
    tallies = [_tally(pair, unknown=unknown) for pair in pairs]
    right, judged, joined, in_both, rightly, known = (
        sum(getattr(tally, name) for tally in tallies)
        for name in ("right", "judged", "joined", "in_both", "treated_rightly", "known")
    )
    shares = np.array([tally.treated_rightly / tally.known for tally in tallies if tally.known])
    reached = [float((shares >= level).mean()) if len(shares) else math.nan for level in IPAA_LEVELS]
    return AssociationScores(
        image_pairs=len(pairs),
        people_in_both=in_both,
        matches=judged,
        average_precision=ap.stepwise(score, hit),
        fpr_95=ap.false_positive_rate(score, hit, recall=0.95),
        precision=share(right, judged),
        recall=share(joined, in_both),
        accuracy=share(rightly, known),
        ipaa={f"{100 * level:g}": value for level, value in zip(IPAA_LEVELS, reached, strict=True)},
    )


def _scored_pairs(pairs: Sequence[ViewPair]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores of all pairs of detections whose identities are known or that are nobody, and whether they are one."""
    scores, hits = [np.zeros(0)], [np.zeros(0, bool)]
    for pair in pairs:
        told = (pair.first != UNKNOWN)[:, None] & (pair.second != UNKNOWN)[None, :]
        scores.append(pair.scores[told])
        hits.append(_same(pair.first[:, None], pair.second[None, :])[told])
    # a pair that cannot be must rank last, with a number
    lowest = min((part[np.isfinite(part)].min() for part in scores if np.isfinite(part).any()), default=0.0)
    return np.nan_to_num(np.concatenate(scores), neginf=lowest - 1.0), np.concatenate(hits)


def _tally(pair: ViewPair, *, unknown: Literal["ignore", "wrong"]) -> _Tally:
    first, second = pair.first[pair.matches[:, 0]], pair.second[pair.matches[:, 1]]
    judged = (first != UNKNOWN) & (second != UNKNOWN) if unknown == "ignore" else np.ones(len(first), bool)
    first, second = first[judged], second[judged]
    right = _same(first, second)
    left, other = (set(side[side >= 0].tolist()) for side in (pair.first, pair.second))
    joined = set(first[right].tolist())
    touched = set(first.tolist()) | set(second.tolist())
    alone = (left ^ other) - touched
    return _Tally(
        right=int(right.sum()),
        judged=len(first),
        joined=len(joined),
        in_both=len(left & other),
        treated_rightly=len(joined) + len(alone),
        known=len(left | other),
    )


def _same(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (first == second) & (first >= 0)
