"""An hour of video through the live line, quicker than it lasts: memory has an end, and no outside frame comes out."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import pytest

from tests.endoscopy.scope_clips import write_scope_clip
from tests.endoscopy.tiny_oob_network import write_tiny_network
from tests.live.live_runs import Tool, shows_room, wait_for

RATE, HOUR = 25, 3600
GROWTH_MB = 30.0


def resident_mb(process: int) -> float:
    """Memory that a process holds, in MB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def write_hour(path: Path, minute: Path) -> int:
    """The packets of a clip, again and again for an hour; the number of frames."""
    count = 0
    with av.open(str(minute)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [
            (bytes(packet), packet.pts, packet.dts, packet.is_keyframe, packet.time_base, packet.duration)
            for packet in source.demux(video=0)
            if packet.dts is not None
        ]
        span = len(packets) * packets[0][5]
        while count < HOUR * RATE:
            for content, pts, dts, key, base, duration in packets:
                packet = av.Packet(content)
                shift = count // len(packets) * span
                packet.pts, packet.dts, packet.time_base, packet.duration = pts + shift, dts + shift, base, duration
                packet.is_keyframe = key
                packet.stream = stream
                target.mux(packet)
            count += len(packets)
    return count


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")
def test_an_hour_in_bounded_memory(tmp_path: Path) -> None:
    minute = tmp_path / "minute.mp4"
    write_scope_clip(
        minute, outside=range(400, 650), frames=60 * RATE, rate=RATE, size=(96, 64),
        options={"preset": "ultrafast", "crf": "20"},
    )  # fmt: skip
    frames = write_hour(tmp_path / "hour.mp4", minute)
    network = write_tiny_network(tmp_path / "tiny.onnx")
    out = tmp_path / "out.mkv"
    tool = Tool(
        source=tmp_path / "hour.mp4", target=out, network=network, more=("--pace", "fast", "--preset", "ultrafast")
    )
    held: list[float] = []
    try:
        wait_for(lambda: out.exists() and out.stat().st_size > 500_000)

        def ended() -> bool:
            if tool.process.poll() is None:
                held.append(resident_mb(tool.process.pid))
            return tool.process.poll() is not None

        wait_for(ended, 1800)
        assert tool.end() == 0, tool.said
    finally:
        tool.process.kill()
    counts = tool.counts()
    assert counts["frames_in"] == counts["frames_out"] == frames >= HOUR * RATE
    assert counts["late"] == counts["failures"] == 0
    running = [value for value in held if value > 0]
    warm = running[len(running) // 10]
    print(f"memory: {warm:.0f} MB after warming up, at most {max(running):.0f} MB later")
    assert max(running[len(running) // 10 :]) - warm < GROWTH_MB
    with av.open(str(out)) as container:
        checked = sum(not shows_room(frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0))
    assert checked == frames
