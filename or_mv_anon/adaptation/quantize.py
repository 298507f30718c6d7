"""Rounds a site's detector to 8-bit integers, and keeps it if it still finds everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from or_mv_anon.adaptation.coco import read_coco
from or_mv_anon.adaptation.selection import (
    ReferenceLabels,
    at_score,
    detect_pictures,
    judge_detector,
    merge_reference_labels,
)
from or_mv_anon.adaptation.settings import CriterionConfig, QuantizationConfig
from or_mv_anon.core.config import DetectionConfig
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.models.detectors.eight_bits import in_eight_bits, some_of
from or_mv_anon.models.detectors.yolox import PersonDetector


def quantize(
    *,
    model: Path,
    pictures: PictureBank,
    held_out: PictureBank,
    labels: Path,
    out: Path,
    detection: DetectionConfig,
    settings: QuantizationConfig,
    criterion: CriterionConfig,
    seed: int = 0,
) -> Path | None:
    """Writes an 8-bit version of a detector.

    Args:
        model: an ONNX detector that `PersonDetector` loads.
        pictures: of the site, to measure scales on.
        held_out: other pictures, to judge on.
        labels: COCO json of the people in `held_out`.
        out: the ONNX file to write; `PersonDetector` loads it, too.
        detection: how the detector is run: its input size above all.
        settings: how much may be lost.
        criterion: operating scores, and when a box has found somebody.
        seed: of the choice of pictures.

    Returns:
        `out`, or None, with nothing written, when more people would be lost than the settings allow.

    Raises:
        UserError: the model is no detector, or onnxruntime, which rounds it, is not installed.
    """
    exact = PersonDetector(model, detection, device="cpu")
    ordered = [pictures[number] for number in sorted(pictures.pictures)]
    data = in_eight_bits(model, some_of(ordered, settings.pictures, seed=seed), long_side=detection.input_long_side)
    trial = out.with_name(f"{out.stem}.trial.onnx")
    write_atomically(trial, lambda part: part.write_bytes(data))
    try:
        rounded = PersonDetector(trial, detection, device="cpu")
        support = merge_reference_labels(
            [read_coco(labels)], least_weight=criterion.least_weight, match_iou=criterion.match_iou
        )
        scores = [detection.min_score, *criterion.scores]
        if lost_recall(exact, rounded, held_out, support, criterion, scores=scores) > settings.most_lost_recall:
            return None
        trial.replace(out)
    finally:
        trial.unlink(missing_ok=True)
    return out


def lost_recall(
    exact: PersonDetector,
    changed: PersonDetector,
    pictures: PictureBank,
    support: Mapping[int, ReferenceLabels],
    criterion: CriterionConfig,
    *,
    scores: Sequence[float],
) -> float:
    """How much less of the supported people `changed` finds, at the one of `scores` where that is most."""
    found = [
        {number: people for number, (people, _) in detect_pictures(one, pictures).items()} for one in (exact, changed)
    ]
    before, after = (judge_detector(each, support, criterion) for each in found)
    return max(at_score(before.recall - after.recall, score) for score in scores)
