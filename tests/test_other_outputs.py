"""Every command that writes a file or folder of a name that the user gives leaves what is there alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from or_mv_anon.adaptation.bundle import BundleParts, refuse_strangers, write_bundle
from or_mv_anon.adaptation.work import STATE, discard_work
from or_mv_anon.cli import main
from or_mv_anon.core.errors import UserError
from or_mv_anon.simulation.output_folder import OutputFolder


@pytest.mark.sample
def test_a_sample_among_own_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", str(tmp_path / "first")]) == 0
    (name, *_) = sorted(path.name for path in (tmp_path / "first").iterdir())
    theirs = tmp_path / name
    theirs.write_text("precious")
    assert main(["sample", str(tmp_path)]) == 2
    assert "something else" in capsys.readouterr().err
    assert theirs.read_text() == "precious"


@pytest.mark.sample
@pytest.mark.parametrize("name", ["weights.tar", "yunet"])
def test_a_bundle_of_weights_over_something_else(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / name
    assert main(["weights", "bundle", str(target), "yunet-2023mar"]) == 0
    assert main(["weights", "bundle", str(target), "yunet-2023mar"]) == 0, "its own is renewed"
    theirs = target if target.is_file() else next(target.glob("*.onnx"))
    theirs.write_text("precious")
    capsys.readouterr()
    assert main(["weights", "bundle", str(target), "yunet-2023mar"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert theirs.read_text() == "precious"


def test_a_simulated_site_with_something_else_in_it(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "site")
    folder.begin({"seed": 1})
    for path in (folder.recording / "cam1.mp4", folder.truth / "truth.json"):
        path.parent.mkdir()
        path.write_text("{}")
    theirs = folder.recording / "covered"
    theirs.mkdir()
    with pytest.raises(UserError, match="not from the simulator"):
        folder.clear()
    assert (folder.recording / "cam1.mp4").exists()
    theirs.rmdir()
    folder.clear()
    assert not folder.recording.exists()


def test_a_site_model_over_something_else(tmp_path: Path) -> None:
    out, work = tmp_path / "model", tmp_path / "model" / "work"
    network = tmp_path / "network.onnx"
    network.write_bytes(b"network")
    work.mkdir(parents=True)
    refuse_strangers(out, work, overwrite=False)
    theirs = [out / "detector-mine.onnx", out / "detector-12345678.onnx", work / "notes.txt"]
    for path in theirs:
        path.write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(UserError, match="not from an earlier adaptation"):
            refuse_strangers(out, work, overwrite=overwrite)
    discard_work(work)
    assert theirs[2].exists(), "no adaptation made this folder"
    theirs[2].unlink()
    for digits in (b"one", b"two"):
        network.write_bytes(digits)
        write_bundle(out, BundleParts(files={"detector": network}))
    assert len(list(out.glob("detector-*"))) == 3, "the former network is gone, theirs is not"
    with pytest.raises(UserError, match="--overwrite"):
        refuse_strangers(out, work, overwrite=False)
    refuse_strangers(out, work, overwrite=True)
    (out / "model.toml").write_text("theirs")
    with pytest.raises(UserError):
        refuse_strangers(out, work, overwrite=True)
    work.mkdir(exist_ok=True)
    (work / STATE).write_text(json.dumps({"made_from": "x"}))
    discard_work(work)
    assert not work.exists()


def test_live_figures_and_videos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "scope.mp4"
    clip.write_bytes(b"video")
    (tmp_path / "same.mp4").hardlink_to(clip)
    (tmp_path / "link.mkv").symlink_to(clip)
    (tmp_path / "folder.mkv").mkdir()
    (tmp_path / "notes.json").write_text('{"patient": 1}')
    live = ["endoscopy-live", "--input", str(clip), "--overwrite"]
    for more in (
        ["--output", str(clip)],
        ["--output", str(tmp_path / "same.mp4")],
        ["--output", str(tmp_path / "link.mkv")],
        ["--output", str(tmp_path / "folder.mkv")],
        ["--output", str(tmp_path / "new.mp4"), "--stats", str(clip)],
        ["--output", str(tmp_path / "new.mp4"), "--stats", str(tmp_path / "notes.json")],
    ):
        assert main([*live, *more]) == 2
        assert "choose another name" in capsys.readouterr().err
    assert clip.read_bytes() == b"video"
    assert (tmp_path / "notes.json").read_text() == '{"patient": 1}'
