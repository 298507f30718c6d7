"""An endoscope among the cameras of a site: its outside frames are covered whole, and the audit tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.cli import tool
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import FrameFlag, Frames, RegionKind
from or_mv_anon.endoscopy.covering import outside_regions, outside_risks
from or_mv_anon.endoscopy.smoothing import Smoothed
from or_mv_anon.evaluation.run_directory import load_run
from or_mv_anon.models.registry import fetch
from or_mv_anon.regions.registry import needed_weights
from tests.clips import write_clip
from tests.endoscopy.scope_clips import SIZE, write_scope_clip
from tests.endoscopy.tiny_oob_network import write_tiny_network

OUTSIDE = range(30, 45)
FRAMES = 80


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    write_scope_clip(folder / "scope.mp4", outside=OUTSIDE, frames=FRAMES)
    zone = "always_cover = [[100, 0, 160, 24]]"
    (folder / "site.toml").write_text(f'[[camera]]\nname = "scope"\nkind = "endoscope"\n{zone}\n')
    return folder


@pytest.fixture
def run(site: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    network = write_tiny_network(tmp_path / "tiny.onnx")

    def run_here(*arguments: object) -> tuple[int, str]:
        given = ["--videos", site, "--out", tmp_path / "out", "--endoscope-weights", network, "--workers", "1"]
        code = tool("or_mv_anon.pipeline.cli", [str(argument) for argument in [*given, *arguments]])
        said = capfd.readouterr()
        return code, said.out + said.err

    return run_here


def audit_of(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "audit.json").read_text())
    return content


def gray(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def test_outside_frames_are_covered_whole(run: Callable[..., tuple[int, str]], site: Path, tmp_path: Path) -> None:
    code, said = run("--method", "solid")
    assert code == 0, said
    before, after = gray(site / "scope.mp4"), gray(tmp_path / "out" / "scope.mp4")
    assert len(after) == FRAMES
    black = (after < 30).all(axis=(1, 2))
    assert black[20:55].all(), "half a second before and after"
    assert not black[:17].any()
    assert not black[58:].any()
    assert (after[:, 2:22, 104:] < 30).all(), "the zone of the site, for a name that is shown in the picture"
    shown = np.abs(after[~black, 40:90, 40:100].astype(int) - before[~black, 40:90, 40:100])
    assert shown.mean() < 6, "the rest of the picture stays as it is"

    audit = audit_of(tmp_path / "out")
    assert audit["verdict"]["well"]
    assert [model["role"] for model in audit["models"]] == ["out_of_body"]
    assert audit["settings"]["endoscopy.smoothing"]["margin_s"] == 0.5
    (camera,) = audit["cameras"]
    assert camera["summary"]["regions_by_kind"]["frame"] == black.sum()
    assert camera["summary"]["whole_s"] == pytest.approx(black.sum() / 20)
    (risk,) = camera["risks"]
    assert risk["reason"] == "out_of_body"
    assert (risk["first_frame"], risk["last_frame"]) == (np.flatnonzero(black)[0], np.flatnonzero(black)[-1])
    assert "Endoscope outside the body" in (tmp_path / "out" / "report.html").read_text()

    regions = load_run(tmp_path / "out").cameras["scope"].regions
    np.testing.assert_array_equal(regions.frame[regions.kind == RegionKind.FRAME], np.flatnonzero(black))

    code, said = run("--render-only", "--method", "pixelate")
    assert code == 0, said
    width = after.shape[2]
    fine = np.abs(np.diff(gray(tmp_path / "out" / "scope.mp4")[black].astype(int), axis=2)).mean(axis=1)
    assert (fine > 8).sum(axis=1).max() <= width // 8, "only between cells of the mosaic"


def test_looks_before_a_run(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    code, said = run("--dry-run")
    assert code == 0, said
    assert f"{FRAMES} frames" in said
    assert not (tmp_path / "out").exists()
    code, said = run("--preview", "--method", "solid")
    assert code == 0, said
    sheet = cv2.imread(str(tmp_path / "out" / "preview.png"), cv2.IMREAD_GRAYSCALE)
    tiles = sheet[30:].reshape(sheet.shape[0] - 30, 6, -1)[:, :, 20:-20]
    dark = [bool((tiles[:, tile] < 40).mean() > 0.95) for tile in range(6)]
    truth = [int(frame) in OUTSIDE for frame in np.linspace(0, FRAMES - 1, 8)[1:-1].astype(int)]
    assert dark == truth
    assert any(truth)


def test_beside_a_room(run: Callable[..., tuple[int, str]], site: Path, tmp_path: Path) -> None:
    try:
        for name in needed_weights().values():
            fetch(name)
    except UserError as error:
        pytest.skip(str(error))
    write_clip(site / "wall.mp4", frames=6, size=(96, 64))
    code, said = run()
    assert code == 1, said
    assert "nobody was clearly seen in wall" in said, "nothing but that: something moves there, and nobody is found"
    audit = audit_of(tmp_path / "out")
    assert audit["problems"] == []
    assert sorted(model["role"] for model in audit["models"]) == ["detector", "face", "out_of_body", "pose"]
    reasons = {camera["camera"]: {risk["reason"] for risk in camera["risks"]} for camera in audit["cameras"]}
    assert reasons["scope"] == {"out_of_body"}
    assert "out_of_body" not in reasons["wall"]
    assert {output["camera"] for output in audit["outputs"]} == {"scope", "wall"}


def frames_with(flags: dict[int, FrameFlag], count: int = 10) -> Frames:
    flag = np.zeros(count, np.uint8)
    for number, value in flags.items():
        flag[number] = value
    return Frames(frame=np.arange(count), pts=np.arange(count), time=np.arange(count) / 10, flags=flag)


def test_failed_and_damaged_frames_are_covered_whatever_was_decided() -> None:
    frames = frames_with({3: FrameFlag.FAILED, 5: FrameFlag.CORRUPT})
    regions = outside_regions(frames, np.arange(10) == 8, size=SIZE, always=[(0, 0, 10, 10)])
    whole = regions[regions.kind == RegionKind.FRAME]
    np.testing.assert_array_equal(whole.frame, [3, 5, 8])
    np.testing.assert_array_equal(whole.box, [[0, 0, *SIZE]] * 3)
    np.testing.assert_array_equal(regions.frame, np.arange(10))
    assert (regions.kind[~np.isin(regions.frame, whole.frame)] == RegionKind.ZONE).all()


def test_what_is_shown_in_doubt_is_listed_first() -> None:
    frames = frames_with({9: FrameFlag.FAILED})
    probability = np.array([0.01, 0.3, 0.01, 0.01, 0.9, 0.9, 0.9, 0.01, 0.01, np.nan])
    covered = np.array([0, 0, 0, 0, 1, 1, 1, 0, 0, 1], bool)
    found = outside_risks(
        frames, probability, Smoothed(probability, covered), load_config().risk, size=SIZE, doubt=0.05
    )
    by_reason = {risk.reason: (risk.first_frame, risk.last_frame) for risk in found}
    assert by_reason == {"maybe_out_of_body": (1, 1), "out_of_body": (4, 6), "frame_covered": (9, 9)}
    assert found[0].reason == "maybe_out_of_body"
    assert "0.30" in found[0].detail
    assert outside_risks(
        Frames.empty(), probability[:0], Smoothed(probability[:0], covered[:0]), load_config().risk, size=SIZE,
        doubt=0.05,
    ) == []  # fmt: skip
