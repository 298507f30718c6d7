"""How well people are found in single pictures, against exact ground truth.

A person counts in a picture when enough shows; the others are ignored: finding them is neither right nor wrong. One
matching of all detections serves every group: detections of people outside the group are left out, unmatched ones are
false alarms in each group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.core.figures import Figures, share
from or_mv_anon.core.records import Detections
from or_mv_anon.core.truth import CameraTruth, TruthPeople
from or_mv_anon.evaluation import average_precision as ap
from or_mv_anon.evaluation.average_precision import OperatingPoint
from or_mv_anon.evaluation.detection_rules import DetectionRules, counts, is_hard


@dataclass(frozen=True)
class GroupResult(Figures):
    """The figures of one group of people.

    Attributes:
        people: rows of ground truth that count.
        average_precision, average_precision_11: COCO's 101-point and VOC's 11-point interpolation.
        partial_average_precision: mean precision over recall 0.9 to 1.0.
        max_recall: with every detection that there is.
        best_f2, best_f3: thresholds where recall weighs two and three times as much as precision.
        at_scores: one point per threshold of the rules, then at the two that are best for everyone.
    """

    people: int
    average_precision: float
    average_precision_11: float
    partial_average_precision: float
    max_recall: float
    best_f2: OperatingPoint
    best_f3: OperatingPoint
    at_scores: Sequence[OperatingPoint]


@dataclass(frozen=True)
class MultiViewRecall(Figures):
    """Person-instants at one threshold: found in every view, or in any view, in which the person counts."""

    score: float
    person_instants: int
    every_view: float
    any_view: float


@dataclass(frozen=True)
class DetectionResult(Figures):
    """All figures of a session; `everyone` holds `hard` and the bands of `by_visible_fraction`."""

    pictures: int
    ignored_people: int
    box: str
    iou: float
    everyone: GroupResult
    hard: GroupResult
    by_visible_fraction: Mapping[str, GroupResult]
    by_camera: Mapping[str, GroupResult]
    multi_view: Sequence[MultiViewRecall]


@dataclass(frozen=True, eq=False)
class _Matched:
    """Every camera's people and detections, pooled; `found` counts rows of `people`."""

    camera: NDArray[np.int64]  # of each person
    instant: NDArray[np.int64]
    person: NDArray[np.int64]
    counted: NDArray[np.bool_]
    hard: NDArray[np.bool_]
    fraction: NDArray[np.float64]
    score: NDArray[np.float64]  # of each detection
    found: NDArray[np.int64]
    detection_camera: NDArray[np.int64]


def evaluate_detection(
    truth: Mapping[str, CameraTruth],
    detections: Mapping[str, Detections],
    *,
    analysed: Mapping[str, NDArray[np.int32]] | None = None,
    rules: DetectionRules | None = None,
) -> DetectionResult:
    """Judge person detections.

    Args:
        truth: by camera.
        detections: by camera; a camera without any is a camera in which nobody was found.
        analysed: by camera, the frames in which the detector ran; without it, all. Other frames do not count.
        rules: see `DetectionRules`.
    """
    rules = rules or DetectionRules()
    parts, pictures = [], 0
    for number, (name, camera) in enumerate(truth.items()):
        frames = camera.frames.frame
        if analysed is not None:
            frames = frames[np.isin(frames, analysed.get(name, np.zeros(0, np.int32)))]
        pictures += len(frames)
        people = camera.people[np.isin(camera.people.frame, frames)]
        here = detections.get(name, Detections.empty())
        parts.append(_match_camera(number, camera, people, here[np.isin(here.frame, frames)], rules))
    pooled = _pool(parts)
    all_rows = np.ones(len(pooled.person), bool)
    first = _group(pooled, all_rows, rules.scores)
    best = (first.best_f2.score, first.best_f3.score)
    scores = list(dict.fromkeys([*rules.scores, *(score for score in best if np.isfinite(score))]))
    bands = {}
    for low, high in pairwise(rules.bands):
        last = high == rules.bands[-1]
        inside = (pooled.fraction >= low) & ((pooled.fraction <= high) if last else (pooled.fraction < high))
        bands[f"{low:g}-{high:g}"] = _group(pooled, inside, scores)
    return DetectionResult(
        pictures=pictures,
        ignored_people=int((~pooled.counted).sum()),
        box=rules.box,
        iou=rules.iou,
        everyone=_group(pooled, all_rows, scores),
        hard=_group(pooled, pooled.hard, scores),
        by_visible_fraction=bands,
        by_camera={name: _group(pooled, pooled.camera == i, scores, camera=i) for i, name in enumerate(truth)},
        multi_view=[_multi_view(pooled, score) for score in scores],
    )


