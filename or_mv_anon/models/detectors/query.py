"""End-to-end detectors: DETR's descendants, whose queries each give one box and one score per class, without NMS.

Three layouts of ONNX exports are read, told apart by the names of their outputs:

- ``dets (1, Q, 4)``, ``labels (1, Q, C)``: RF-DETR; boxes as centre and sides in shares of the picture, class logits;
- ``pred_boxes`` or ``boxes (1, Q, 4)``, ``logits (1, Q, C)``: the others without their post-processor, likewise;
- ``labels (1, Q)``, ``boxes (1, Q, 4)``, ``scores (1, Q)``: D-FINE, DEIM and RT-DETR with it; corners in pixels of the
  size that the input ``orig_target_sizes`` gives.

Pictures are stretched to the export's fixed size, as these networks were trained. What a file does not follow of the
usual conventions it may state as ONNX metadata: ``person_class`` (a number) and ``normalization`` (imagenet | unit).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.detectors.dense import sigmoid
from or_mv_anon.models.detectors.protocol import Found, Picture, Thresholds
from or_mv_anon.models.graphs import read_onnx, with_picture_input
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.runtime import Model, Tensors, load_model

LAYOUTS_IN_WORDS = "dets and labels; logits and boxes; or labels, boxes and scores"
USUAL_SIDE = 640  # px, where an export leaves its size open
SPARSE_COCO = 91  # classes of exports that keep COCO's own numbers, in which a person is 1
WITH_NOTHING = 92  # classes of the first DETR: a softmax with a class for nothing, which is another score
PIXEL = 255.0
NORMALIZATIONS = {  # mean and standard deviation of red, green and blue, in shares of full brightness
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


@dataclass(frozen=True)
class Layout:
    """How an export says what it found.

    Attributes:
        outputs: our name -> the export's.
        normalization: of the pixels, a key of `NORMALIZATIONS`, unless the file says otherwise.
    """

    outputs: dict[str, str]
    normalization: str

    @property
    def finished(self) -> bool:
        """Whether the export's own post-processor already chose one class per query."""
        return "scores" in self.outputs


@dataclass(frozen=True)
class QueryGraph:
    """An export made ready: its bytes, and what is needed to read its answers.

    Attributes:
        graph: takes ``picture (1, height, width, 3)`` uint8 BGR.
        size: ``(width, height)`` in pixels.
        person: number of the class.
        layout: of its outputs.
    """

    graph: bytes
    size: tuple[int, int]
    person: int
    layout: Layout


def is_query_graph(outputs: Sequence[str]) -> bool:
    """Whether outputs of these names are those of an end-to-end detector."""
    return _layout(outputs) is not None


def prepare(path: Path) -> QueryGraph:
    """Read an export.

    Raises:
        UserError: it is no ONNX file, of another layout, or of a form whose scores would be misread.
    """
    model = read_onnx(path)
    layout = _layout([output.name for output in model.graph.output])
    if layout is None:
        raise UserError(f"{path} is no end-to-end detector; expected the outputs {LAYOUTS_IN_WORDS}.")
    size = _fixed_size(model)
    _fill_target_size(model, size)
    stated = {entry.key: entry.value for entry in model.metadata_props}
    normalization = stated.get("normalization", layout.normalization)
    if normalization not in NORMALIZATIONS:
        raise UserError(
            f"{path} states the normalization '{normalization}'; expected one of {', '.join(NORMALIZATIONS)}."
        )
    mean, std = (np.array(values, np.float32) * PIXEL for values in NORMALIZATIONS[normalization])
    return QueryGraph(
        graph=with_picture_input(
            model, {name: name for name in layout.outputs.values()}, mean=mean, std=std, rgb=True, size=size
        ),
        size=size,
        person=_person_class(model, layout, stated, path),
        layout=layout,
    )


