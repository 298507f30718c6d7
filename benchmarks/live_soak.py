"""Hours of a room, quicker than they last, with one fault after another; then minutes of one at its cameras' pace.

    python benchmarks/live_soak.py --hours 24 --minutes 5 --work DIR --out live_soak.json

Every frame of the room carries its number and a face in a colour that nothing else has: wherever that colour can be
seen in what comes out, an unprotected frame went out. All that comes out is decoded and looked at. The networks know
the body by its colour, so that what is tried here is everything but the networks.

In the hours, as quickly as they can be judged, the picture is frozen, black, of a room elsewhere and damaged in every
four minutes, the networks fail and the disk is full now and then. In the minutes, which are real, a camera's cable is
pulled, the server of another is killed (GStreamer's, where it is installed) and looks take four times as long as there
is time for, each for seconds, again and again. In both the process that decides is killed now and then.
"""

from __future__ import annotations

import argparse
import errno
import gc
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from or_mv_anon.live.ladder import Step
from or_mv_anon.live.room import RoomRun
from or_mv_anon.live.sinks import EncodedSink
from tests.live.room_rig import (
    RATE,
    Picture,
    draw,
    fake_networks,
    in_background,
    number_of,
    room,
    send,
    shows_face,
    write_room_clip,
)
from tests.live.test_rtsp import free_port, rtsp, server_is_there
from tests.live.test_soak import resident_mb

SLOW_RATE = 5  # frames per second of the hours
CYCLE = 1200  # frames: four minutes
FROZEN, BLACK, ELSEWHERE = range(200, 260), range(400, 430), range(600, 700)
DAMAGED = (900, 1001, 1102)
LOST_EVERY = 20_000  # looks of the hours after which the process that decides is killed
SLOW_S, EVERY_S = 10.0, 40.0  # seconds of overload, and of a round of the minutes
JOIN_S = 60.0


@dataclass
class Soaked:
    """What came out.

    Attributes:
        frames_in: decoded.
        frames_out: pictures that came out, all of them looked at.
        shown: of these, those that are not covered whole, by their number.
        unprotected: those in which the face can be seen.
        memory_mb: of the run's processes, first after a fifth of the time, then at most.
        told: sentences about faults.
        counts: of the cameras.
    """

    frames_in: int
    frames_out: int
    shown: int
    unprotected: int
    memory_mb: tuple[float, float]
    told: int
    counts: dict[str, dict[str, int]]


def soak_hours(folder: Path, hours: float) -> Soaked:
    """So many hours of one camera from a file, as quickly as they can be judged."""
    cycle = write_room_clip(
        folder / "cycle.mkv", frames=CYCLE, rate=SLOW_RATE, still=_drawn, change=_changed, gop=50
    )  # fmt: skip
    _write_hours(folder / "hours.mkv", cycle, round(hours * 3600 * SLOW_RATE))
    memory: list[float] = []
    armed: list[bool] = []

    def look(count: int) -> None:
        if armed and count % 500 == 0:
            memory.append(_memory_mb(run))
        if armed and count % LOST_EVERY == 0:
            _lose_who_decides(run)
        if armed and count % 1500 in range(700, 720):
            raise RuntimeError("lens fogged")

    quick = {"output": {"segment_s": 600.0}, "looking": {"still_interval_s": 0.0}}
    run, said = room(folder, [folder / "hours.mkv"], fake_networks(look), live=quick, fast=True, beside=True)
    armed.append(True)
    gc.collect()
    with _full_disk_now_and_then():
        run.run()
    return _looked_at(folder, run, said, memory)


def soak_minutes(folder: Path, minutes: float) -> Soaked:
    """So many minutes of three cameras at their own pace: one by UDP, one by RTSP, one from a file."""
    armed: list[bool] = []
    began = time.monotonic()

    def look(count: int) -> None:
        if armed and (time.monotonic() - began) % EVERY_S > EVERY_S - SLOW_S:
            time.sleep(4 * 0.2 / 3)  # three cameras are to be looked at every 0.2 s

    clip = write_room_clip(folder / "clip.mp4", frames=round(60 * minutes * RATE) + 30 * RATE)
    cable, served = free_port(), free_port()
    with_server = server_is_there()
    inputs = [f"udp://127.0.0.1:{cable}", f"rtsp://127.0.0.1:{served}/scope" if with_server else clip, clip]
    run, said = room(folder, inputs, fake_networks(look), delay=1.0, max_seconds=60 * minutes, beside=True)
    armed.append(True)
    memory: list[float] = []
    stop = threading.Event()
    threads = [threading.Thread(target=_pull_now_and_then, args=(cable, stop), daemon=True)]
    if with_server:
        threads.append(threading.Thread(target=_kill_now_and_then, args=(clip, served, stop), daemon=True))
    for thread in threads:
        thread.start()
    steps: set[Step] = set()
    lost = time.monotonic()
    running = in_background(run)
    while running.is_alive():
        memory.append(_memory_mb(run))
        if time.monotonic() - lost > EVERY_S:
            lost = time.monotonic()
            _lose_who_decides(run)
        steps |= set() if run.judge is None else {run.judge.ladder.step}
        running.join(1.0)
    stop.set()
    for thread in threads:
        thread.join(JOIN_S)
    found = _looked_at(folder, run, said, memory)
    found.counts["overload"] = {step.word: int(step in steps) for step in Step}
    return found


