"""The live tool between real streams on this machine: RTSP (GStreamer's server) and UDP."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from tests.endoscopy.scope_clips import write_scope_clip
from tests.endoscopy.tiny_oob_network import write_tiny_network
from tests.live.live_runs import Tool, pictures, shows_room, shows_scope, shows_slate, wait_for

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")
PACKAGES = "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-good"
RATE = 25
DELAY = "1.5"  # seconds: the machine that runs the tests may be busy


def server_is_there() -> bool:
    """Whether the system's Python finds GStreamer's RTSP server and the plug-ins that the tests need."""
    if shutil.which(SYSTEM_PYTHON) is None:
        return False
    look = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
        "Gst.init(None); assert all(map(Gst.ElementFactory.find, ['qtdemux', 'rtph264pay', 'rtph264depay', 'udpsink']))"
    )
    return subprocess.run([SYSTEM_PYTHON, "-c", look], capture_output=True, timeout=60).returncode == 0


pytestmark = pytest.mark.slow  # they run in real time
needs_server = pytest.mark.skipif(not server_is_there(), reason=f"needs the Debian packages {PACKAGES}")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_network(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes; outside in the fourth and fifth second of every ten."""
    outside = [n for n in range(3000) if 3 <= n / RATE % 10 < 5]
    return write_scope_clip(tmp_path_factory.mktemp("clip") / "a.mp4", outside=outside, frames=3000, rate=RATE)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def rtsp(what: str, path: Path, port: int) -> Iterator[str]:
    """A server that plays or records; its address."""
    server = subprocess.Popen(
        [SYSTEM_PYTHON, str(SERVER), str(port), what, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield f"rtsp://127.0.0.1:{port}/scope"
    finally:
        server.kill()
        server.wait()


@needs_server
def test_rtsp_to_file_shows_no_outside_frame(clip: Path, network: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    with rtsp("play", clip, free_port()) as address:
        tool = Tool(source=address, target=out, network=network, more=("--max-seconds", "9", "--delay", DELAY))
        assert tool.end() == 0, tool.said
    after = pictures(out)
    assert len(after) > 5 * RATE
    assert any(shows_scope(picture) for picture in after)
    assert not any(shows_room(picture) for picture in after)
    assert tool.counts()["covered"] >= RATE


@needs_server
def test_rtsp_to_rtsp(clip: Path, network: Path, tmp_path: Path) -> None:
    arrived = tmp_path / "arrived.h264"
    more = ("--max-seconds", "9", "--delay", DELAY)
    with rtsp("play", clip, free_port()) as source, rtsp("record", arrived, free_port()) as target:
        tool = Tool(source=source, target=target, network=network, more=more)
        assert tool.end() == 0, tool.said
        wait_for(lambda: arrived.exists() and arrived.stat().st_size > 0)
        time.sleep(1)
    after = pictures(arrived)
    assert len(after) > 5 * RATE
    assert any(shows_scope(picture) for picture in after)
    assert not any(shows_room(picture) for picture in after)


@needs_server
def test_a_lost_signal_is_a_slate_until_it_is_back(clip: Path, network: Path, tmp_path: Path) -> None:
    out, port = tmp_path / "out.mkv", free_port()
    with rtsp("play", clip, port) as address:
        tool = Tool(source=address, target=out, network=network, more=("--delay", DELAY))
        try:
            wait_for(lambda: out.exists() and out.stat().st_size > 20_000)
            time.sleep(3)
        except BaseException:
            tool.process.kill()
            raise
    try:
        time.sleep(5)
        with rtsp("play", clip, port):
            time.sleep(9)
            assert tool.stop() == 0, tool.said
    finally:
        tool.process.kill()
    after = pictures(out)
    assert not any(shows_room(picture) for picture in after)
    slates = [n for n, picture in enumerate(after) if shows_slate(picture)]
    shown = [n for n, picture in enumerate(after) if shows_scope(picture)]
    assert len(slates) > 2 * RATE
    assert shown[0] < slates[0]
    assert shown[-1] > slates[-1]
    assert tool.counts()["reconnects"] == 1
    assert "No signal from" in tool.said
    assert "is back" in tool.said


@needs_server
def test_with_a_size_the_slate_comes_before_the_input(clip: Path, network: Path, tmp_path: Path) -> None:
    out, port = tmp_path / "out.mkv", free_port()
    more = ("--size", "320x192", "--max-seconds", "14", "--delay", DELAY)
    tool = Tool(source=f"rtsp://127.0.0.1:{port}/scope", target=out, network=network, more=more)
    try:
        wait_for(lambda: out.exists() and out.stat().st_size > 0)
        time.sleep(2)
        with rtsp("play", clip, port):
            assert tool.end() == 0, tool.said
    finally:
        tool.process.kill()
    after = pictures(out)
    assert shows_slate(after[0])
    assert after[0].shape == (192, 320, 3)
    assert tool.counts()["slates"] >= RATE
    assert tool.counts()["frames_in"] > 0


@needs_server
def test_no_server_for_the_output_is_told(clip: Path, network: Path) -> None:
    address = f"rtsp://127.0.0.1:{free_port()}/scope"
    tool = Tool(source=clip, target=address, network=network)
    assert tool.end() == 2, tool.said
    assert f"Cannot send to {address}" in tool.said


def test_an_input_that_never_comes_is_told(network: Path, tmp_path: Path) -> None:
    address = f"rtsp://127.0.0.1:{free_port()}/scope"
    tool = Tool(source=address, target=tmp_path / "out.mkv", network=network, more=("--max-seconds", "1"))
    assert tool.end() == 2, tool.said
    assert f"No picture came from {address}" in tool.said


def test_udp_in_and_out(clip: Path, network: Path, tmp_path: Path) -> None:
    there, back = free_port(), free_port()
    arrived: list[av.VideoFrame] = []
    tool = Tool(
        source=f"udp://127.0.0.1:{there}", target=f"udp://127.0.0.1:{back}?pkt_size=1316", network=network,
        more=("--delay", DELAY, "--max-seconds", "8"),
    )  # fmt: skip
    ended = threading.Event()
    sender = threading.Thread(target=_send, args=(clip, f"udp://127.0.0.1:{there}?pkt_size=1316", ended), daemon=True)
    receiver = threading.Thread(target=_receive, args=(f"udp://127.0.0.1:{back}", arrived), daemon=True)
    try:
        receiver.start()
        sender.start()
        assert tool.end() == 0, tool.said
        receiver.join(20)
    finally:
        ended.set()
        tool.process.kill()
    after = [frame.to_ndarray(format="bgr24") for frame in arrived]
    assert len(after) > 2 * RATE
    assert any(shows_scope(picture) for picture in after)
    assert not any(shows_room(picture) for picture in after)


def _send(clip: Path, address: str, ended: threading.Event) -> None:
    """A camera: the clip as MPEG-TS over UDP at its own pace."""
    with av.open(str(clip)) as source, av.open(address, "w", format="mpegts") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        began = time.monotonic()
        for packet in source.demux(video=0):
            if packet.dts is None or ended.wait(
                max(0.0, began + float(packet.dts * packet.time_base) - time.monotonic())
            ):
                return
            packet.stream = stream
            target.mux(packet)


def _receive(address: str, arrived: list[av.VideoFrame]) -> None:
    try:
        with av.open(address, format="mpegts", timeout=(60, 4)) as container:
            arrived.extend(container.decode(video=0))
    except av.error.FFmpegError:
        return