class QueryDetector:
    """Finds people with an end-to-end detector; see `protocol.Detector`."""

    def __init__(self, model: Path, config: Thresholds, engine: Engine | None = None) -> None:
        engine = engine or Engine()
        self._facts = prepare(model)
        self._config = config
        self._model: Model = load_model(
            self._facts.graph,
            device=engine.device,
            precision=engine.precision,
            threads=engine.threads,
            fixed_shapes=1,
        )

    @property
    def provider(self) -> str:
        """See `protocol.Detector`."""
        return self._model.provider

    @property
    def on_cpu(self) -> bool:
        """Whether the processor computes it."""
        return self._model.on_cpu

    def with_settings(self, config: Thresholds) -> Self:
        """See `protocol.Detector`; the input size is the export's own."""
        other = copy.copy(self)
        other._config = config
        return other

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """See `protocol.Detector`: the export's own size, whatever the frame's shape."""
        return self._facts.size

    def detect(self, pictures: Sequence[Picture], *, size: tuple[int, int]) -> list[Found]:
        """See `protocol.Detector`."""
        return [self._select(self._model.infer(picture[None]), size) for picture in pictures]

    def _select(self, outputs: Tensors, size: tuple[int, int]) -> Found:
        layout = self._facts.layout
        named = {ours: outputs[theirs][0] for ours, theirs in layout.outputs.items()}
        boxes, scores = self._finished(named) if layout.finished else self._raw(named)
        if not np.isfinite(scores).all() or not np.isfinite(boxes).all():
            raise FloatingPointError("the detector gave values that are no numbers; nothing is known about this frame")
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] >= self._config.min_score]
        frame = np.array([*size, *size], np.float32)
        return geometry.clip(boxes[order] * frame, width=size[0], height=size[1]), scores[order]

    def _raw(self, outputs: Tensors) -> Found:
        """Boxes in shares of the picture and scores, from centres, sides and logits."""
        centre, sides = outputs["boxes"][:, :2], outputs["boxes"][:, 2:]
        boxes = np.concatenate([centre - sides / 2, centre + sides / 2], axis=1).astype(np.float32)
        return boxes, sigmoid(outputs["logits"][:, self._facts.person])

    def _finished(self, outputs: Tensors) -> Found:
        """The same from what the export's post-processor chose."""
        people = outputs["labels"].astype(int) == self._facts.person
        own: Boxes = outputs["boxes"][people].astype(np.float32) / np.array([*self._facts.size] * 2, np.float32)
        scores: NDArray[np.float32] = outputs["scores"][people].astype(np.float32)
        return own, scores


def open_file(file: NetworkFile, config: Thresholds, engine: Engine) -> QueryDetector:
    """The detector in an ONNX export; see `families.open_detector`."""
    return QueryDetector(file.path, config, engine)


def _layout(names: Sequence[str]) -> Layout | None:
    present = set(names)
    if {"dets", "labels"} <= present:
        return Layout({"boxes": "dets", "logits": "labels"}, "imagenet")
    if "logits" in present and present & {"pred_boxes", "boxes"}:
        return Layout({"boxes": "pred_boxes" if "pred_boxes" in present else "boxes", "logits": "logits"}, "unit")
    if {"labels", "boxes", "scores"} <= present:
        return Layout({name: name for name in ("labels", "boxes", "scores")}, "unit")
    return None


def _fixed_size(model: onnx.ModelProto) -> tuple[int, int]:
    """Width and height in pixels that the export was made for."""
    value = next(value for value in model.graph.input if len(value.type.tensor_type.shape.dim) == len("NCHW"))
    height, width = (dimension.dim_value or USUAL_SIDE for dimension in value.type.tensor_type.shape.dim[2:4])
    return width, height


def _fill_target_size(model: onnx.ModelProto, size: tuple[int, int]) -> None:
    """Make the post-processor's second input a constant: its boxes then are in pixels of the network's own input."""
    name = "orig_target_sizes"
    value = next((value for value in model.graph.input if value.name == name), None)
    if value is not None:
        kind = np.float32 if value.type.tensor_type.elem_type == TensorProto.FLOAT else np.int64
        model.graph.initializer.append(numpy_helper.from_array(np.array([size], kind), name))


def _person_class(model: onnx.ModelProto, layout: Layout, stated: dict[str, str], path: Path) -> int:
    if "person_class" in stated:
        return int(stated["person_class"])
    if layout.finished:
        return 0
    logits = next(output for output in model.graph.output if output.name == layout.outputs["logits"])
    classes = logits.type.tensor_type.shape.dim[-1].dim_value
    if classes == WITH_NOTHING:
        raise UserError(
            f"{path} scores {classes} classes by a softmax that includes 'nothing'; expected an export whose classes "
            "are scored one by one (RF-DETR, RT-DETR, D-FINE, DEIM)."
        )
    return 1 if classes == SPARSE_COCO else 0
