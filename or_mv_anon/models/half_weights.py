"""Halves the size of an ONNX file: large weights become 16-bit floats, cast back when the network is used."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LARGE = 1024  # weights with more numbers than this are worth it
HALF = ".half"  # ending of their names


def halve_weights(model: onnx.ModelProto) -> None:
    """Store the large float32 initializers of `model` as float16, in place; arithmetic stays in 32 bits."""
    casts = []
    for weights in model.graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < LARGE:
            continue
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}{HALF}"))
        casts.append(helper.make_node("Cast", [f"{name}{HALF}"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def restore_weights(model: onnx.ModelProto) -> None:
    """Make float32 initializers of halved ones, in place, for whatever reads weights; the lost digits stay lost."""
    halved = {weights.name: weights for weights in model.graph.initializer if weights.name.endswith(HALF)}
    for node in list(model.graph.node):
        if node.op_type == "Cast" and node.input[0] in halved:
            weights = halved[node.input[0]]
            weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights).astype(np.float32), node.output[0]))
            model.graph.node.remove(node)
