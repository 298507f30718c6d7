"""Site model bundles: read when whole, refused with a reason when not."""

from __future__ import annotations

from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.registry import sha256
from or_mv_anon.models.site_model import load_site_model
from tests.models.tiny_networks import write_tiny_yolox


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


DETECTOR = '[detector]\nkind = "yolox"\nfile = "detector.onnx"\nsha256 = "0"'


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('[detector]\nkind = "yolox"\nfile = "d\\u0000.onnx"\nsha256 = "0"', "no name of a file"),
        (
            '[detector]\nkind = "yolox"\nfile = "detector.onnx"\nsha256 = "0"\nmin_score = 1.0',
            "Unknown key 'min_score'",
        ),
        (
            '[pose]\nkind = "rtmpose"\nfile = "detector.onnx"\nsha256 = "0"\n[pose.thresholds.pose]\nbatch = 1',
            "nothing",
        ),
        ("detector = 3", "lacks the text 'kind'"),
        ("[layout]\ncam1 = [inf, 3]", "expected its width and height"),
        ("[layout]\ncam1 = [0, 3]", "expected its width and height"),
        ("[layout]\ncam1 = 3", "expected its width and height"),
        ("layout = 3", "width and height"),
        ("x = " + "[" * 5000, "not valid TOML"),
        ("# " + "x" * (1 << 20), "longer than 1 MB"),
    ],
)
def test_what_nobody_can_mean_is_refused(tmp_path: Path, lines: str, message: str) -> None:
    write_tiny_yolox(tmp_path / "detector.onnx")
    (tmp_path / "model.toml").write_text(f"schema = 2\n{lines}\n")
    with pytest.raises(UserError, match=message) as raised:
        load_site_model(tmp_path)
    assert str(raised.value).isprintable()


def test_a_network_larger_than_any_is_not_read(tmp_path: Path) -> None:
    write_bundle(tmp_path)
    with (tmp_path / "detector.onnx").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(UserError, match="larger than 1 GB"):
        load_site_model(tmp_path)
