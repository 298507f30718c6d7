"""The live tool where an input misbehaves: clocks that jump, last frames, passwords, servers that send elsewhere."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from or_mv_anon.cli import main
from or_mv_anon.live.relay import RefusedError, Replies
from or_mv_anon.video.live.timeline import FileClock
from tests.endoscopy.scope_clips import write_scope_clip
from tests.endoscopy.tiny_oob_network import write_tiny_network
from tests.live.live_runs import pictures, shows_room

RATE = 25
FAULTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "faults"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_network(tmp_path_factory.mktemp("network") / "tiny.onnx")


def fast(source: Path, out: Path, network: Path) -> dict[str, float]:
    """Run a file through; its counts."""
    stats = out.with_suffix(".json")
    arguments = ["--input", str(source), "--output", str(out), "--weights", str(network), "--stats", str(stats)]
    assert main(["endoscopy-live", *arguments, "--pace", "fast"]) == 0
    return json.loads(stats.read_text())


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_the_last_frames_of_a_recording_with_b_frames_come_out(suffix: str, network: Path, tmp_path: Path) -> None:
    clip = write_scope_clip(tmp_path / f"b.{suffix}", frames=30, rate=RATE, b_frames=3, outside=range(28, 30))
    counts = fast(clip, tmp_path / "out.mkv", network)
    assert counts["frames_out"] == counts["frames_in"] == 30
    assert counts["skipped"] == 0
    assert not any(shows_room(picture) for picture in pictures(tmp_path / "out.mkv"))


@pytest.mark.parametrize("jump_s", [3600, 47_721, -3, -10_000])
def test_a_clock_that_jumps_costs_a_second(
    jump_s: int, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = 20_000 * 1000  # so that jumps back stay above zero
    pts = [start + n * 40 + (jump_s * 1000 if n >= 30 else 0) for n in range(60)]
    whole = write_scope_clip(tmp_path / "a.mkv", frames=60, rate=RATE)
    clip = spliced(whole, tmp_path / "jump.ts", pts)
    counts = fast(clip, tmp_path / "out.mkv", network)
    assert counts["frames_in"] == 60
    assert 60 <= counts["frames_out"] <= 60 + RATE + 2
    assert counts["clock_jumps"] == 1
    said = capsys.readouterr().err
    assert "jump by" in said
    assert f"{jump_s:+.1f} s" in said or jump_s < -60  # FFmpeg takes so much for a counter that began anew


def spliced(source: Path, target: Path, pts: list[int]) -> Path:
    """A clip without B-frames at other times, in ms: two transport streams, as recorders leave them at a jump."""
    cut = next(n for n in range(1, len(pts)) if abs(pts[n] - pts[n - 1]) > 40)
    parts = []
    for name, first, stop in (("one", 0, cut), ("two", cut, len(pts))):
        part = target.with_name(f"{name}.ts")
        with av.open(str(source)) as reader, av.open(str(part), "w", format="mpegts") as writer:
            stream = writer.add_stream_from_template(reader.streams.video[0])
            for number, packet in enumerate(reader.demux(video=0)):
                if packet.size and first <= number < stop:
                    packet.pts = packet.dts = pts[number]
                    packet.time_base = reader.streams.video[0].time_base
                    packet.stream = stream
                    writer.mux(packet)
        parts.append(part.read_bytes())
    target.write_bytes(b"".join(parts))
    return target


def test_the_clock_of_a_file() -> None:
    clock = FileClock(25)
    times = [5.0, 5.04, 5.12, 5.08, None, 5.16, 9.0, 100.0, 100.04, 3.0, 3.04]
    placed = [clock.placed(time) for time in times]
    after = [round(place, 2) for place, _ in placed]
    assert after == [0.0, 0.04, 0.12, 0.16, 0.2, 0.24, 4.0, 5.0, 5.04, 6.04, 6.08]
    assert [round(jump) for _, jump in placed if jump] == [91, -97]
    assert clock.jumps == 2


@pytest.mark.skipif(not FAULTS.is_dir(), reason="the recordings with faults are not here")
def test_the_recording_whose_clock_jumped(network: Path, tmp_path: Path) -> None:
    counts = fast(FAULTS / "live_timestamp_gap.mkv", tmp_path / "out.mkv", network)
    assert counts["frames_in"] == 30
    assert counts["slates"] <= RATE


@contextmanager
def server(*replies: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives the n-th request the n-th reply; its port and what was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    for reply in [*replies, b""]:
                        request = client.recv(4096)
                        asked.append(request)
                        number = request.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
                        client.sendall(reply.replace(b"CSEQ", number))

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], asked
        listener.shutdown(socket.SHUT_RDWR)


OK = b"RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n"


@pytest.mark.parametrize("status", [b"301 Moved Permanently", b"302 Moved Temporarily", b"305 Use Proxy"])
@pytest.mark.parametrize("at", ["first", "second"])
def test_a_server_that_sends_elsewhere_is_not_followed(
    status: bytes, at: str, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(OK) as (elsewhere, visited):
        location = f"rtsp://127.0.0.1:{elsewhere}/other".encode()
        away = b"RTSP/1.0 " + status + b"\r\nCSeq: CSEQ\r\nLocation: " + location + b"\r\n\r\n"
        with server(*([away] if at == "first" else [OK, away])) as (port, asked):
            address = f"rtsp://anna:SECRET@127.0.0.1:{port}/scope?token=SECRET"
            arguments = ["--input", address, "--output", str(tmp_path / "out.mkv"), "--weights", str(network)]
            code = main(["endoscopy-live", *arguments, "--max-seconds", "30"])
        said = capsys.readouterr()
    assert code == 2
    assert asked
    assert visited == []
    assert "redirects" in said.err
    assert "SECRET" not in said.out + said.err


def test_passwords_reach_neither_the_terminal_nor_the_figures(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an output that is not there, and of an input beside it that is."""
    clip = write_scope_clip(tmp_path / "a.mp4", frames=10, rate=RATE)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        target = f"rtsp://anna:SECRET@127.0.0.1:{closed.getsockname()[1]}/in?key=SECRET"
        arguments = ["--input", str(clip), "--weights", str(network), "--pace", "fast"]
        assert main(["endoscopy-live", *arguments, "--output", target]) == 2
    stats = tmp_path / "stats.json"
    udp = "udp://127.0.0.1:9?pkt_size=1316&localaddr=127.0.0.1"
    assert main(["endoscopy-live", *arguments, "--output", udp, "--stats", str(stats)]) == 0
    with pytest.raises(SystemExit):
        main(["endoscopy-live", "--inptu", target, "--input", "x", "--output", "y"])
    assert main(["endoscopy-live", "--input", "htp://anna:SECRET@host/a", "--output", "window.mp4"]) == 2
    assert main(["endoscopy-live", "--input", "anna:SECRET@host/a", "--output", "window.mp4"]) == 2
    said = capsys.readouterr()
    assert "SECRET" not in said.out + said.err
    assert "localaddr" not in said.out + said.err + stats.read_text()


def test_replies_and_packets_are_told_apart() -> None:
    body = b"v=0\r\nRTSP/1.0 302 in a body\r\n"
    stream = (
        OK + b"$\x00\x00\x1bRTSP/1.0 302 in a packet\r\n\r\n" + b"RTSP/1.0 200 OK\r\nContent-Length: 29\r\n\r\n" + body
    )
    for size in (1, 7, len(stream)):
        replies = Replies()
        passed = b"".join(replies.passed(stream[i : i + size]) for i in range(0, len(stream), size))
        assert passed == stream
    for bad in (b"RTSP/1.0 302 Found\r\n\r\n", b"rtsp\r\n$\r\n\r\n", b"x" * 70_000):
        with pytest.raises(RefusedError):
            Replies().passed(stream + bad)
