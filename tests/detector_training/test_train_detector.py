"""The training tool makes a network that finds people and heads, and a stopped run goes on."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip("mmdet")
from or_mv_anon.cli import tool
from or_mv_anon.core.config import load_config
from or_mv_anon.models.detectors.people_and_heads import PeopleAndHeadsDetector
from or_mv_anon.openmmlab.checkpoints import read_without_code
from tests.openmmlab import toy

TOOL = "or_mv_anon.detector_training.cli"


@pytest.fixture
def command(tmp_path):
    toy.tiny_yolox(tmp_path / "start.onnx")
    (tmp_path / "ward" / "images").mkdir(parents=True)
    rng, images = np.random.default_rng(0), []
    for number in range(4):
        cv2.imwrite(str(tmp_path / "ward/images" / f"{number}.png"), rng.integers(0, 256, (64, 96, 3), np.uint8))
        boxes = [[10, 5, 40, 60, "person"], [20, 5, 30, 15, "head"]]
        images.append({"file": f"{number}.png", "width": 96, "height": 64, "boxes": boxes, "complete": True})
    (tmp_path / "ward/labels.json").write_text(json.dumps({"classes": ["person", "head"], "images": images}))
    return [
        "--out", str(tmp_path / "out"), "--data", str(tmp_path / "ward"), "--start", str(tmp_path / "start.onnx"),
        "--teacher", "none", "--batch", "2", "--long-side", "96", "--device", "cpu", "--steps", "3",
    ]  # fmt: skip


def test_it_writes_a_network_and_does_not_begin_again(command, tmp_path, capsys):
    assert tool(TOOL, command) == 0
    network = tmp_path / "out/people_and_heads.onnx"
    detector = PeopleAndHeadsDetector(network, load_config(None).detection, device="cpu")
    assert len(detector.detect_classes([np.zeros((64, 96, 3), np.uint8)], size=(96, 64))) == 1
    before = read_without_code(str(tmp_path / "out/checkpoint.pth"))["meta"]["log"]
    assert tool(TOOL, command) == 0
    assert read_without_code(str(tmp_path / "out/checkpoint.pth"))["meta"]["log"] == before
    assert "3 steps" in capsys.readouterr().out


def test_nothing_to_learn_from_is_told(tmp_path, capsys):
    toy.tiny_yolox(tmp_path / "start.onnx")
    arguments = ["--out", str(tmp_path / "out"), "--start", str(tmp_path / "start.onnx"), "--teacher", "none"]
    assert tool(TOOL, arguments) != 0
    assert "nothing to learn from" in capsys.readouterr().err
