"""The live tool on files: covered within the delay, slow or failing judges, a clean stop, and a killed tool."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import av
import numpy as np
import pytest

from or_mv_anon.cli import main
from or_mv_anon.core.config import load_config
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.live.run import LiveOptions, LiveRun
from or_mv_anon.video.live.places import parse_input, parse_output
from tests.endoscopy.scope_clips import write_scope_clip
from tests.endoscopy.tiny_oob_network import write_tiny_network
from tests.live.live_runs import Tool, pictures, playable, shows_room, shows_scope, wait_for

OUTSIDE = range(50, 80)
RATE = 25


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_network(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scope_clip(tmp_path_factory.mktemp("clip") / "a.mp4", outside=OUTSIDE, frames=130, rate=RATE)


class Judge(OutOfBodyClassifier):
    """The tiny network, with mishaps."""

    pause = 0.0
    fails_at = range(0)
    number = 0

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        time.sleep(self.pause)
        first, self.number = self.number, self.number + len(batch)
        if any(number in self.fails_at for number in range(first, self.number)):
            raise RuntimeError("lens fogged")
        return super().probabilities(batch)


def live_run(source: Path, target: Path, judge: OutOfBodyClassifier, **options: object) -> LiveRun:
    places = {"input": parse_input(str(source)), "output": parse_output(str(target), overwrite=False)}
    chosen = LiveOptions(**places, **options)  # type: ignore[arg-type]
    return LiveRun(chosen, load_endoscopy_config(), load_config().operators, judge)


@pytest.mark.parametrize("method", ["pixelate", "blur", "solid"])
def test_no_outside_frame_is_shown_and_the_inside_is(method: str, clip: Path, network: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    arguments = ["--input", str(clip), "--output", str(out), "--weights", str(network), "--pace", "fast"]
    assert main(["endoscopy-live", *arguments, "--method", method]) == 0
    before, after = pictures(clip), pictures(out)
    assert len(after) == len(before) == 130
    assert [n for n, picture in enumerate(before) if shows_room(picture)] == list(OUTSIDE)
    assert not any(shows_room(picture) for picture in after)
    shown = {n for n, picture in enumerate(after) if shows_scope(picture)}
    assert shown >= {*range(40), *range(95, 130)}
    assert not shown & {*range(44, 92)}


def test_a_file_at_its_own_pace_keeps_delay_and_rate(clip: Path, network: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    run = live_run(clip, out, OutOfBodyClassifier(network), delay=1.0)
    began = time.monotonic()
    assert run.run() == 0
    assert time.monotonic() - began >= 130 / RATE
    counts = run.meter.summary()
    assert counts["frames_in"] == 130
    assert counts["latency_p50_s"] >= 1.0
    assert not any(shows_room(picture) for picture in pictures(out))


def test_a_slow_judge_makes_frames_leave_covered(clip: Path, network: Path, tmp_path: Path) -> None:
    judge = Judge(network)
    judge.pause = 0.7
    run = live_run(clip, tmp_path / "out.mkv", judge, delay=0.5, max_seconds=3.0)
    assert run.run() == 0
    assert run.meter.late > 0
    assert run.meter.covered + run.meter.skipped >= run.meter.frames_out - run.meter.repeated - run.meter.slates
    shown = pictures(tmp_path / "out.mkv")
    assert shown
    assert not any(shows_room(picture) or shows_scope(picture) for picture in shown)


def test_a_judge_that_hangs_lets_nothing_pass(clip: Path, network: Path, tmp_path: Path) -> None:
    judge = Judge(network)
    judge.pause = 6.0
    run = live_run(clip, tmp_path / "out.mkv", judge, max_seconds=2.0)
    run.run()
    assert not any(shows_room(picture) or shows_scope(picture) for picture in pictures(tmp_path / "out.mkv"))


def test_frames_that_judging_fails_on_are_covered_and_told(
    clip: Path, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = Judge(network)
    judge.fails_at = range(10, 12)
    out = tmp_path / "out.mkv"
    run = live_run(clip, out, judge, fast=True)
    assert run.run() == 1
    assert "lens fogged" in capsys.readouterr().err
    after = pictures(out)
    assert len(after) == 130
    assert not any(shows_scope(picture) for picture in after[10:12])
    assert any(shows_scope(picture) for picture in after)


def test_what_follows_a_damaged_packet_is_covered_up_to_the_next_keyframe(network: Path, tmp_path: Path) -> None:
    whole = write_scope_clip(tmp_path / "whole.mkv", frames=150, rate=RATE, gop=50)
    bad = tmp_path / "bad.mkv"
    with av.open(str(whole)) as source, av.open(str(bad), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.dts is None:
                continue
            kept = packet if number != 60 else av.Packet(b"\xff" * packet.size)
            kept.pts, kept.dts, kept.time_base, kept.stream = packet.pts, packet.dts, packet.time_base, stream
            target.mux(kept)
    run = live_run(bad, tmp_path / "out.mkv", OutOfBodyClassifier(network), fast=True)
    assert run.run() == 0
    after = pictures(tmp_path / "out.mkv")
    shown = {n for n, picture in enumerate(after) if shows_scope(picture)}
    assert not shown & {*range(61, 100)}
    assert shown >= {*range(45), *range(120, 150)}


def test_a_turned_recording_comes_out_upright(network: Path, tmp_path: Path) -> None:
    clip = write_scope_clip(tmp_path / "turned.mp4", frames=30, rate=RATE, rotation=90)
    assert live_run(clip, tmp_path / "out.mp4", OutOfBodyClassifier(network), fast=True).run() == 0
    after = pictures(tmp_path / "out.mp4")
    assert len(after) == 30
    assert after[0].shape == (160, 96, 3)


def test_another_size_and_a_single_frame(network: Path, tmp_path: Path) -> None:
    clip = write_scope_clip(tmp_path / "one.mp4", frames=1, rate=RATE)
    run = live_run(clip, tmp_path / "out.mp4", OutOfBodyClassifier(network), fast=True, size=(320, 192))
    assert run.run() == 0
    (picture,) = pictures(tmp_path / "out.mp4")
    assert picture.shape == (192, 320, 3)


@pytest.mark.parametrize(
    ("how", "suffix"),
    [
        (signal.SIGTERM, "mp4"),
        pytest.param(signal.SIGINT, "mkv", marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, "mp4", marks=pytest.mark.slow),
        (signal.SIGKILL, "mkv"),
    ],
)
def test_an_ended_tool_leaves_a_file_that_plays(how: int, suffix: str, network: Path, tmp_path: Path) -> None:
    clip = write_scope_clip(tmp_path / "long.mp4", outside=range(25, 50), frames=1500, rate=RATE)
    out = tmp_path / f"out.{suffix}"
    tool = Tool(source=clip, target=out, network=network)
    try:
        wait_for(lambda: playable(out) > RATE)
        code = tool.stop(how)
    finally:
        tool.process.kill()
    after = pictures(out)
    assert len(after) > RATE
    assert not any(shows_room(picture) for picture in after)
    if how != signal.SIGKILL:
        assert code == 0, tool.said
        assert "Done: latency p50" in tool.said
        assert tool.counts()["frames_out"] == len(after)


def test_the_test_pattern_runs(network: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    arguments = ["--input", "-", "--output", str(out), "--weights", str(network), "--size", "160x96"]
    assert main(["endoscopy-live", *arguments, "--max-seconds", "1"]) == 0
    assert len(pictures(out)) in range(1, 27)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (["--delay", "0"], "--delay is 0"),
        (["--size", "100"], "--size is 100"),
        (["--size", "101x96"], "even numbers"),
        (["--max-seconds", "0"], "--max-seconds"),
        (["--input", "nothing.mp4"], "no file nothing.mp4"),
        (["--input", "-", "--pace", "fast"], "--pace fast is for files"),
        (["--preset", "hasty"], "hasty"),
        (["--output", "udp://host:not-a-port"], "udp://host"),
    ],
)
def test_wrong_options_end_with_one_sentence(
    change: list[str], told: str, clip: Path, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--input", str(clip), "--output", str(tmp_path / "out.mp4"), "--weights", str(network)]
    assert main(["endoscopy-live", *arguments, *change]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "Internal error" not in said


@pytest.mark.parametrize("content", [b"", b"not a video at all", None])
def test_bad_inputs_end_with_one_sentence(
    content: bytes | None, clip: Path, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(clip.read_bytes()[:600] if content is None else content)
    arguments = ["--input", str(bad), "--output", str(tmp_path / "out.mp4"), "--weights", str(network)]
    assert main(["endoscopy-live", *arguments]) == 2
    said = capsys.readouterr().err
    assert "bad.mp4" in said
    assert "Internal error" not in said
