"""The tool for recordings, from a real file to the labels and the covered video."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.cli import tool
from or_mv_anon.pipeline.stages import endoscope as endoscopy_tasks
from or_mv_anon.video.index import index_video
from tests.endoscopy.scope_clips import SIZE, write_scope_clip
from tests.endoscopy.tiny_oob_network import write_tiny_network

TOOL = Path(__file__).resolve().parents[2] / "tools" / "anonymize_endoscopy.py"
OUTSIDE = range(30, 45)
RATE = 20
DETAIL = 12.0  # levels of 255 that neighbouring pixels of the generated pictures differ by, at least


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_network(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture
def run(network: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs the tool in this process on one worker; returns the exit code and what was said, progress left out."""

    def run_here(*arguments: object) -> tuple[int, str]:
        given = [str(argument) for argument in arguments]
        if "--weights" not in given:
            given += ["--weights", str(network)]
        if "--workers" not in given:
            given += ["--workers", "1"]
        code = tool("or_mv_anon.pipeline.endoscope_cli", given)
        said = capfd.readouterr()
        lines = (said.out + said.err).replace("\r", "\n").splitlines()
        return code, "\n".join(line for line in lines if "frame/s]" not in line)

    return run_here


def labels(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def pictures(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def detail(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean difference of neighbouring pixels in the middle of every frame."""
    height, width = frames.shape[1:]
    middle = frames[:, height // 4 : -height // 4, width // 3 : -width // 3].astype(float)
    return np.abs(np.diff(middle, axis=2)).mean(axis=(1, 2))


def test_labels(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    clip = write_scope_clip(tmp_path / "surgery.part1.mp4", outside=OUTSIDE, frames=100)
    code, said = run(clip, tmp_path / "out")
    assert code == 0, said
    assert "surgery.part1_labels.json" in said
    path = tmp_path / "out" / "surgery.part1_labels.json"
    found = labels(path)
    truth = np.isin(np.arange(100), OUTSIDE)
    covered = np.array(found["labels"], bool)
    assert found["frames"] == list(range(100))
    assert covered[truth].all()
    assert covered[20:55].all(), "half a second before and after"
    assert not covered[:17].any()
    assert not covered[58:].any()
    np.testing.assert_array_equal(np.array(found["probabilities"]) > 0.5, truth)
    np.testing.assert_allclose(found["timestamps"], np.arange(100) / RATE, atol=1e-6)
    inside, outside, back = found["segments"]
    assert (inside["label"], outside["label"], back["label"]) == (0, 1, 0)
    assert inside["first_frame"] == 0
    assert back["last_frame"] == 99
    assert outside["first_frame"] == inside["last_frame"] + 1
    assert outside["start_s"] == pytest.approx(outside["first_frame"] / RATE)
    assert back["end_s"] == pytest.approx(100 / RATE)
    assert found["settings"]["smoothing"]["margin_s"] == 0.5
    assert set(found["hashes"]) == {"recording", "network", "settings"}
    assert "OpenVINO" in found["network"]
    assert found["not_judged"] == []
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["stages", path.name]
    before = path.read_bytes()
    run(clip, tmp_path / "out")
    assert path.read_bytes() == before, "a second run changes nothing"
    run(clip, tmp_path / "again", "--workers", 2)
    assert (tmp_path / "again" / path.name).read_bytes() == before, "neither does the number of workers"
    code, _ = run(clip, tmp_path / "out", "--margin", 1)
    wider = np.array(labels(path)["labels"], bool)
    assert code == 0
    assert wider[covered].all()
    assert wider[10:65].all()
    code, _ = run(clip, tmp_path / "out", "--threshold", 0.5, "--margin", 0)
    assert labels(path)["labels"] == truth.astype(int).tolist()
    for threshold in (1, 0.9):  # what is probably outside would be shown
        code, said = run(clip, tmp_path / "out", "--threshold", threshold)
        assert code == 2
        assert "--threshold" in said


def test_covered_video_keeps_times_sound_and_picture(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    ticks = np.cumsum([0, *np.tile([37, 55, 58], 30)])[:80]  # milliseconds, uneven
    clip = write_scope_clip(
        tmp_path / "scope.mkv", outside=OUTSIDE, frames=80, pts=ticks.tolist(), time_base=Fraction(1, 1000),
        audio="libopus", b_frames=2, metadata={"title": "Jane Doe"},
    )  # fmt: skip
    out = tmp_path / "out"
    code, said = run(clip, out, "--save-video", "--audio", "keep")
    assert code == 0, said
    video = out / "scope_anonymized.mkv"
    index = index_video(video)
    np.testing.assert_allclose(index.times, ticks / 1000, atol=1e-9)
    assert index.codec == "h264"
    assert index.audio == ("opus",)
    covered = np.array(labels(out / "scope_labels.json")["labels"], bool)
    np.testing.assert_allclose(labels(out / "scope_labels.json")["timestamps"], ticks / 1000, atol=1e-6)
    assert covered[OUTSIDE].all()
    before, after = detail(pictures(clip)), detail(pictures(video))
    assert (before > DETAIL).all()
    assert (after[covered] < 0.25 * before[covered]).all()
    assert (after[~covered] > 0.6 * before[~covered]).all()
    assert b"Jane Doe" not in video.read_bytes()
    # other looks of the cover, without sound; the labels stay
    for method in ("solid", "blur"):
        code, said = run(clip, out, "--save-video", "--method", method)
        assert code == 0, said
        assert index_video(video).audio == ()
        assert (detail(pictures(video))[covered] < 0.25 * before[covered]).all()
    # labels of other settings than the video's are told
    code, said = run(clip, out, "--margin", 2)
    assert code == 1
    assert "--save-video" in said


def test_rotated_video_is_judged_upright_and_stays_rotated(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    clip = write_scope_clip(tmp_path / "scope.mp4", outside=range(10, 20), rotation=90)
    code, said = run(clip, tmp_path / "out", "--save-video", "--codec", "hevc", "--method", "solid")
    assert code == 0, said
    index, source = index_video(tmp_path / "out" / "scope_anonymized.mp4"), index_video(clip)
    assert (index.rotation, index.width, index.height) == (source.rotation, *SIZE)
    assert index.rotation in (90, 270)
    assert index.codec == "hevc"
    np.testing.assert_array_equal(index.times, source.times)
    covered = np.array(labels(tmp_path / "out" / "scope_labels.json")["labels"], bool)
    assert covered[:30].all()
    assert (pictures(tmp_path / "out" / "scope_anonymized.mp4")[covered] < 30).all()


def test_folder(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    """Every video in it: same stems do not collide, one that is broken does not stop the others."""
    folder, out = tmp_path / "recordings", tmp_path / "out"
    (folder / "below").mkdir(parents=True)
    write_scope_clip(folder / "a.mp4", frames=8, outside=range(8))
    write_scope_clip(folder / "a.mkv", frames=8)
    write_scope_clip(folder / "one.MP4", frames=1, container="mp4")
    (folder / "empty.mp4").touch()
    (folder / "notes.txt").write_text("nothing")
    code, said = run(folder, out)
    assert code == 1
    assert "empty.mp4 is empty" in said
    assert "below" in said
    found = {path.name: labels(path)["labels"] for path in out.glob("*.json")}
    assert found == {"a.mp4_labels.json": [1] * 8, "a.mkv_labels.json": [0] * 8, "one_labels.json": [0]}
    # alone, the recording is called as it is called among the others
    code, said = run(folder / "a.mkv", out)
    assert code == 0
    assert "a.mkv_labels.json" in said
    code, said = run(out, tmp_path / "other")
    assert code == 2
    assert "output of this tool" in said


KILLING_ITSELF = """
import os, signal, sys
from or_mv_anon.cli import tool
from or_mv_anon.core.store import RunStore

stage, save = sys.argv[1], RunStore.save


def save_and_die(store, **options):
    save(store, **options)
    listing = store.root / "manifest.json"
    if listing.exists() and stage in listing.read_text():
        os.kill(os.getpid(), signal.SIGKILL)


RunStore.save = save_and_die
tool("or_mv_anon.pipeline.endoscope_cli", sys.argv[2:])
"""


def test_going_on_after_a_kill(network: Path, tmp_path: Path) -> None:
    clip = write_scope_clip(tmp_path / "scope.mp4", outside=range(60, 90), frames=200, rate=10)
    results = ("scope_labels.json", "scope_anonymized.mp4")

    def command(out: str, *, program: tuple[str, ...] = (str(TOOL),)) -> list[str]:
        return [
            sys.executable, *program, str(clip), str(tmp_path / out), "--save-video", "--weights", str(network),
            "--workers", "1",
        ]  # fmt: skip

    subprocess.run(command("whole"), check=True, capture_output=True, timeout=600)
    manifest = tmp_path / "killed" / "stages" / "scope" / "manifest.json"
    for stage in ("scope/analyse/00001", "scope/render/00001"):
        killed = command("killed", program=("-c", KILLING_ITSELF, stage))
        assert subprocess.run(killed, capture_output=True, timeout=600).returncode == -signal.SIGKILL
        noted = set(json.loads(manifest.read_text())["stages"])
        assert stage in noted
        assert not (tmp_path / "killed" / results[1]).exists()
    subprocess.run(command("killed"), check=True, capture_output=True, timeout=600)
    for name in results:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not list((tmp_path / "killed").rglob("*.partial"))


class TestRefusals:
    def test_places(self, run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
        clip = write_scope_clip(tmp_path / "scope.mp4", frames=4)
        (tmp_path / "empty.mp4").touch()
        (tmp_path / "text.mp4").write_text("no video at all, only words in a file")
        (tmp_path / "cut.mp4").write_bytes(clip.read_bytes()[:2000])
        (tmp_path / "folder").mkdir()
        (tmp_path / "taken").write_text("precious")
        out = tmp_path / "out"
        for arguments, words in (
            ((tmp_path / "none.mp4", out), ("none.mp4", "does not exist")),
            ((tmp_path / "empty.mp4", out), ("empty.mp4", "empty")),
            ((tmp_path / "text.mp4", out), ("text.mp4", "video")),
            ((tmp_path / "cut.mp4", out), ("cut.mp4",)),
            ((tmp_path / "folder", out), ("No videos", "folder")),
            ((clip, tmp_path), ("output folder", "choose another")),
            ((clip, tmp_path / "taken"), ("taken is a file",)),
            ((clip, out, "--weights", tmp_path / "none.onnx"), ("none.onnx",)),
            ((clip, out, "--weights", clip), ("scope.mp4", "ONNX")),
            ((clip, out, "--crf", 99), ("crf",)),
            ((clip, out, "--margin", -1), ("margin_s",)),
            ((clip, out, "--device", "cuda"), ("CUDA", "--device cpu")),
        ):
            code, said = run(*arguments)
            assert code == 2, (arguments, said)
            assert said.startswith("error: "), said
            assert said.endswith("."), said
            assert "Internal error" not in said
            assert all(word in said for word in words), said
        assert not list(out.glob("*_labels.json"))

    def test_results_of_others_are_kept(self, run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
        clip = write_scope_clip(tmp_path / "scope.mp4", frames=4)
        out = tmp_path / "out"
        out.mkdir()
        theirs = out / "scope_labels.json"
        theirs.write_text("precious")
        code, said = run(clip, out)
        assert (code, theirs.read_text()) == (2, "precious")
        assert "--overwrite" in said
        assert run(clip, out, "--overwrite")[0] == 0
        assert labels(theirs)["labels"] == [0] * 4
        (tmp_path / "elsewhere").mkdir()
        other = write_scope_clip(tmp_path / "elsewhere" / "scope.mp4", frames=9)
        code, said = run(other, out)
        assert code == 2
        assert "another recording" in said
        assert labels(theirs)["labels"] == [0] * 4
        assert run(other, out, "--overwrite")[0] == 0
        assert labels(theirs)["labels"] == [0] * 9

    def test_no_permission(self, network: Path, tmp_path: Path) -> None:
        clip = write_scope_clip(tmp_path / "scope.mp4", frames=4)
        clip.chmod(0)
        command = [sys.executable, str(TOOL), str(clip), str(tmp_path / "out"), "--weights", str(network)]
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=300, check=False, preexec_fn=_obey_permissions
        )
        if os.geteuid() == 0 and ran.returncode == 0:
            pytest.skip("this user may read everything")
        assert ran.returncode == 2
        assert "scope.mp4 cannot be read" in ran.stderr
        assert "ermission" in ran.stderr


def _obey_permissions() -> None:
    """Take the right to override permissions from this process and what it starts; only root has it."""
    for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, right, 0, 0, 0)  # PR_CAPBSET_DROP


def test_a_recording_that_was_cut_off_is_labelled_to_its_end(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    whole = write_scope_clip(tmp_path / "scope.mkv", frames=100)
    cut = tmp_path / "cut" / "scope.mkv"
    cut.parent.mkdir()
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    code, said = run(cut, tmp_path / "out", "--save-video")
    assert code == 1
    assert "cut off" in said
    found = labels(tmp_path / "out" / "scope_labels.json")
    assert 30 < len(found["labels"]) < 100
    shown = index_video(tmp_path / "out" / "scope_anonymized.mkv").n_frames
    assert len(found["labels"]) - 2 <= shown <= len(found["labels"])


def test_damaged_frames_are_covered_and_told(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    clip = write_scope_clip(tmp_path / "scope.mkv", frames=60, options={"preset": "medium"})
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(range(200, 240)) * 10
    clip.write_bytes(content)
    code, said = run(clip, tmp_path / "out", "--save-video")
    assert code == 1, said
    found = labels(tmp_path / "out" / "scope_labels.json")
    assert found["not_judged"]
    assert all(found["labels"][frame] == 1 for frame in found["not_judged"])
    assert all(found["probabilities"][frame] is None for frame in found["not_judged"])


def test_a_failed_run_leaves_earlier_results_as_they_were(
    run: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_scope_clip(tmp_path / "scope.mp4", frames=4)
    out = tmp_path / "out"
    assert run(clip, out, "--save-video")[0] == 0
    before = {path.name: path.read_bytes() for path in out.glob("scope*")}
    other = write_tiny_network(tmp_path / "net.onnx", gain=-8.0)
    monkeypatch.setattr(endoscopy_tasks, "JudgeJob", _unpicklable)
    code, said = run(clip, out, "--save-video", "--weights", other)
    assert code == 2
    assert "judge failed" in said
    assert {path.name: path.read_bytes() for path in out.glob("scope*")} == before


def _unpicklable(*_: object) -> object:
    return lambda: None
