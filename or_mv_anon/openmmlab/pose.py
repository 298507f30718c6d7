"""RTMPose between its two forms: the ONNX file that runs everywhere and mmpose's module that can be trained."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from mmengine.config import Config
from onnx import numpy_helper
from torch import Tensor, nn

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.resources import resource
from or_mv_anon.models.pose import CROP_HEIGHT, CROP_WIDTH
from or_mv_anon.models.runtime import load_model
from or_mv_anon.openmmlab.compatibility import prepare
from or_mv_anon.openmmlab.folded import load_folded

CONFIG = "configs/pose/rtmpose_s.py"
TOLERANCE = 1e-3  # largest difference of a SimCC value, which lie between 0 and about 1


def pose_config() -> Config:
    """The shipped mmengine configuration of the pose model."""
    return Config.fromfile(resource(CONFIG))


def build_rtmpose(path: Path) -> Any:
    """mmpose's estimator, in training mode with a frozen backbone, with the weights of the export at `path`.

    Raises:
        UserError: the file is no RTMPose-s 256 × 192 for Halpe-26.
    """
    prepare()
    from mmpose.registry import MODELS
    from mmpose.utils import register_all_modules

    register_all_modules()
    model = MODELS.build(pose_config().model)
    model.init_weights()  # now, or the runner would do it later
    crop = torch.zeros(1, 3, CROP_HEIGHT, CROP_WIDTH)
    load_folded(model, path, lambda: model(crop, None, mode="tensor"))
    gamma = model.head.gau.gamma
    with torch.no_grad():
        gamma.copy_(torch.from_numpy(_gamma(path)).reshape(gamma.shape))
    return model.train()


def export_rtmpose(model: Any, path: Path) -> None:
    """Writes `model` as the ONNX file that `models.pose.PoseEstimator` loads.

    Raises:
        RuntimeError: the exported network disagrees with torch; nothing is written.
    """
    network = _Tensors(model).eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the newer exporter needs further packages, and the tracer warns of shapes
        torch.onnx.export(
            network,
            (torch.zeros(2, 3, CROP_HEIGHT, CROP_WIDTH),),
            buffer,  # type: ignore[arg-type]  # it takes a file object, too
            dynamo=False,
            input_names=["input"],
            output_names=["simcc_x", "simcc_y"],
            dynamic_axes={name: {0: "batch"} for name in ("input", "simcc_x", "simcc_y")},
        )
    difference = _disagreement(network, buffer.getvalue())
    if difference > TOLERANCE:
        raise RuntimeError(f"the exported pose model differs from torch by {difference:.4f}")
    write_atomically(path, lambda part: part.write_bytes(buffer.getvalue()))


def scale_scores(model: Any, factor: float) -> None:
    """Multiplies every score of `model`, in place; where the points lie does not change."""
    with torch.no_grad():
        for layer in (model.head.cls_x, model.head.cls_y):  # linear, without bias
            layer.weight.mul_(factor)


class _Tensors(nn.Module):
    """The estimator without its data structures: a normalized crop in, the two SimCC outputs out.

    Its parts keep their names, so that `build_rtmpose` reads what is exported from here.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.backbone, self.head = model.backbone, model.head

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        x, y = self.head(self.backbone(crops))
        return x, y


def _disagreement(network: nn.Module, data: bytes) -> float:
    crops = np.random.default_rng(0).normal(size=(3, 3, CROP_HEIGHT, CROP_WIDTH)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(crops))
    found = load_model(data, device="cpu", precision="f32").infer(crops)
    return max(
        float(np.abs(found[name] - value.numpy()).max())
        for name, value in zip(("simcc_x", "simcc_y"), expected, strict=True)
    )


def _gamma(path: Path) -> np.ndarray[Any, Any]:
    """The gated attention's `gamma`, which exports rename: the factor of what `head.gau.beta` is added to."""
    graph = onnx.load(path).graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    made_by = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        if node.op_type == "Add" and any(name.endswith("head.gau.beta") for name in node.input):
            product = next(made_by[name] for name in node.input if name in made_by)
            return np.array(next(numpy_helper.to_array(weights[name]) for name in product.input if name in weights))
    raise UserError(f"{path} has no gated attention unit: it is no RTMPose.")
