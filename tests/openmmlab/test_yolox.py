"""The trainable YOLOX computes what the export computes, there and back."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mmdet")
import torch

from or_mv_anon.core.config import DetectionConfig, load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.models import graphs
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.models.runtime import load_model
from or_mv_anon.openmmlab.export import HEADS, export_yolox
from or_mv_anon.openmmlab.yolox import build_yolox
from tests.openmmlab import toy


def tensors(model, picture):
    model.eval()
    with torch.no_grad():
        maps = model(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()).float(), mode="tensor")
    return dict(zip(HEADS, (part.numpy() for kind in maps for part in kind), strict=True))


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    path = tmp_path_factory.mktemp("narrow") / "narrow.onnx"
    toy.tiny_yolox(path)
    return path


def test_an_export_read_back_and_written_again_is_the_same(narrow, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    model = build_yolox(narrow)
    export_yolox(model, tmp_path / "again.onnx")
    before, after = tensors(model, picture), tensors(build_yolox(tmp_path / "again.onnx"), picture)
    for name in HEADS:
        np.testing.assert_array_equal(before[name], after[name])


def test_the_anonymizers_detector_finds_what_the_model_finds(narrow):
    config: DetectionConfig = load_config(None).detection
    detector = PersonDetector(narrow, config, device="cpu", precision="f32")
    model = build_yolox(narrow).eval()
    picture = np.random.default_rng(1).integers(0, 256, (70, 100, 3), dtype=np.uint8)
    padded = np.full((96, 128, 3), 114, np.uint8)
    padded[:70, :100] = picture
    with torch.no_grad():
        maps = model(torch.from_numpy(padded.transpose(2, 0, 1)[None].copy()).float(), mode="tensor")
        expected, _ = model.bbox_head.flatten(maps)
    heads = load_model(graphs.yolox(narrow), device="cpu", precision="f32").infer(padded[None])
    boxes, scores = detector.decode({name: value[0] for name, value in heads.items()})
    np.testing.assert_allclose(scores, expected.scores[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(boxes, expected.boxes[0].numpy(), rtol=1e-3, atol=1e-2)


@pytest.mark.sample
def test_the_embedded_network_is_rebuilt_exactly(embedded):
    picture = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    found = load_model(graphs.yolox(embedded), device="cpu", precision="f32").infer(picture[None])
    for name, value in tensors(build_yolox(embedded), picture).items():
        np.testing.assert_allclose(value, found[name], atol=1e-4)


@pytest.mark.parametrize("kind", ["text", "missing", "another network"])
def test_what_is_no_yolox_is_told(kind, tmp_path, narrow):
    path: Path = tmp_path / "network.onnx"
    if kind == "text":
        path.write_text("no network")
    elif kind == "another network":
        import onnx

        model = onnx.load(narrow)
        for node in list(model.graph.node)[:40]:
            if node.op_type == "Conv":
                model.graph.node.remove(node)
        onnx.save(model, path)
    with pytest.raises(UserError):
        build_yolox(path)
