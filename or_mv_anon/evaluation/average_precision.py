"""Precision, recall and what is read off their curve: average precision in four forms, and operating points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.figures import Figures, share

COCO_RECALLS = np.linspace(0.0, 1.0, 101)  # Lin et al. 2014, "Microsoft COCO", as its evaluation code samples
VOC_RECALLS = np.linspace(0.0, 1.0, 11)  # Everingham et al. 2010, "The PASCAL VOC Challenge", before 2010
HIGH_RECALLS = np.linspace(0.9, 1.0, 11)
SAME = 1e-12  # recalls closer than this are one: sampling points and hits / positives are rounded differently


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision and recall after each candidate, best score first (equal scores keep their order).

    Attributes:
        score, recall, precision: float64 arrays (N,).
        positives: how many there are to find, found or not.
    """

    score: NDArray[np.float64]
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    positives: int


@dataclass(frozen=True)
class OperatingPoint(Figures):
    """What keeping all candidates of at least `score` gives."""

    score: float
    recall: float
    precision: float
    f: float  # F-beta of the beta that was asked for
    hits: int
    false_alarms: int


def curve(scores: NDArray[Any], hits: NDArray[np.bool_], *, positives: int) -> Curve:
    """The curve of candidates with `scores` (N,), of which `hits` (N,) are right."""
    scores = np.asarray(scores, np.float64)
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(np.asarray(hits, bool)[order])
    recall = found / positives if positives else np.full(len(order), math.nan)
    return Curve(scores[order], recall, found / np.arange(1, len(order) + 1), positives)


def interpolated(curve: Curve, recalls: NDArray[np.float64] = COCO_RECALLS) -> float:
    """Mean over `recalls` of the best precision at that recall or above, 0 where it is never reached.

    With `COCO_RECALLS` it is COCO's average precision, with `VOC_RECALLS` the 11-point one, and with `HIGH_RECALLS`
    partial AP: only the part of the curve in which nobody or hardly anybody is missed counts (1 is perfect).
    NaN without positives.
    """
    if not curve.positives:
        return math.nan
    envelope = np.maximum.accumulate(curve.precision[::-1])[::-1]
    first = np.searchsorted(curve.recall, recalls - SAME, side="left")
    return float(np.append(envelope, 0.0)[first].mean())


def stepwise(scores: NDArray[Any], hits: NDArray[np.bool_]) -> float:
    """Average precision as information retrieval defines it: the sum of precision × gain in recall.

    Nothing is interpolated, and equal scores are taken together (`average_precision_score` of scikit-learn). NaN
    without hits.
    """
    found, kept, _ = _by_threshold(scores, hits)
    if not len(found) or not found[-1]:
        return math.nan
    gains = np.diff(found, prepend=0) / found[-1]
    return float((gains * found / kept).sum())


def false_positive_rate(scores: NDArray[Any], hits: NDArray[np.bool_], *, recall: float = 0.95) -> float:
    """Share of the wrong candidates that are accepted at the highest threshold with at least this recall (FPR-95).

    Candidates that share the threshold's score are all accepted. NaN without right or without wrong ones.
    """
    found, kept, _ = _by_threshold(scores, hits)
    if not len(found) or not found[-1] or found[-1] == kept[-1]:
        return math.nan
    at = int(np.argmax(found >= recall * found[-1] - SAME))
    return float((kept[at] - found[at]) / (kept[-1] - found[-1]))


def at_score(scores: NDArray[Any], hits: NDArray[np.bool_], *, positives: int, score: float) -> OperatingPoint:
    """The operating point of a given threshold; `f` is F1."""
    kept = np.asarray(scores) >= score
    return _point(score, int(np.asarray(hits)[kept].sum()), int(kept.sum()), positives, beta=1.0)


def best_f(scores: NDArray[Any], hits: NDArray[np.bool_], *, positives: int, beta: float) -> OperatingPoint:
    """The threshold with the largest F-beta, (1 + β²)PR / (β²P + R); recall weighs β times as much as precision.

    Of several, the lowest threshold (more is found). Without positives or candidates the point keeps nothing.
    """
    found, kept, thresholds = _by_threshold(scores, hits)
    if not len(found) or not positives:
        return _point(math.inf, 0, 0, positives, beta=beta)
    f = (1 + beta**2) * found / (beta**2 * positives + kept)
    at = int(np.flatnonzero(f >= f.max() - SAME)[-1])
    return _point(float(thresholds[at]), int(found[at]), int(kept[at]), positives, beta=beta)


def _point(score: float, hits: int, kept: int, positives: int, *, beta: float) -> OperatingPoint:
    f = share((1 + beta**2) * hits, beta**2 * positives + kept)
    return OperatingPoint(float(score), share(hits, positives), share(hits, kept), f, hits, kept - hits)


def _by_threshold(
    scores: NDArray[Any], hits: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Hits and candidates at or above each distinct score, highest first, and these scores."""
    scores = np.asarray(scores, np.float64)
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-math.inf) != 0)
    return np.cumsum(np.asarray(hits, bool)[order])[last], last + 1, scores[order][last]
