"""The whole way on real pixels: adapt to the simulated session in a few steps, then anonymize with the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from or_mv_anon.cli import tool
from or_mv_anon.core.resources import resource
from or_mv_anon.models.site_model import load_site_model
from tests.watching import CAN_WATCH, CONSOLE, told

SETTINGS = """
[material]
detect_every_s = 1.0
face_every_s = 1.0
input_long_side = 416
[sampling]
pictures = 16
held_out_pictures = 8
long_side = 320
[training]
steps = 10
batch = 2
long_side = 224
[criterion]
most_lost_by_student = 9.0
[student]
steps = 4
batch = 2
long_side = 224
[release]
least_heads = 1.0
least_heads_for_student = 1.0
most_open_by_student = 9.0
least_heads_gained = 20.0
[faces]
least_faces = 100000
[pose]
least_crops = 100000
"""


@pytest.mark.slow
@pytest.mark.sample
def test_a_site_is_adapted_to_and_then_anonymized(tmp_path: Path) -> None:
    pytest.importorskip("mmdet")
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    videos, model, out = resource("data/simulated_session/recording"), tmp_path / "model", tmp_path / "out"
    adapt = ["--videos", str(videos), "--out", str(model), "--iterations", "1", "--config", str(settings)]
    if CAN_WATCH:
        assert told(tmp_path, CONSOLE, "adapt", *adapt) == []  # and nobody hears of it
    else:
        assert tool("or_mv_anon.adaptation.cli", adapt) == 0
    found = load_site_model(model)
    card = (model / "card.md").read_text()
    assert ("The detector of the site is used" in card) == (found.detector is not None)
    assert found.student is not None, card
    assert (model / "work/iteration-1/detector.onnx").exists()
    pictures = [path for path in model.rglob("*") if path.suffix in (".png", ".jpg", ".npy", ".mp4")]
    assert pictures == []

    anonymize = ["--videos", str(videos), "--out", str(out), "--model", str(model), "--fast", "--end", "1"]
    assert tool("or_mv_anon.pipeline.cli", anonymize) in (0, 1)
    audit = json.loads((out / "audit.json").read_text())
    assert any(found.student.name in entry["name"] for entry in audit["models"])
