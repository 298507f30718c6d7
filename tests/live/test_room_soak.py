"""Hours of a room, quicker than they last, with one fault after another: no face in any frame, memory has an end.

SOAK_HOURS sets how many (half an hour without it). Every frame that comes out is decoded and looked at.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from or_mv_anon.live.sinks import EncodedSink
from tests.live.room_rig import Picture, draw, fake_networks, number_of, room, shows_face, write_room_clip
from tests.live.test_soak import resident_mb

HOURS = float(os.environ.get("SOAK_HOURS", "0.5"))
RATE = 5
CYCLE = 1200  # frames: four minutes
FROZEN, BLACK, ELSEWHERE = range(200, 260), range(400, 430), range(600, 700)
DAMAGED = (900, 1001, 1102)
GROWTH_MB = 40.0


def changed(number: int, picture: Picture) -> Picture:
    if number in BLACK:
        return np.zeros_like(picture)
    return draw(number, seed=7) if number in ELSEWHERE else picture


def drawn(number: int) -> int:
    return FROZEN.start if number in FROZEN else number


def write_hours(path: Path, cycle: Path) -> int:
    """The packets of a cycle again and again, some of them damaged; the number of frames."""
    with av.open(str(cycle)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [(bytes(packet), packet.is_keyframe) for packet in source.demux(video=0) if packet.size]
        count = round(HOURS * 3600 * RATE)
        for number in range(count):
            content, key = packets[number % CYCLE]
            if number % CYCLE in DAMAGED:
                content = b"\xff" * len(content)
            packet = av.Packet(content)
            packet.pts = packet.dts = number
            packet.time_base, packet.is_keyframe, packet.stream = Fraction(1, RATE), key, stream
            target.mux(packet)
    return count


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")
def test_hours_with_faults_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cycle = write_room_clip(tmp_path / "cycle.mkv", frames=CYCLE, rate=RATE, still=drawn, change=changed, gop=50)
    count = write_hours(tmp_path / "hours.mkv", cycle)
    written = [0]
    original = EncodedSink._encode

    def encode(self: EncodedSink, picture: av.VideoFrame, moment: float) -> None:
        written[0] += 1
        if written[0] % 5000 == 4000:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, picture, moment)

    def fail(looks: int) -> None:
        if armed and looks % 1500 in range(700, 720):
            raise RuntimeError("lens fogged")
        if armed and looks % 500 == 0:
            memory.append(resident_mb(os.getpid()))

    armed: list[bool] = []
    memory: list[float] = []
    networks = fake_networks(fail)
    quick = {"output": {"segment_s": 600.0}, "looking": {"still_interval_s": 0.0}}
    run, said = room(tmp_path, [tmp_path / "hours.mkv"], networks, live=quick, fast=True)
    for sink_class in (EncodedSink,):
        monkeypatch.setattr(sink_class, "_encode", encode)
    armed.append(True)
    gc.collect()
    run.run()
    meter = run.cameras["cam1"].meter
    assert meter.frames_in >= count - len(DAMAGED) * (count // CYCLE + 1) - 1
    assert meter.moves >= 2 * (count // CYCLE)
    numbers = checked = 0
    for path in sorted((tmp_path / "out" / "cam1").glob("*.mp4")):
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                picture = frame.to_ndarray(format="rgb24")
                assert not shows_face(picture), (path.name, checked)
                numbers += number_of(picture) is not None
                checked += 1
    warm = memory[len(memory) // 5]
    print(f"{HOURS:g} h: {checked} frames out, {numbers} of them not whole, memory {warm:.0f} to {max(memory):.0f} MB, "
          f"{len(said)} sentences")  # fmt: skip
    assert checked > 0.9 * count
    assert numbers > 0.5 * count
    assert max(memory[len(memory) // 5 :]) - warm < GROWTH_MB
