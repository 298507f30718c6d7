"""Graph surgery keeps the numbers and frees the size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import graphs
from tests.models.reference_inputs import generated_picture
from tests.models.tiny_networks import TINY_SIDE, write_tiny_yolox


def run(graph: bytes, name: str, value: np.ndarray) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, {name: value}), strict=True))


def test_yolox_gives_the_original_heads_with_the_first_class_alone(tmp_path: Path) -> None:
    path = write_tiny_yolox(tmp_path / "tiny.onnx")
    picture = generated_picture(TINY_SIDE, TINY_SIDE)
    original = run(path.read_bytes(), "input", picture.transpose(2, 0, 1)[None].astype(np.float32))
    derived_graph = graphs.yolox(path)
    onnx.checker.check_model(derived_graph)
    derived = run(derived_graph, "picture", picture[None])
    for level, stride in enumerate((8, 16, 32)):
        np.testing.assert_allclose(derived[f"cls_{stride}"], original[f"cls_{level}"][:, :1], atol=1e-3)
        np.testing.assert_allclose(derived[f"reg_{stride}"], original[f"reg_{level}"], atol=1e-3)
        np.testing.assert_allclose(derived[f"obj_{stride}"], original[f"obj_{level}"], atol=1e-3)


def test_yolox_takes_other_sizes_and_batches(tmp_path: Path) -> None:
    graph = graphs.yolox(write_tiny_yolox(tmp_path / "tiny.onnx"))
    pictures = np.stack([generated_picture(96, 160), generated_picture(96, 160)[::-1]])
    together = run(graph, "picture", pictures)
    alone = run(graph, "picture", pictures[1:])
    assert together["reg_8"].shape == (2, 4, 20, 12)
    assert together["cls_32"].shape == (2, 1, 5, 3)
    np.testing.assert_allclose(together["obj_16"][1], alone["obj_16"][0], atol=1e-4)


@pytest.mark.parametrize("surgery", [graphs.yolox, graphs.yunet, graphs.rtmpose])
def test_other_files_are_refused(tmp_path: Path, surgery) -> None:
    missing = tmp_path / "missing.onnx"
    with pytest.raises(UserError, match="Cannot read the model"):
        surgery(missing)
    text = tmp_path / "text.onnx"
    text.write_text("this is no model, but a line of text")
    with pytest.raises(UserError, match="not an ONNX model"):
        surgery(text)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = write_tiny_yolox(tmp_path / "tiny.onnx")
    with pytest.raises(UserError, match="lacks the head convolution"):
        graphs.yunet(path)
    with pytest.raises(UserError, match="no RTMPose export"):
        graphs.rtmpose(path)
