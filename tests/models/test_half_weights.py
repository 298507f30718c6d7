"""Halved weights are half as large, and come back as the numbers that they are used as."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from or_mv_anon.models.graphs import read_onnx
from or_mv_anon.models.half_weights import halve_weights

SIDE = 64


def test_readers_of_weights_see_no_difference(tmp_path: Path) -> None:
    large = np.random.default_rng(0).normal(size=(SIDE, SIDE)).astype(np.float32)
    small = np.float32([[1.0001] * SIDE])
    weights = [numpy_helper.from_array(large, "large"), numpy_helper.from_array(small, "small")]
    nodes = [helper.make_node("MatMul", ["x", "large"], ["y"]), helper.make_node("Add", ["y", "small"], ["z"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, SIDE]) for name in ("x", "z")]
    model = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], weights))
    before = model.ByteSize()
    halve_weights(model)
    assert model.ByteSize() < 0.6 * before
    onnx.save(model, tmp_path / "halved.onnx")

    read = read_onnx(tmp_path / "halved.onnx")
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in read.graph.initializer}
    assert found["large"].dtype == np.float32
    np.testing.assert_array_equal(found["large"], large.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(found["small"], small)
    assert [node.op_type for node in read.graph.node] == ["MatMul", "Add"]
