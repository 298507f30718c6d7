"""Site model bundles: read when whole, refused with a reason when not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_networks import write_tiny_yolox

from or_mv_anon.errors import UserError
from or_mv_anon.models.registry import sha256
from or_mv_anon.models.site_model import load_site_model


def write_bundle(folder: Path, *, schema: int = 2, role: str = "detector", **changes: str) -> Path:
    detector = write_tiny_yolox(folder / "detector.onnx")
    entries = {"kind": "yolox", "file": "detector.onnx", "sha256": sha256(detector), **changes}
    lines = [f"schema = {schema}", f"[{role}]", *(f'{key} = "{value}"' for key, value in entries.items())]
    (folder / "model.toml").write_text("\n".join(lines))
    return folder


def test_a_whole_bundle_overrides_the_detector_alone(tmp_path: Path) -> None:
    model = load_site_model(write_bundle(tmp_path))
    assert model.detector == tmp_path / "detector.onnx"
    assert model.pose is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 1}, "schema 1; this version reads schema 2"),
        ({"role": "nose"}, r"Unknown section \[nose\]"),
        ({"kind": "rtmdet"}, "kind 'rtmdet'"),
        ({"sha256": "0" * 64}, "expected SHA-256 0000"),
        ({"file": "other.onnx"}, "incomplete"),
        ({"file": "../detector.onnx"}, "not beside model.toml"),
    ],
)
def test_others_are_refused(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_site_model(write_bundle(tmp_path, **changes))


def test_no_bundle_or_no_toml(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a site model"):
        load_site_model(tmp_path)
    (tmp_path / "model.toml").write_text("schema = = 1")
    with pytest.raises(UserError, match="not valid TOML"):
        load_site_model(tmp_path)
    (tmp_path / "model.toml").write_text("schema = 2\n[detector]\nkind = 'yolox'")
    with pytest.raises(UserError, match="lacks the text 'file'"):
        load_site_model(tmp_path)
