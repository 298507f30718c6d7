"""Which iteration's detector is the best, judged without labels on pictures that nobody was trained on.

At the anonymizer's operating scores a detector should find the people whom tracking supports and independent witnesses
confirm, and little that nothing supports or these witnesses deny. The criterion is the supported recall less a price
for unsupported boxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.settings import CriterionConfig
from or_mv_anon.adaptation.support import Support
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.models.detectors.protocol import Found
from or_mv_anon.models.detectors.yolox import PersonDetector

SCORES = np.round(np.arange(0.1, 0.96, 0.01), 2)


@dataclass(frozen=True, eq=False)
class DetectorCurves:
    """How one detector does on the held-out pictures, at every score of `SCORES`.

    Attributes:
        recall: share of the supported people who are found, by weight (S,).
        unsupported: boxes per picture that lie on nobody and on no neutral region, or where a person is denied (S,).
        unconfirmed: boxes per picture that lie on nobody, neutral regions included (S,).
        pictures: how many there are.
        criterion: recall less the price of unsupported boxes, mean over the operating scores.
    """

    recall: NDArray[np.float64]
    unsupported: NDArray[np.float64]
    unconfirmed: NDArray[np.float64]
    pictures: int
    criterion: float


def detect_pictures(detector: PersonDetector, pictures: PictureBank) -> dict[int, Found]:
    """What `detector` finds in every picture, in its pixels."""
    found = {}
    for number, picture in pictures.pictures.items():
        height, width = picture.shape[:2]
        small = cv2.resize(picture, detector.input_size(width, height), interpolation=cv2.INTER_AREA)
        found[number] = detector.detect([np.asarray(small, np.uint8)], size=(width, height))[0]
    return found


def judge_detector(
    found: Mapping[int, Found], support: Mapping[int, Support], config: CriterionConfig
) -> DetectorCurves:
    """Compare what a detector found with what is supported, in the pictures of `found`."""
    pictures = [number for number in found if number in support]
    weights, hit, score, neutral = [], [], [], []
    for number in pictures:
        boxes, scores = found[number]
        there = support[number]
        subjects = Subjects(
            picture=np.zeros(len(there.people) + len(there.neutral)),
            box=np.concatenate([there.people, there.neutral]),
            counted=np.arange(len(there.people) + len(there.neutral)) < len(there.people),
        )
        taken = match(subjects, Candidates(picture=np.zeros(len(boxes)), box=boxes, score=scores), iou=config.match_iou)
        person = (taken != NOBODY) & (taken < len(there.people))
        weights.append(there.weight)
        hit.append(np.where(person, np.append(there.weight, 0)[np.where(person, taken, -1)], 0))
        score.append(scores)
        denied = geometry.iou(boxes, there.denied).max(axis=1, initial=0) >= config.match_iou
        neutral.append((taken >= len(there.people)) & ~denied)
    return _curves(
        np.concatenate([*hit, []]),
        np.concatenate([*score, []]),
        np.concatenate([*neutral, []]).astype(bool),
        weight=float(sum(entry.sum() for entry in weights)),
        pictures=len(pictures),
        config=config,
    )


def at_score(curve: NDArray[np.float64], score: float) -> float:
    """The value of a curve over `SCORES` at a score."""
    return float(np.interp(score, SCORES, curve))


def _curves(
    hit: NDArray[np.float64],
    score: NDArray[np.float64],
    neutral: NDArray[np.bool_],
    *,
    weight: float,
    pictures: int,
    config: CriterionConfig,
) -> DetectorCurves:
    above = score[None, :] >= SCORES[:, None] - 1e-6
    recall = (above * hit).sum(axis=1) / max(weight, 1e-9)
    unconfirmed = (above & (hit == 0)).sum(axis=1) / max(1, pictures)
    unsupported = (above & (hit == 0) & ~neutral).sum(axis=1) / max(1, pictures)
    people = max(weight / max(1, pictures), 1e-9)  # per picture
    price = config.unsupported_weight * np.minimum(1, unsupported / people)
    criterion = float(np.mean([at_score(recall - price, operating) for operating in config.scores]))
    return DetectorCurves(recall, unsupported, unconfirmed, pictures, criterion)
