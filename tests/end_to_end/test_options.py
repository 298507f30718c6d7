"""Options that change how the work is done; the face stays covered with all of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from or_mv_anon.models.registry import sha256
from tests.end_to_end.driving import audit_of, decoded, looks_covered, run
from tests.end_to_end.people_clips import FACE

pytestmark = pytest.mark.sample


def assert_face_is_covered(source: Path, output: Path) -> None:
    before, after = decoded(source), decoded(output)
    assert after.times == before.times
    for number in range(len(before.times)):
        x1, y1, x2, y2 = FACE.box(number).astype(int)
        assert looks_covered(before.pictures[number, y1:y2, x1:x2], after.pictures[number, y1:y2, x1:x2]), number


def test_another_codec_and_fewer_detections(tmp_path: Path, site: Callable[..., Path]) -> None:
    """Between two detections the head is followed by tracking. Names are as people give them."""
    name = "Kamera 1 (öst) 100%d #2.mp4"
    videos, out = site(name, frames=20), tmp_path / "out of OR 7"
    ran = run("--videos", videos, "--out", out, "--codec", "hevc", "--detect-every", 0.25, "--crf", 12)
    assert ran.code == 0, ran.err
    assert decoded(out / name).codec == "hevc"
    assert_face_is_covered(videos / name, out / name)
    assert audit_of(out)["options"]["detect_every"] == 0.25


def test_a_site_model(tmp_path: Path, site: Callable[..., Path], weights: Path) -> None:
    """The detector of the bundle is the one that runs, and the audit says so."""
    videos, out, model = site("cam.mp4", frames=6), tmp_path / "out", tmp_path / "room7"
    model.mkdir()
    shutil.copyfile(next(weights.glob("yolox*.onnx")), model / "detector.onnx")
    digest = sha256(model / "detector.onnx")
    (model / "model.toml").write_text(
        f'schema = 2\n[detector]\nkind = "yolox"\nfile = "detector.onnx"\nsha256 = "{digest}"\n'
    )
    ran = run("--videos", videos, "--out", out, "--model", model)
    assert ran.code == 0, ran.err
    assert_face_is_covered(videos / "cam.mp4", out / "cam.mp4")
    names = {entry["role"]: (entry["name"], entry["sha256"]) for entry in audit_of(out)["models"]}
    assert names["detector"] == ("room7/detector.onnx", digest)


def test_weights_from_a_folder_without_a_network(tmp_path: Path, site: Callable[..., Path], weights: Path) -> None:
    videos, out, folder = site("cam.mp4", frames=2), tmp_path / "out", tmp_path / "weights"
    folder.mkdir()
    for file in weights.glob("*.onnx"):
        shutil.copyfile(file, folder / file.name)
    offline = {"XDG_CACHE_HOME": str(tmp_path / "no_cache"), "PIP_NO_INDEX": "1", "PATH": "/usr/bin:/bin"}
    ran = run("--videos", videos, "--out", out, "--weights-dir", folder, environment=offline)
    assert ran.code == 0, ran.err
    assert_face_is_covered(videos / "cam.mp4", out / "cam.mp4")
