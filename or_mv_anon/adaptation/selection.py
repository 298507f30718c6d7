"""Which iteration's detector is the best, when to stop, and which thresholds suit the room: judged without labels.

No iteration judges itself: on pictures that nobody was trained on, a person counts whom tracking supports in any
iteration, if witnesses that training cannot change confirm it (`label_evidence.py`). What only some iteration suspects
is neutral, neither a person to be found nor a mistake to find, unless these witnesses deny it. The criterion is the
supported recall at the anonymizer's operating scores, less a price for unsupported boxes; of detectors that find heads,
too, it is the mean of that of people and that of heads. Tracking thresholds are then lowered where the adapted detector
is cleaner than the one it started from, until it has as many; none is ever raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.settings import CriterionConfig, ThresholdConfig
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import DetectionConfig, TrackingConfig
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.core.records import Column
from or_mv_anon.core.workers import available_cores
from or_mv_anon.models.detectors.families import open_detector
from or_mv_anon.models.detectors.protocol import Detector, Found
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.runtime import Device
from or_mv_anon.models.site_thresholds import ADJUSTED
from or_mv_anon.regions.detecting import people_and_heads

SCORES = np.round(np.arange(0.1, 0.96, 0.01), 2)
STEP = 0.01


@dataclass(frozen=True)
class ReferenceLabels:
    """One held-out picture: `people` (P, 4) with `weight` (P,), `neutral` (N, 4), `denied` (D, 4), in its pixels."""

    people: Boxes
    weight: Column
    neutral: Boxes
    denied: Boxes


def merge_reference_labels(
    iterations: Sequence[Sequence[LabelledImage]], *, least_weight: float, match_iou: float
) -> Mapping[int, ReferenceLabels]:
    """The support in every held-out picture.

    Args:
        iterations: the labels that each iteration gives the same pictures.
        least_weight: of a label that counts as a person.
        match_iou: boxes of two iterations that overlap at least this much are one person.
    """
    found = []
    for image in chain.from_iterable(iterations):
        labels = image.labels
        sure = labels.weight >= least_weight
        denied = labels.evidence <= 0
        fresh = ReferenceLabels(
            labels.box[sure], labels.weight[sure], labels.box[~sure & ~denied], labels.box[~sure & denied]
        )
        found.append((image.number, fresh))
    return _merged(found, match_iou)


def merge_reference_heads(
    iterations: Sequence[Sequence[LabelledImage]], *, least_weight: float, match_iou: float
) -> Mapping[int, ReferenceLabels]:
    """The same of heads, as the `people` of the answer; pictures in which nobody looked for them are left out."""
    found = []
    for image in chain.from_iterable(iterations):
        if (heads := image.heads) is not None:
            sure, nobody = heads.weight >= least_weight, heads.box[:0]
            found.append((image.number, ReferenceLabels(heads.box[sure], heads.weight[sure], heads.box[~sure], nobody)))
    return _merged(found, match_iou)


def _merged(found: Sequence[tuple[int, ReferenceLabels]], match_iou: float) -> dict[int, ReferenceLabels]:
    """By picture."""
    merged: dict[int, ReferenceLabels] = {}
    for number, fresh in found:
        known = merged.get(number)
        merged[number] = fresh if known is None else _joined(known, fresh, match_iou)
    return merged


def _joined(known: ReferenceLabels, fresh: ReferenceLabels, match_iou: float) -> ReferenceLabels:
    new = geometry.iou(fresh.people, known.people).max(axis=1, initial=0) < match_iou
    return ReferenceLabels(
        np.concatenate([known.people, fresh.people[new]]),
        np.concatenate([known.weight, fresh.weight[new]]),
        np.concatenate([known.neutral, fresh.neutral]),
        np.concatenate([known.denied, fresh.denied]),
    )


@dataclass(frozen=True, eq=False)
class DetectorCurves:
    """How one detector does on the held-out pictures, at every score of `SCORES`.

    Attributes:
        recall: share of the supported people who are found, by weight (S,).
        unsupported: boxes per picture that lie on nobody and on no neutral region, or where a person is denied (S,).
        unconfirmed: boxes per picture that lie on nobody, neutral regions included (S,).
        pictures: how many there are.
        criterion: recall less the price of unsupported boxes, mean over the operating scores; where heads are known,
            the mean of that of people and that of heads.
        head_recall: as `recall`, of heads; None from a detector that knows none.
    """

    recall: NDArray[np.float64]
    unsupported: NDArray[np.float64]
    unconfirmed: NDArray[np.float64]
    pictures: int
    criterion: float
    head_recall: NDArray[np.float64] | None = None


def detect_pictures(detector: Detector, pictures: PictureBank) -> dict[int, tuple[Found, Found | None]]:
    """The people and, if it knows them, the heads that `detector` finds in every picture, in its pixels."""
    found = {}
    for number, picture in pictures.pictures.items():
        height, width = picture.shape[:2]
        small = cv2.resize(picture, detector.input_size(width, height), interpolation=cv2.INTER_AREA)
        found[number] = people_and_heads(detector, [np.asarray(small, np.uint8)], size=(width, height))[0]
    return found


def judge_detector(
    found: Mapping[int, Found],
    support: Mapping[int, ReferenceLabels],
    config: CriterionConfig,
    *,
    iou: float | None = None,
) -> DetectorCurves:
    """Compare what a detector found with what is supported, in the pictures of `found`.

    Args:
        found: of people, or of heads.
        support: of the same.
        config: operating scores, and what a mistake costs.
        iou: overlap from which a box has found somebody; None for that of people.
    """
    iou = config.match_iou if iou is None else iou
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
        taken = match(subjects, Candidates(picture=np.zeros(len(boxes)), box=boxes, score=scores), iou=iou)
        person = (taken != NOBODY) & (taken < len(there.people))
        weights.append(there.weight)
        hit.append(np.where(person, np.append(there.weight, 0)[np.where(person, taken, -1)], 0))
        score.append(scores)
        denied = geometry.iou(boxes, there.denied).max(axis=1, initial=0) >= iou
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


class Comparison:
    """The held-out pictures with everything that iterations say about them.

    Args:
        pictures: in memory.
        config: see `criterion`.
        device: for the detectors.
    """

    def __init__(self, pictures: PictureBank, config: CriterionConfig, *, device: Device) -> None:
        self._pictures = pictures
        self._config = config
        self._device: Device = device
        self._labels: list[Sequence[LabelledImage]] = []
        self._found: dict[str, Mapping[int, tuple[Found, Found | None]]] = {}

    @property
    def pictures(self) -> PictureBank:
        """The held-out pictures."""
        return self._pictures

    @property
    def names(self) -> set[str]:
        """The detectors that were run."""
        return set(self._found)

    @property
    def labelled(self) -> int:
        """How many iterations gave their labels."""
        return len(self._labels)

    def add_labels(self, images: Sequence[LabelledImage]) -> None:
        """What one more iteration supports in these pictures."""
        self._labels.append(images)

    def add_detector(self, name: str, network: NetworkFile, detection: DetectionConfig) -> None:
        """Run one more detector at the size of `detection`."""
        detector = open_detector(network, detection, Engine(device=self._device, threads=available_cores()))
        self._found[name] = detect_pictures(detector, self._pictures)

    def curves(self) -> dict[str, DetectorCurves]:
        """Every detector's figures, with the support of all iterations so far."""
        config = self._config
        people = merge_reference_labels(self._labels, least_weight=config.least_weight, match_iou=config.match_iou)
        heads = merge_reference_heads(self._labels, least_weight=config.least_weight, match_iou=config.head_iou)
        return {name: self._curves(found, people, heads) for name, found in self._found.items()}

    def _curves(
        self,
        found: Mapping[int, tuple[Found, Found | None]],
        people: Mapping[int, ReferenceLabels],
        heads: Mapping[int, ReferenceLabels],
    ) -> DetectorCurves:
        of_people = judge_detector({number: each for number, (each, _) in found.items()}, people, self._config)
        looked = {number: each for number, (_, each) in found.items() if each is not None and number in heads}
        if not sum(len(heads[number].people) for number in looked):
            return of_people
        of_heads = judge_detector(looked, heads, self._config, iou=self._config.head_iou)
        both = (of_people.criterion + of_heads.criterion) / 2
        return replace(of_people, criterion=both, head_recall=of_heads.recall)


