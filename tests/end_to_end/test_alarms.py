"""A run in which nothing fails and people may still be in the open says so first, everywhere, and ends with code 1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from or_mv_anon.models.registry import sha256
from tests.end_to_end.driving import Ran, audit_of, run
from tests.end_to_end.people_clips import SIZE

pytestmark = pytest.mark.sample

ALARM = "PEOPLE MAY BE UNCOVERED"


def assert_alarmed(ran: Ran, out: Path, *words: str) -> None:
    assert ran.code == 1, ran.out + ran.err
    verdict = audit_of(out)["verdict"]
    assert not verdict["well"]
    assert verdict["sentence"].startswith(ALARM)
    assert verdict["sentence"].startswith(verdict["alarms"][0])
    for word in words:
        assert word in verdict["alarms"][0]
    results = [line for line in ran.out.splitlines() if not line.startswith((" ", "- ", "Session", "cam"))]
    assert results[0] == verdict["sentence"], "first on stdout after the table of cameras"
    assert ran.sentences[0] == f"warning: {verdict['alarms'][0]}"
    page = (out / "report.html").read_text()
    assert page.index(ALARM) < page.index("people at once"), "the banner above everything else"
    assert "all verified" not in ran.out + page


def test_zones_that_uncover_everything(site: Callable[..., Path], tmp_path: Path, weights: Path) -> None:
    videos = site("cam1.mp4")
    halves = [[0, 0, SIZE[0] / 2, SIZE[1]], [SIZE[0] / 2 - 20, 0, 4 * SIZE[0], 4 * SIZE[1]]]
    (videos / "site.toml").write_text(f'[[camera]]\nname = "cam1"\nnever_cover = {halves}\n')
    ran = run("--videos", videos, "--out", tmp_path / "out")
    assert_alarmed(ran, tmp_path / "out", "never_cover", "100%", "cam1")


def test_a_network_that_finds_nobody(site: Callable[..., Path], tmp_path: Path, weights: Path) -> None:
    """Such as a wrong file: it loads, it runs, and every score is 0."""
    model = tmp_path / "model"
    model.mkdir()
    graph = onnx.load(next(weights.glob("yolox*.onnx")))
    for weight in graph.graph.initializer:
        if "conv_obj" in weight.name and weight.name.endswith("bias"):
            weight.CopyFrom(numpy_helper.from_array(np.full(weight.dims, -30.0, np.float32), weight.name))
    onnx.save(graph, model / "blind.onnx")
    listing = (
        f'schema = 2\n[detector]\nkind = "yolox"\nfile = "blind.onnx"\nsha256 = "{sha256(model / "blind.onnx")}"\n'
    )
    (model / "model.toml").write_text(listing)
    videos, out = site("cam1.mp4", frames=24), tmp_path / "out"
    assert_alarmed(run("--videos", videos, "--out", out, "--model", model), out, "nobody", "cam1", "moves")
