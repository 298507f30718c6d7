"""A small convolutional ONNX graph as a torch module whose weights train and go back into the file they came from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from or_mv_anon.core.files import write_atomically

Attributes = dict[str, Any]
Operation = Callable[[list[Tensor], Attributes], Tensor]


class TrainableGraph(nn.Module):
    """Runs a convolutional graph node by node; the weights of its layers (`TRAINED`) are parameters.

    Batch normalization that export left in the graph keeps its running statistics as they are: only its scale and
    shift train, which suits the small batches of fine-tuning.
    """

    def __init__(self, graph: bytes) -> None:
        """Takes a prepared graph, such as `models.graphs.yunet` returns.

        Raises:
            NotImplementedError: the graph holds a node that is not known here.
        """
        super().__init__()
        model = onnx.load_from_string(graph)
        self._nodes = list(model.graph.node)
        unknown = sorted({node.op_type for node in self._nodes} - set(OPERATIONS))
        if unknown:
            raise NotImplementedError(f"cannot train a graph with the nodes {', '.join(unknown)}")
        self._input = model.graph.input[0].name
        self._outputs = [output.name for output in model.graph.output]
        trained = {name for node in self._nodes for name in node.input[TRAINED.get(node.op_type, slice(0))]}
        self._names: dict[str, str] = {}  # initializer -> parameter; torch allows no dots in parameter names
        self._constants: dict[str, str] = {}  # initializer -> buffer
        for number, tensor in enumerate(model.graph.initializer):
            value = torch.from_numpy(np.array(numpy_helper.to_array(tensor)))
            if tensor.name in trained:
                self._names[tensor.name] = f"weight_{number}"
                self.register_parameter(f"weight_{number}", nn.Parameter(value))
            else:
                self._constants[tensor.name] = f"constant_{number}"
                self.register_buffer(f"constant_{number}", value, persistent=False)

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """Outputs by name for a batch as the graph's input takes it, such as BGR pictures ``(N, h, w, 3)``."""
        values: dict[str, Tensor] = {self._input: picture}
        values |= {name: getattr(self, held) for name, held in (self._constants | self._names).items()}
        for node in self._nodes:
            attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
            inputs = [values[name] for name in node.input if name in values]
            values[node.output[0]] = OPERATIONS[node.op_type](inputs, attributes)
        return {name: values[name] for name in self._outputs}

    def write(self, original: Path, path: Path) -> None:
        """Write the file `original` with these weights to `path`.

        Raises:
            UserError: `path` cannot be written.
        """
        model = onnx.load(original)
        for tensor in model.graph.initializer:
            if tensor.name in self._names:
                value = getattr(self, self._names[tensor.name]).detach().cpu().numpy()
                tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float32), tensor.name))
        write_atomically(path, lambda part: part.write_bytes(model.SerializeToString()))


def _convolution(inputs: list[Tensor], attributes: Attributes) -> Tensor:
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    if (top, left) != (bottom, right):
        raise NotImplementedError("cannot train a convolution that is padded unevenly")
    bias = inputs[2] if len(inputs) > 2 else None
    return functional.conv2d(
        inputs[0], inputs[1], bias, stride=tuple(attributes.get("strides", (1, 1))), padding=(top, left),
        dilation=tuple(attributes.get("dilations", (1, 1))), groups=attributes.get("group", 1),
    )  # fmt: skip


def _pool(inputs: list[Tensor], attributes: Attributes) -> Tensor:
    return functional.max_pool2d(inputs[0], attributes["kernel_shape"], stride=attributes["strides"])


def _resize(inputs: list[Tensor], attributes: Attributes) -> Tensor:
    if attributes.get("mode") != b"nearest":
        raise NotImplementedError("cannot train a graph that enlarges other than by repeating")
    factors = inputs[-1].tolist()
    return functional.interpolate(inputs[0], scale_factor=(factors[2], factors[3]), mode="nearest")


def _normalization(inputs: list[Tensor], attributes: Attributes) -> Tensor:
    scale, shift, mean, variance = inputs[1:]
    return functional.batch_norm(inputs[0], mean, variance, scale, shift, eps=attributes.get("epsilon", 1e-5))


def _matrix(inputs: list[Tensor], attributes: Attributes) -> Tensor:
    factors = {attributes.get("alpha", 1.0), attributes.get("beta", 1.0)}
    if attributes.get("transA", 0) or not attributes.get("transB", 0) or factors != {1.0}:
        raise NotImplementedError("cannot train a matrix product other than of rows with a transposed weight")
    return functional.linear(*inputs)


TRAINED = {"BatchNormalization": slice(1, 3), "Conv": slice(1, None), "Gemm": slice(1, None), "PRelu": slice(1, None)}
OPERATIONS: dict[str, Operation] = {
    "Add": lambda inputs, _: inputs[0] + inputs[1],
    "BatchNormalization": _normalization,
    "Cast": lambda inputs, _: inputs[0].float(),
    "Conv": _convolution,
    "Dropout": lambda inputs, _: inputs[0],
    "Flatten": lambda inputs, _: inputs[0].flatten(1),
    "Gemm": _matrix,
    "MaxPool": _pool,
    "Mul": lambda inputs, _: inputs[0] * inputs[1],
    "PRelu": lambda inputs, _: functional.prelu(inputs[0], inputs[1].flatten()),
    "Relu": lambda inputs, _: functional.relu(inputs[0]),
    "Resize": _resize,
    "Sub": lambda inputs, _: inputs[0] - inputs[1],
    "Transpose": lambda inputs, attributes: inputs[0].permute(*attributes["perm"]),
}
