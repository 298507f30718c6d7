"""Builds an ONNX graph layer by layer from a PyTorch state dict, batch normalization folded into the convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from or_mv_anon.models.graphs import POSE_MEAN as IMAGENET_MEAN
from or_mv_anon.models.graphs import POSE_STD as IMAGENET_STD

NORM_EPSILON = 1e-5  # PyTorch's default
OPSET, IR_VERSION = 13, 8

Weights = dict[str, NDArray[Any]]


class GraphBuilder:
    """Nodes and tensors so far; every method adds some and returns the name of its result."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: dict[str, TensorProto] = {}
        self._size: list[str | int] = []

    def knows(self, name: str) -> bool:
        return name in self._weights

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        result = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [result], **attributes))
        return result

    def picture(self, *, width: int, height: int) -> str:
        """The input, uint8 BGR, normalized; colours stay in their order until the first convolution."""
        self._size = ["batch", height, width, 3]
        mean, std = (np.array(values[::-1], np.float32) for values in (IMAGENET_MEAN, IMAGENET_STD))
        numbers = self.node("Cast", ["picture"], to=TensorProto.FLOAT)
        centred = self.node("Sub", [numbers, self._tensor("mean", mean)])
        return self.node("Transpose", [self.node("Div", [centred, self._tensor("std", std)])], perm=[0, 3, 1, 2])

    def relu(self, source: str) -> str:
        return self.node("Relu", [source])

    def pool(self, kind: str, source: str, *, side: int, stride: int, pad: int = 0) -> str:
        return self.node(kind, [source], kernel_shape=[side] * 2, strides=[stride] * 2, pads=[pad] * 4)

    def convolution(self, source: str, name: str, *, stride: int = 1, of_bgr: bool = False) -> str:
        """A convolution and its normalization; with `of_bgr` the first one, whose weights are for RGB."""
        weight, bias = self._folded(self._weights[f"{name}.conv.weight"], f"{name}.bn")
        if of_bgr:
            weight = weight[:, ::-1]
        return self._convolve(source, name, weight, bias, stride=stride)

    def light_convolution(self, source: str, name: str) -> str:
        """Lite 3 × 3: 1 × 1 across channels, then 3 × 3 within each."""
        mixed = self._convolve(source, f"{name}.conv1", self._weights[f"{name}.conv1.weight"])
        weight, bias = self._folded(self._weights[f"{name}.conv2.weight"], f"{name}.bn")
        return self._convolve(mixed, f"{name}.conv2", weight, bias, groups=len(weight))

    def biased_convolution(self, source: str, name: str) -> str:
        return self._convolve(source, name, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def linear(self, source: str, name: str, norm: str) -> str:
        weight, bias = self._folded(self._weights[f"{name}.weight"], norm, bias=self._weights[f"{name}.bias"])
        tensors = [self._tensor(f"{name}.weight", weight), self._tensor(f"{name}.bias", bias)]
        return self.node("Gemm", [source, *tensors], transB=1)

    def finish(self, result: str) -> bytes:
        """The graph from `picture` to `embedding`."""
        self._nodes.append(helper.make_node("Identity", [result], ["embedding"]))
        picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, self._size)
        embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", "features"])
        graph = helper.make_graph(self._nodes, "osnet", [picture], [embedding], list(self._tensors.values()))
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION).SerializeToString()

    def _convolve(
        self,
        source: str,
        name: str,
        weight: NDArray[Any],
        bias: NDArray[Any] | None = None,
        *,
        stride: int = 1,
        groups: int = 1,
    ) -> str:
        inputs = [source, self._tensor(f"{name}.weight", weight)]
        if bias is not None:
            inputs.append(self._tensor(f"{name}.bias", bias))
        pad = weight.shape[-1] // 2
        return self.node("Conv", inputs, strides=[stride] * 2, pads=[pad] * 4, group=groups)

    def _folded(
        self, weight: NDArray[Any], norm: str, *, bias: NDArray[Any] | float = 0.0
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        names = ("weight", "bias", "running_mean", "running_var")
        scale, shift, mean, variance = (self._weights[f"{norm}.{name}"].astype(np.float64) for name in names)
        factor = scale / np.sqrt(variance + NORM_EPSILON)
        by_output = factor.reshape(-1, *[1] * (weight.ndim - 1))
        return (weight * by_output).astype(np.float32), (shift + (bias - mean) * factor).astype(np.float32)

    def _tensor(self, name: str, values: NDArray[Any]) -> str:
        if name not in self._tensors:  # the four streams of a block share one gate
            self._tensors[name] = numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name)
        return name
