"""A room between real RTSP servers on this machine: in, out, and a server that goes and comes back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.live.room_rig import fake_networks, in_background, pictures, room, shows_face, wait_until, write_room_clip
from tests.live.test_rtsp import free_port, needs_server, rtsp
from tests.live.test_rtsp import pictures as decoded

pytestmark = [pytest.mark.slow, needs_server]


def test_rtsp_to_files_and_rtsp_with_a_server_that_was_killed(tmp_path: Path) -> None:
    clip = write_room_clip(tmp_path / "a.mp4", frames=900)
    arrived, port = tmp_path / "arrived.h264", free_port()
    with rtsp("record", arrived, free_port()) as target:
        with rtsp("play", clip, port) as source:
            run, said = room(tmp_path, [source], fake_networks(), site=f'output = "{target}"', delay=1.5)
            thread = in_background(run)
            wait_until(lambda: run.cameras["cam1"].meter.frames_out > 45)
        wait_until(lambda: any("No signal" in text for text in said))
        with rtsp("play", clip, port):
            wait_until(lambda: any("is back" in text for text in said))
            time.sleep(3)
            assert run.cameras["cam1"].reader.by_sender
            run.ask_to_stop()
            thread.join(20)
        time.sleep(1)
    meter = run.cameras["cam1"].meter
    assert meter.reconnects == 1
    assert meter.slates > 0
    shown = pictures(tmp_path)
    assert len(shown) > 60
    assert not any(map(shows_face, shown))
    sent = [picture[..., ::-1] for picture in decoded(arrived)]
    assert len(sent) > 45, (said, arrived.exists() and arrived.stat().st_size)
    assert not any(map(shows_face, sent))
