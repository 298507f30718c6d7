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

from or_mv_anon.files import write_atomically

Attributes = dict[str, Any]
Operation = Callable[[list[Tensor], Attributes], Tensor]


class TrainableGraph(nn.Module):
    """Runs a graph of convolutions node by node; every floating-point initializer of a convolution is a parameter.

    Export folded the batch normalization into the convolutions, so nothing keeps running statistics.
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
        trained = {name for node in self._nodes if node.op_type == "Conv" for name in node.input[1:]}
        self._names: dict[str, str] = {}  # initializer -> parameter; torch allows no dots in parameter names
        self._constants: dict[str, Tensor] = {}
        for number, tensor in enumerate(model.graph.initializer):
            value = torch.from_numpy(np.array(numpy_helper.to_array(tensor)))
            if tensor.name in trained:
                self._names[tensor.name] = f"weight_{number}"
                self.register_parameter(f"weight_{number}", nn.Parameter(value))
            else:
                self._constants[tensor.name] = value

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """Heads by name for a batch of pictures ``(N, h, w, 3)``, BGR 0-255 of any dtype."""
        values: dict[str, Tensor] = {self._input: picture, **self._constants}
        values |= {name: getattr(self, parameter) for name, parameter in self._names.items()}
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


OPERATIONS: dict[str, Operation] = {
    "Add": lambda inputs, _: inputs[0] + inputs[1],
    "Cast": lambda inputs, _: inputs[0].float(),
    "Conv": _convolution,
    "MaxPool": _pool,
    "Relu": lambda inputs, _: functional.relu(inputs[0]),
    "Resize": _resize,
    "Transpose": lambda inputs, attributes: inputs[0].permute(*attributes["perm"]),
}