def _match_camera(
    number: int, camera: CameraTruth, people: TruthPeople, detections: Detections, rules: DetectionRules
) -> _Matched:
    counted = counts(people, rules)
    boxes = people.visible_box if rules.box == "visible" else people.amodal_box
    other = people.amodal_box if rules.box == "visible" else people.visible_box
    # whoever is ignored may be boxed either way
    subjects = Subjects(
        picture=np.concatenate([people.frame, people.frame[~counted]]),
        box=np.concatenate([boxes, other[~counted]]),
        counted=np.concatenate([counted, np.zeros((~counted).sum(), bool)]),
    )
    rows = np.concatenate([np.arange(len(people)), np.flatnonzero(~counted)])
    candidates = Candidates(picture=detections.frame, box=detections.box, score=detections.score)
    found = match(subjects, candidates, iou=rules.iou)
    place = np.searchsorted(camera.frames.frame, people.frame)
    return _Matched(
        camera=np.full(len(people), number),
        instant=camera.frames.instant[place].astype(np.int64),
        person=people.person.astype(np.int64),
        counted=counted,
        hard=is_hard(people, camera, rules),
        fraction=people.visible_fraction.astype(np.float64),
        score=detections.score.astype(np.float64),
        found=np.where(found == NOBODY, NOBODY, np.append(rows, NOBODY)[found]),
        detection_camera=np.full(len(detections), number),
    )


def _pool(parts: Sequence[_Matched]) -> _Matched:
    offsets = np.cumsum([0] + [len(part.person) for part in parts])
    shifted = [np.where(p.found == NOBODY, NOBODY, p.found + o) for p, o in zip(parts, offsets[:-1], strict=True)]
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("camera", "instant", "person", "counted", "hard", "fraction", "score", "detection_camera")
    }
    return _Matched(**columns, found=np.concatenate(shifted))


def _group(pooled: _Matched, inside: NDArray[np.bool_], at: Sequence[float], *, camera: int = -1) -> GroupResult:
    """Figures of the people `inside`; of the detections, those that found one of them or nobody at all."""
    right = np.append(inside & pooled.counted, False)[pooled.found]
    used = right | (pooled.found == NOBODY)
    if camera >= 0:
        used &= pooled.detection_camera == camera
    scores, hits, positives = pooled.score[used], right[used], int((inside & pooled.counted).sum())
    curve = ap.curve(scores, hits, positives=positives)
    return GroupResult(
        people=positives,
        average_precision=ap.interpolated(curve),
        average_precision_11=ap.interpolated(curve, ap.VOC_RECALLS),
        partial_average_precision=ap.interpolated(curve, ap.HIGH_RECALLS),
        max_recall=share(int(hits.sum()), positives),
        best_f2=ap.best_f(scores, hits, positives=positives, beta=2.0),
        best_f3=ap.best_f(scores, hits, positives=positives, beta=3.0),
        at_scores=[ap.at_score(scores, hits, positives=positives, score=score) for score in at],
    )


def _multi_view(pooled: _Matched, score: float) -> MultiViewRecall:
    found = np.zeros(len(pooled.person) + 1, bool)
    found[pooled.found[pooled.score >= score]] = True
    keys = np.stack([pooled.instant, pooled.person], axis=1)[pooled.counted]
    moments, group = np.unique(keys, axis=0, return_inverse=True)
    views = np.bincount(group, minlength=len(moments))
    hits = np.bincount(group, weights=found[:-1][pooled.counted], minlength=len(moments))
    return MultiViewRecall(
        score, len(moments), share(int((hits == views).sum()), len(moments)), share(int((hits > 0).sum()), len(moments))
    )
