"""Writes a trained YOLOX as the ONNX file that the anonymizer runs."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from or_mv_anon.core.files import write_atomically
from or_mv_anon.models import graphs
from or_mv_anon.models.graphs import CHANNELS, STRIDES
from or_mv_anon.models.runtime import load_model

HEADS = [f"{kind}_{stride}" for kind in CHANNELS for stride in STRIDES]
TOLERANCE = 1e-2  # largest difference of a logit or a coordinate in strides


def export_yolox(model: Any, path: Path) -> None:
    """Writes `model`, an mmdet YOLOX of any width, for `models.detectors.yolox`; pictures may have any size.

    Raises:
        RuntimeError: the written network disagrees with torch; nothing is left at `path`.
        UserError: `path` cannot be written.
    """
    network = _Tensors(model).cpu().float().eval()
    buffer = io.BytesIO()
    names = ["input", *HEADS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the newer exporter needs further packages, and the tracer warns of shapes
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, 64, 96),),
            buffer,  # type: ignore[arg-type]  # it takes a file object, too
            dynamo=False,
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes={name: {0: "batch", 2: f"{name}_height", 3: f"{name}_width"} for name in names},
        )
    write_atomically(path, lambda part: _write_checked(network, buffer.getvalue(), part))


def _write_checked(network: _Tensors, data: bytes, path: Path) -> None:
    model = _with_own_weights(onnx.load_from_string(data))
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    pictures = np.random.default_rng(0).integers(0, 256, (2, 96, 64, 3), np.uint8)
    found = load_model(graphs.yolox(path, classes=network.classes), device="cpu", precision="f32").infer(pictures)
    with torch.no_grad():
        expected = network(torch.from_numpy(pictures.transpose(0, 3, 1, 2)).float())
    difference = max(
        float(np.abs(found[name] - value.numpy()).max()) for name, value in zip(HEADS, expected, strict=True)
    )
    if not difference <= TOLERANCE:
        raise RuntimeError(f"the exported detector differs from torch by {difference:.4f}")


def _with_own_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The exporter lets layers share weights that happen to be equal; every layer gets its own again."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in list(model.graph.node):
        if node.op_type == "Identity" and node.input[0] in weights:
            copied = model.graph.initializer.add()
            copied.CopyFrom(weights[node.input[0]])
            copied.name = node.output[0]
            model.graph.node.remove(node)
    return model


class _Tensors(nn.Module):
    """The detector without its data structures: a picture 0-255 BGR in, the nine maps out."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.backbone, self.neck, self.bbox_head = model.backbone, model.neck, model.bbox_head
        self.classes: int = model.bbox_head.multi_level_conv_obj[0].out_channels  # that have boxes

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        cls, reg, obj = self.bbox_head(self.neck(self.backbone(pictures)))
        return (*cls, *reg, *obj)
