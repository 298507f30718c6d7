"""Rounds a YOLOX to 8-bit integers, which some processors multiply several times faster.

Post-training quantization (Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference"): weights get a scale per channel, and what flows between layers a scale that covers
what was seen on some pictures. Only convolutions compute in integers; the last ones, which give the scores and the
boxes, stay exact.
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.version_converter

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import engines, graphs
from or_mv_anon.models.detectors.dense import fitted_size, letterbox
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.detectors.yolox import PersonDetector

OPSET = 13  # the first with a scale per channel


def in_eight_bits(model: Path, pictures: Sequence[Picture], *, long_side: int) -> bytes:
    """The ONNX graph of a detector in 8-bit integers; `PersonDetector` loads it, too.

    Args:
        model: an ONNX detector that `PersonDetector` loads.
        pictures: to measure scales on, (H, W, 3) BGR, of any size.
        long_side: of the pictures as the detector sees them, px.

    Raises:
        UserError: the model is no detector, or onnxruntime, which rounds it, is not installed.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise UserError("Rounding a detector to 8 bits needs onnxruntime, not installed here: pip install onnxruntime.")
    classes = graphs.classes_with_boxes(graphs.read_onnx(model).graph) or 1
    sizes = [fitted_size(picture.shape[1], picture.shape[0], long_side=long_side) for picture in pictures]
    batches = (
        letterbox([_resized(picture, size)], value=PersonDetector.pad_value)
        for picture, size in zip(pictures, sizes, strict=True)
    )
    return _rounded(graphs.yolox(model, classes=classes), batches)


def some_of(pictures: Sequence[Picture], count: int, *, seed: int) -> list[Picture]:
    """At most `count` of them, drawn, in their order."""
    taken = np.random.default_rng(seed).permutation(len(pictures))[:count]
    return [pictures[number] for number in sorted(taken)]


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
