"""A network of three numbers for tests: pictures that are more blue than red are outside the body."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from or_mv_anon.endoscopy.borders import INPUT_SIZE


def write_tiny_network(
    path: Path, *, temperature: str | None = "1.0", gain: float = 8.0, output: str = "logit"
) -> Path:
    """Writes an ONNX file whose logit is `gain` × (mean blue - mean red) of the prepared picture."""
    weights = [
        numpy_helper.from_array(np.array([[-gain], [0.0], [gain]], np.float32), "weight"),
        numpy_helper.from_array(np.zeros(1, np.float32), "bias"),
    ]
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight", "bias"], [output]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, INPUT_SIZE, INPUT_SIZE])
    logit = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", 1])
    graph = helper.make_graph(nodes, "tiny", [image], [logit], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    if temperature is not None:
        helper.set_model_props(model, {"temperature": temperature})
    onnx.save(model, path)
    return path
