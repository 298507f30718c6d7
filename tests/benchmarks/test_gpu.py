"""The proof that a GPU gives what the CPU gives: it notices what differs, and says where there is no GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks.gpu import Recorded, compare, difference, random_inputs
from or_mv_anon.models import engines

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.sh"


def test_differences_are_shares_of_the_largest_value() -> None:
    wanted = {"out": np.array([[10.0, -200.0]], np.float32)}
    assert difference({"out": np.array([[12.0, -200.0]], np.float32)}, wanted) == pytest.approx(0.01)
    assert difference({"out": np.array([[np.nan, -200.0]], np.float32)}, wanted) == float("inf")
    assert difference({"out": np.zeros((2, 2), np.float32)}, wanted) == float("inf")


def test_inputs_have_the_shapes_that_the_graph_names() -> None:
    graph = doubling(["batch", 3, "height", 8])
    assert random_inputs(graph, batch=5, side=32)["picture"].shape == (5, 3, 32, 8)


@pytest.mark.parametrize(("factor", "equal"), [(2.0, True), (2.01, False)])
def test_a_network_that_computes_something_else_is_not_equal(factor: float, equal: bool) -> None:
    graph = doubling(["batch", 4])
    inputs = random_inputs(graph)
    recorded = Recorded("doubling", graph, [inputs], [{"doubled": inputs["picture"] * factor}])
    found = compare(recorded, "CUDA f32", opened, "CPUExecutionProvider")
    assert (found.equal, found.problem) == (equal, "")
    assert set(found.ms_by_batch) == {1, 4, 16}


def test_a_provider_that_gives_way_to_another_is_told() -> None:
    graph = doubling(["batch", 4])
    found = compare(Recorded("doubling", graph), "CUDA f32", opened, "CUDAExecutionProvider")
    assert found.equal is False
    assert "not on CUDAExecutionProvider" in found.problem


@pytest.mark.skipif(engines.cuda_obstacle() is None, reason="there is CUDA here")
def test_without_cuda_one_line_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [SCRIPT, tmp_path / "gpu.json"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHON": sys.executable},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("no CUDA here: ")
    assert len(done.stdout.splitlines()) == 1
    assert json.loads((tmp_path / "gpu.json").read_text())["cuda"] is False


def doubling(shape: list[Any]) -> bytes:
    """A graph that adds a picture to itself."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("picture", "doubled")]
    node = helper.make_node("Add", ["picture", "picture"], ["doubled"])
    graph = helper.make_graph([node], "doubling", value[:1], value[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def opened(graph: bytes) -> Any:
    return engines.onnxruntime().InferenceSession(graph, providers=["CPUExecutionProvider"])
