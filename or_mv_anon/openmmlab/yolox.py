"""YOLOX as a trainable mmdet model, made from the ONNX export that the product runs.

The export has batch normalization folded into its convolutions, and so has the model: convolutions with a bias and no
normalization. That computes the same, trains faster, and has no running statistics that few pictures could spoil.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import onnx
import torch
from mmengine.config import Config
from torch import Tensor, nn

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.models.graphs import CHANNELS, read_onnx
from or_mv_anon.openmmlab.compatibility import prepare
from or_mv_anon.openmmlab.folded import load_folded

CONFIG = "configs/detector/yolox_tiny.py"
FULL_WIDTH = 64  # channels of the first layer at width 1
DEPTHS = (0.33, 0.67, 1.0, 1.33)  # tiny and small, medium, large, extra large (Ge et al. 2021, section 2.1)
PREDICTOR = "multi_level_conv_{kind}.0.weight"
LEVELS = 3


def build_yolox(path: Path, *, model_config: Mapping[str, Any] | None = None) -> Any:
    """An mmdet YOLOX in training mode, with the weights of the export at `path`.

    It has one class, person, unless `model_config` has a `ClasswiseYOLOXHead` of more. Classes that the export does not
    know begin as persons.

    Args:
        path: a YOLOX export of any width and depth whose class 0 is a person.
        model_config: mmdet's description of the model, by default that of `configs/detector/yolox_tiny.py`. Its width
            and depth are replaced by the export's, its normalization by none.

    Raises:
        UserError: the file is no YOLOX export.
    """
    prepare()
    from mmdet.registry import MODELS

    graph = read_onnx(path).graph
    shipped = Config.fromfile(resource(CONFIG))  # this also registers our own parts of the model
    model = MODELS.build(_resized(model_config or shipped.model, graph, path))
    model.is_init = True  # every weight comes from the export
    predictors = {kind: getattr(model.bbox_head, f"multi_level_conv_{kind}") for kind in CHANNELS}
    for kind, levels in predictors.items():
        rows = _shape(graph, PREDICTOR.format(kind=kind), path)[0]
        for level in range(LEVELS):
            levels[level] = nn.Conv2d(levels[level].in_channels, rows, 1)
    picture = torch.zeros(1, 3, 64, 64)
    load_folded(model, path, lambda: model(picture, mode="tensor"))
    known = predictors["obj"][0].out_channels
    for kind, levels in predictors.items():
        for level in range(LEVELS):
            levels[level] = _for_classes(levels[level], model.bbox_head.num_classes, known, each=CHANNELS[kind])
    model.bbox_head.known_classes = min(known, model.bbox_head.num_classes)
    return model.train()


def _for_classes(predictor: Any, classes: int, known: int, *, each: int) -> nn.Conv2d:
    """The first `classes` of a predictor that has `each` rows per class, of which those beyond `known` begin as 0."""
    rows = [each * (number if number < known else 0) + row for number in range(classes) for row in range(each)]
    chosen = nn.Conv2d(predictor.in_channels, len(rows), 1)
    with torch.no_grad():
        chosen.weight.copy_(predictor.weight[rows])
        cast(Tensor, chosen.bias).copy_(predictor.bias[rows])
    return chosen


def _resized(config: Mapping[str, Any], graph: onnx.GraphProto, path: Path) -> Any:
    """The model's description with the export's width and depth."""
    sized = Config({"model": config}).copy().model
    depth = _depth(graph, path)
    first = next(node for node in graph.node if node.op_type == "Conv")
    channels = _shape(graph, first.input[1], path)[0]
    of_stage = [channels * 4, channels * 8, channels * 16]
    sized.backbone.update(widen_factor=channels / FULL_WIDTH, deepen_factor=depth, norm_cfg=None)
    sized.neck.update(in_channels=of_stage, out_channels=of_stage[0], num_csp_blocks=_blocks(3, depth), norm_cfg=None)
    sized.bbox_head.update(in_channels=of_stage[0], feat_channels=of_stage[0], norm_cfg=None)
    if sized.bbox_head.type != "ClasswiseYOLOXHead":
        sized.bbox_head.num_classes = 1
    return sized


def _depth(graph: onnx.GraphProto, path: Path) -> float:
    found = sum(node.op_type == "Conv" for node in graph.node)
    for depth in DEPTHS:
        if found == _convolutions(depth):
            return depth
    raise UserError(f"{path} is no YOLOX of a published depth: it has {found} convolutions; export it with mmdet.")


def _convolutions(depth: float) -> int:
    """How many convolutions mmdet's YOLOX has: a CSP layer of n blocks has 3 + 2·n."""
    short, long = 3 + 2 * _blocks(3, depth), 3 + 2 * _blocks(9, depth)
    backbone = 1 + 4 + 2 + 2 * short + 2 * long
    neck = 2 + 2 + LEVELS + 4 * short
    return backbone + neck + LEVELS * (2 + 2 + 3)


def _blocks(at_full_depth: int, depth: float) -> int:
    return max(1, round(at_full_depth * depth))


def _shape(graph: onnx.GraphProto, ending: str, path: Path) -> tuple[int, ...]:
    for tensor in graph.initializer:
        if tensor.name.endswith(ending):
            return tuple(tensor.dims)
    raise UserError(f"{path} lacks '{ending}': expected mmdet's ONNX export of a YOLOX.")