def _memory_mb(run: RoomRun) -> float:
    """Of the run and of the process beside it that decides."""
    processes = [os.getpid(), *(companion.process for companion in run.companions if companion.process is not None)]
    with suppress(OSError):  # it was killed just now
        return sum(map(resident_mb, processes))
    return 0.0


def _lose_who_decides(run: RoomRun) -> None:
    """As the kernel does when memory runs out."""
    for companion in run.companions:
        if companion.process is not None:
            os.kill(companion.process, signal.SIGKILL)


def _pull_now_and_then(port: int, stop: threading.Event) -> None:
    """A camera whose cable is pulled for some seconds in every round."""
    for first in itertools.count(0, 400):
        send(port, range(first % 4000, first % 4000 + 400), stop)
        if stop.wait(5.0):
            return


def _kill_now_and_then(clip: Path, port: int, stop: threading.Event) -> None:
    """A server that is killed in every round and comes back on the same port."""
    while not stop.is_set():
        with rtsp("play", clip, port):
            stop.wait(EVERY_S / 2)
        stop.wait(4.0)


def _changed(number: int, picture: Picture) -> Picture:
    if number in BLACK:
        return np.zeros_like(picture)
    return draw(number, seed=7) if number in ELSEWHERE else picture


def _drawn(number: int) -> int:
    return FROZEN.start if number in FROZEN else number


def _write_hours(path: Path, cycle: Path, count: int) -> None:
    """The packets of a cycle again and again, some of them damaged, `count` in all."""
    with av.open(str(cycle)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [(bytes(packet), packet.is_keyframe) for packet in source.demux(video=0) if packet.size]
        for number in range(count):
            content, key = packets[number % CYCLE]
            if number % CYCLE in DAMAGED:
                content = b"\xff" * len(content)
            packet = av.Packet(content)
            packet.pts = packet.dts = number
            packet.time_base, packet.is_keyframe, packet.stream = Fraction(1, SLOW_RATE), key, stream
            target.mux(packet)


@contextmanager
def _full_disk_now_and_then() -> Iterator[None]:
    """One picture in 5,000 cannot be written."""
    original: Callable[[EncodedSink, av.VideoFrame, float], None] = EncodedSink._encode
    written = itertools.count(1)

    def encode(self: EncodedSink, picture: av.VideoFrame, moment: float) -> None:
        if next(written) % 5000 == 4000:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, picture, moment)

    EncodedSink._encode = encode  # type: ignore
    try:
        yield
    finally:
        EncodedSink._encode = original  # type: ignore


def _looked_at(folder: Path, run: RoomRun, said: list[str], memory: list[float]) -> Soaked:
    """Decode and judge every picture that came out."""
    frames = shown = unprotected = 0
    for path in sorted((folder / "out").glob("*/*.mp4")):
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                frames += 1
                shown += number_of(picture) is not None
                unprotected += shows_face(picture)
    meters = {name: camera.meter for name, camera in run.cameras.items()}
    keys = ("frames_in", "frames_out", "covered", "late", "moves", "reconnects", "slates", "failures", "unsent")
    warm = memory[len(memory) // 5 :] or [0.0]
    return Soaked(
        frames_in=sum(meter.frames_in for meter in meters.values()),
        frames_out=frames,
        shown=shown,
        unprotected=unprotected,
        memory_mb=(round(warm[0], 1), round(max(warm), 1)),
        told=len(said),
        counts={name: {key: getattr(meter, key) for key in keys} for name, meter in meters.items()},
    )


def main() -> None:
    """Soak, write the JSON and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--hours", type=float, default=24.0, help="at an accelerated pace (default: 24); 0 for none")
    add("--minutes", type=float, default=5.0, help="in real time (default: 5); 0 for none")
    add("--work", type=Path, required=True, metavar="DIR", help="for material and outputs")
    add("--out", type=Path, required=True, metavar="JSON")
    parsed = parser.parse_args()
    content: dict[str, Any] = {"hours": parsed.hours, "minutes": parsed.minutes}
    for what, soak, length in (
        ("quick", soak_hours, parsed.hours), ("real", soak_minutes, parsed.minutes),
    ):  # fmt: skip
        if length > 0:
            began = time.monotonic()
            (parsed.work / what).mkdir(parents=True, exist_ok=True)
            content[what] = {**asdict(soak(parsed.work / what, length)), "took_s": round(time.monotonic() - began)}
            parsed.out.write_text(json.dumps(content, indent=2) + "\n")
    print(json.dumps(content, indent=2))


if __name__ == "__main__":
    main()
