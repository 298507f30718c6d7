"""Rounds a detector to 8-bit integers, which processors multiply several times faster, and keeps it if it still finds
everybody.

Post-training quantization (Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference"): weights get a scale per channel, and what flows between layers a scale that covers
what was seen on pictures of the site. Only convolutions compute in integers; the last ones, which give the scores and
the boxes, stay exact.
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.version_converter

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
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.pictures import Picture, PictureBank
from or_mv_anon.models import engines, graphs
from or_mv_anon.models.detectors.dense import letterbox
from or_mv_anon.models.detectors.yolox import PersonDetector

OPSET = 13  # the first with a scale per channel


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
    if importlib.util.find_spec("onnxruntime") is None:
        raise UserError("Rounding a detector to 8 bits needs onnxruntime, not installed here: pip install onnxruntime.")
    exact = PersonDetector(model, detection, device="cpu")
    chosen = _choose(pictures, settings.pictures, seed=seed)
    sizes = [exact.input_size(picture.shape[1], picture.shape[0]) for picture in chosen]
    data = _rounded(
        graphs.yolox(model, classes=graphs.classes_with_boxes(graphs.read_onnx(model).graph) or 1),
        (
            letterbox([_resized(picture, size)], value=PersonDetector.pad_value)
            for picture, size in zip(chosen, sizes, strict=True)
        ),
    )
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


def _choose(pictures: PictureBank, count: int, *, seed: int) -> list[Picture]:
    numbers = sorted(pictures.pictures)
    taken = np.random.default_rng(seed).permutation(len(numbers))[:count]
    return [pictures[numbers[i]] for i in sorted(taken)]


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _rounded(graph: bytes, batches: Iterator[Picture]) -> bytes:
    engines.onnxruntime()
    from onnxruntime import quantization

    model = onnx.load_from_string(graph)
    if model.opset_import[0].version < OPSET:
        model = onnx.version_converter.convert_version(model, OPSET)
    heads = {output.name for output in model.graph.output}
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{number}"
    exact = [node.name for node in model.graph.node if heads.intersection(node.output)]

    class Reader(quantization.CalibrationDataReader):
        def get_next(self) -> dict[str, Picture] | None:
            batch = next(batches, None)
            return None if batch is None else {"picture": batch}

    with _without_advice(), tempfile.TemporaryDirectory() as folder:  # for graphs; the pictures stay in memory
        source, target = Path(folder) / "exact.onnx", Path(folder) / "rounded.onnx"
        onnx.save(model, source)
        quantization.quantize_static(
            source,
            target,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=exact,
            extra_options={"OpTypesToExcludeOutputQuantization": ["Conv"]},
        )
        return target.read_bytes()


@contextmanager
def _without_advice() -> Iterator[None]:
    """Silences onnxruntime's advice to optimize the graph first, which OpenVINO does itself."""

    def other(record: logging.LogRecord) -> bool:
        return "pre-processing" not in record.getMessage()

    logger = logging.getLogger()
    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)