def best_iteration(curves: Sequence[DetectorCurves], config: CriterionConfig) -> tuple[int, bool]:
    """The best iteration, and whether going on is worth while.

    A later iteration must gain `least_gain` over the best before it.

    Args:
        curves: from the starting detector on.
        config: least gain and patience.
    """
    best = 0
    for number, entry in enumerate(curves):
        if entry.criterion >= curves[best].criterion + config.least_gain:
            best = number
    return best, len(curves) - 1 - best < config.patience


def best_trained(curves: Sequence[DetectorCurves]) -> int:
    """The best iteration without the starting detector; 0 where none was finished."""
    return max(range(1, len(curves)), key=lambda number: curves[number].criterion, default=0)


def room_thresholds(
    start: DetectorCurves, adapted: DetectorCurves, tracking: TrackingConfig, config: ThresholdConfig
) -> Mapping[str, float]:
    """The keys of [tracking] that change, with their values.

    Args:
        start, adapted: curves of the detector before and after.
        tracking: the shipped thresholds.
        config: how far they may be lowered.
    """
    if not config.adjust or adapted.pictures < config.least_pictures:
        return {}
    changed = {}
    for name in ADJUSTED:
        shipped = getattr(tracking, name)
        lowest = max(config.lowest_share * shipped, tracking.low_score, float(SCORES[0]))
        bearable = at_score(start.unconfirmed, shipped)
        tried = np.arange(lowest, shipped, STEP)
        good = [score for score in tried if at_score(adapted.unconfirmed, score) <= bearable]
        if good:
            changed[name] = round(float(min(good)), 2)
    return changed
