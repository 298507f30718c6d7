"""The tool that rounds a detector of people and heads writes one that finds what it found, and says what it lacks."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

pytest.importorskip("onnxruntime")
from or_mv_anon.cli import tool
from or_mv_anon.core.config import load_config
from or_mv_anon.models.detectors.people_and_heads import PeopleAndHeadsDetector
from tests.models.tiny_networks import write_tiny_yolox

TOOL = "or_mv_anon.detector_training.rounding_cli"


def test_the_rounded_network_is_one_of_people_and_heads(tmp_path: Path) -> None:
    network = write_tiny_yolox(tmp_path / "network.onnx", with_boxes=2)
    (tmp_path / "ward" / "images").mkdir(parents=True)
    rng, images = np.random.default_rng(0), []
    for number in range(3):
        cv2.imwrite(str(tmp_path / "ward/images" / f"{number}.png"), rng.integers(0, 256, (64, 96, 3), np.uint8))
        images.append({"file": f"{number}.png", "width": 96, "height": 64, "boxes": [], "complete": True})
    (tmp_path / "ward/labels.json").write_text(json.dumps({"classes": ["person", "head"], "images": images}))
    out = tmp_path / "rounded.onnx"
    arguments = ["--out", str(out), "--network", str(network), "--data", str(tmp_path / "ward"), "--pictures", "2"]
    assert tool(TOOL, arguments) == 0
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(out).graph.node}
    detector = PeopleAndHeadsDetector(out, load_config().detection, device="cpu")
    assert len(detector.detect_classes([np.zeros((64, 96, 3), np.uint8)], size=(96, 64))) == 1
    assert not Path("rooms").exists()


def test_without_pictures_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool(TOOL, ["--out", str(tmp_path / "rounded.onnx")]) == 2
    assert "name folders with --data" in capsys.readouterr().err
