"""``--method learned`` and ``--attack`` from the command line: drawn heads, the same bytes again, and the findings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import registry
from tests.end_to_end.driving import audit_of, decoded, looks_covered, regions_of, run
from tests.end_to_end.people_clips import FACE
from tests.operators.tiny_modifiers import COLOUR, write_modifier

pytestmark = pytest.mark.sample

FRAMES = 8


@pytest.fixture
def sface() -> None:
    try:
        registry.fetch("sface-2021dec")
    except UserError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("sface")
def test_heads_are_drawn_judged_and_attacked(site: Callable[..., Path], tmp_path: Path) -> None:
    videos, out = site("cam1.mp4", "cam2.mp4", frames=FRAMES), tmp_path / "out"
    modifier = write_modifier(tmp_path / "paint.onnx", "paint", sees="picture", codes=4)
    settings = tmp_path / "settings.toml"
    settings.write_text("[learned]\nleast_px = 12\nleast_distance = 1.0\n")
    learned = ("--videos", videos, "--out", out, "--method", "learned", "--modifier", modifier, "--config", settings)
    done = run(*learned, "--attack")
    assert done.code == 0, done.out + done.err
    audit = audit_of(out)
    assert audit["problems"] == []
    outcomes = audit["learned"]["cameras"][0]["outcomes"]
    assert sum(outcomes.values()) == len(regions_of(out, "cam1"))
    assert outcomes["released"] > 0
    assert audit["models"][-3]["role"] == "face_modifier"
    assert audit["attack"]["tracks_followed"] > 0
    before, after = decoded(videos / "cam1.mp4"), decoded(out / "cam1.mp4")
    painted = np.abs(after.pictures[..., ::-1] / 255 - COLOUR).max(axis=3) < 0.1
    assert painted.any(axis=(1, 2)).sum() >= FRAMES / 2, "the drawn heads are in the video"
    for number in range(FRAMES):
        x1, y1, x2, y2 = FACE.box(number).astype(int)
        assert looks_covered(before.pictures[number, y1:y2, x1:x2], after.pictures[number, y1:y2, x1:x2])

    (out / "cam1.mp4").unlink()
    done = run(*learned, "--render-only", "--workers", "1")
    assert done.code == 0, done.out + done.err
    again = audit_of(out)
    assert again["learned"] == audit["learned"], "the same for every number of workers"
    apart = decoded(out / "cam1.mp4").pictures.astype(int) - after.pictures
    assert np.abs(apart).mean() < 1, "but for the encoder's own threads"
    assert again["attack"] is None, "it was not asked for"


def test_what_is_missing_is_told_before_anything_is_done(site: Callable[..., Path], tmp_path: Path) -> None:
    videos, out = site("cam1.mp4"), tmp_path / "out"
    done = run("--videos", videos, "--out", out, "--method", "learned", "--modifier", tmp_path / "nowhere.onnx")
    assert done.refused_with("nowhere.onnx", "train_learned.py")
    done = run("--videos", videos, "--out", out, "--modifier", tmp_path / "nowhere.onnx")
    assert done.refused_with("--modifier is for --method learned")
    assert not out.exists()
