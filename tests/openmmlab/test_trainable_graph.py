"""Weights that leave an ONNX file, train, and go back."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

pytest.importorskip("mmdet")
torch = pytest.importorskip("torch")

from or_mv_anon.models import graphs  # noqa: E402
from or_mv_anon.models.registry import fetch  # noqa: E402
from or_mv_anon.models.runtime import load_model  # noqa: E402
from or_mv_anon.openmmlab.trainable_graph import TrainableGraph  # noqa: E402


def small_graph(*, kind: str = "Relu") -> onnx.ModelProto:
    draw = np.random.default_rng(0)
    weights = {
        "first": draw.normal(size=(4, 3, 3, 3)),
        "bias": draw.normal(size=4),
        "depthwise": draw.normal(size=(4, 1, 3, 3)),
        "factors": np.array([1, 1, 2, 2]),
    }
    nodes = [
        helper.make_node("Cast", ["picture"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "first", "bias"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node(kind, ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["c", "depthwise"], ["d"], group=4, pads=[1, 1, 1, 1]),
        helper.make_node(
            "Resize", ["d", "", "factors"], ["e"], mode="nearest",
            coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        ),
        helper.make_node("Add", ["e", "b"], ["head"]),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("head", TensorProto.FLOAT, ["n", 4, "y", "x"])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def pictures(side: int = 16) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (2, side, side, 3)).astype(np.uint8)


def recognizer_graph() -> onnx.ModelProto:
    """The layers of a face recognizer: normalization that export left in, PReLU, a fully connected layer."""
    draw = np.random.default_rng(3)
    weights = {
        "middle": np.array([127.5]),
        "scale": np.array([1 / 128]),
        "first": draw.normal(size=(4, 3, 3, 3)),
        **{f"norm_{name}": draw.uniform(0.5, 1.5, 4) for name in ("scale", "shift", "mean", "variance")},
        "slope": draw.uniform(0, 0.5, (4, 1, 1)),
        "matrix": draw.normal(size=(5, 4 * 8 * 8)) / 16,
        "offset": draw.normal(size=5),
    }
    nodes = [
        helper.make_node("Sub", ["data", "middle"], ["a"]),
        helper.make_node("Mul", ["a", "scale"], ["b"]),
        helper.make_node("Conv", ["b", "first"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization",
            ["c", *(f"norm_{name}" for name in ("scale", "shift", "mean", "variance"))],
            ["d"],
            epsilon=1e-3,
        ),
        helper.make_node("PRelu", ["d", "slope"], ["e"]),
        helper.make_node("Dropout", ["e"], ["f"]),
        helper.make_node("Flatten", ["f"], ["g"]),
        helper.make_node("Gemm", ["g", "matrix", "offset"], ["embedding"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "recognizer",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, ["n", 3, 16, 16])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 5])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def test_a_recognizer_gives_what_the_runtime_gives_and_all_of_it_trains() -> None:
    content = recognizer_graph().SerializeToString()
    data = np.random.default_rng(4).uniform(0, 255, (2, 3, 16, 16)).astype(np.float32)
    module = TrainableGraph(content)
    found = module(torch.from_numpy(data))["embedding"]
    expected = load_model(content, precision="f32").infer(data)["embedding"]
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-3)
    found.sum().backward()
    assert len(list(module.parameters())) == 6  # kernel, normalization's scale and shift, slope, matrix, offset
    assert all(parameter.grad.abs().sum() > 0 for parameter in module.parameters())


def test_the_module_gives_what_the_runtime_gives() -> None:
    content = small_graph().SerializeToString()
    expected = load_model(content, precision="f32")
    module = TrainableGraph(content)
    found = module(torch.from_numpy(pictures()))["head"].detach().numpy()
    np.testing.assert_allclose(found, expected.infer(pictures())["head"], rtol=1e-4, atol=1e-3)


def test_trained_weights_go_back_into_the_file(tmp_path: Path) -> None:
    original = tmp_path / "small.onnx"
    original.write_bytes(small_graph().SerializeToString())
    module = TrainableGraph(original.read_bytes())
    before = module(torch.from_numpy(pictures()))["head"]
    before.pow(2).mean().backward()
    assert all(parameter.grad is not None for parameter in module.parameters())
    with torch.no_grad():
        for parameter in module.parameters():
            parameter -= 0.001 * parameter.grad
    trained = tmp_path / "trained.onnx"
    module.write(original, trained)
    expected = module(torch.from_numpy(pictures()))["head"].detach().numpy()
    found = load_model(trained, precision="f32").infer(pictures())["head"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    assert np.abs(found - before.detach().numpy()).max() > 1e-3


def test_an_unknown_node_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="Tanh"):
        TrainableGraph(small_graph(kind="Tanh").SerializeToString())


@pytest.mark.sample
def test_the_face_detector_trains() -> None:
    content = graphs.yunet(fetch("yunet-2023mar"))
    expected = load_model(content, precision="f32").infer(pictures(64))
    found = TrainableGraph(content)(torch.from_numpy(pictures(64)))
    assert found.keys() == expected.keys()
    for name, value in found.items():
        np.testing.assert_allclose(value.detach().numpy(), expected[name], atol=1e-3)
