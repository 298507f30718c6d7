"""A detector in 8-bit integers finds what it found before, or is not kept."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest

pytest.importorskip("mmdet")
pytest.importorskip("onnxruntime")
from or_mv_anon.adaptation.quantize import quantize
from or_mv_anon.adaptation.settings import QuantizationConfig, load_adaptation_config
from or_mv_anon.core.config import load_config
from or_mv_anon.models import graphs
from or_mv_anon.models.runtime import load_model
from tests.openmmlab.toy import WIDTH, rectangles, tiny_yolox


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    tiny_yolox(path)
    return path


@pytest.fixture
def arguments(model, tmp_path):
    pictures = rectangles(tmp_path / "labels.json")
    content = json.loads((tmp_path / "labels.json").read_text())
    for image in content["images"]:
        image |= {"camera": "cam1", "frame": image["id"], "time": float(image["id"])}
    for annotation in content["annotations"]:
        annotation |= {"weight": 1.0, "score": 1.0, "track": 0, "identity": 0, "provenance": "detected"}
    (tmp_path / "labels.json").write_text(json.dumps(content))
    return {
        "model": model,
        "pictures": pictures,
        "held_out": pictures,
        "labels": tmp_path / "labels.json",
        "out": tmp_path / "rounded.onnx",
        "detection": replace(load_config().detection, input_long_side=WIDTH),
        "criterion": load_adaptation_config().criterion,
    }


def test_rounding_changes_little_and_takes_any_size(arguments):
    path = quantize(settings=QuantizationConfig(pictures=2, most_lost_recall=1.0), **arguments)
    assert path == arguments["out"]
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(path).graph.node}
    pictures = np.stack(list(arguments["pictures"].pictures.values()))
    for batch in (pictures, pictures[:1, :32, :64]):
        exact, rounded = (
            load_model(graphs.yolox(one), device="cpu", precision="f32").infer(batch)
            for one in (arguments["model"], path)
        )
        for name, values in exact.items():
            assert rounded[name].shape == values.shape
            assert np.abs(rounded[name] - values).mean() < 0.1 * (values.std() + 0.1)


def test_a_rounded_detector_that_loses_people_is_not_kept(arguments, tmp_path):
    before = set(tmp_path.iterdir())
    assert quantize(settings=QuantizationConfig(pictures=1, most_lost_recall=-1.0), **arguments) is None
    assert set(tmp_path.iterdir()) == before
