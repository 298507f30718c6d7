"""Whatever breaks in a room, live: frame by frame no face comes out, the other cameras go on, and it is told."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from or_mv_anon.live.ladder import Step
from or_mv_anon.live.sinks import EncodedSink
from or_mv_anon.live.window import CameraWindow, Decided
from tests.live.room_rig import (
    RATE,
    Picture,
    draw,
    fake_networks,
    in_background,
    number_of,
    pictures,
    room,
    running,
    send,
    shows_face,
    wait_until,
    write_room_clip,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_room_clip(tmp_path_factory.mktemp("clip") / "a.mp4", frames=60)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So long that a busy machine comes to everything that a test waits for."""
    return write_room_clip(tmp_path_factory.mktemp("clip") / "a.mp4", frames=60 * RATE)


def whole(folder: Path, camera: str = "cam1") -> list[bool]:
    """Which pictures that came out are covered whole; no face is in any of them."""
    shown = pictures(folder, camera)
    assert not any(map(shows_face, shown)), [n for n, picture in enumerate(shown) if shows_face(picture)]
    return [number_of(picture) is None for picture in shown]


def test_overload_gives_up_one_thing_after_another_and_in_the_end_covers(long_clip: Path, tmp_path: Path) -> None:
    networks = fake_networks(lambda count: time.sleep(0.5 if armed else 0))
    armed: list[bool] = []
    quick = {"overload": {"watch_s": 0.5}}
    run, said = room(tmp_path, [long_clip, long_clip], networks, live=quick, delay=0.6)
    armed.append(True)
    judge, meter = run.judge, run.cameras["cam1"].meter
    assert judge is not None
    with running(run):
        wait_until(lambda: judge.ladder.step == Step.COVERED)
        before = meter.covered
        wait_until(lambda: meter.covered > before + 10)
    told = " ".join(said)
    places = [told.index(text) for text in ("full -> cadence", "cadence -> size", "size -> covered")]
    assert places == sorted(places)
    assert sum(whole(tmp_path)) > 10
    whole(tmp_path, "cam2")


def test_looks_that_hang_let_nothing_pass_and_every_frame_still_leaves(long_clip: Path, tmp_path: Path) -> None:
    networks = fake_networks(lambda count: time.sleep(3 if armed and count > 4 else 0))
    armed: list[bool] = []
    run, _ = room(tmp_path, [long_clip], networks, delay=0.5)
    armed.append(True)
    networks["detector"].looks = 0
    with running(run):
        wait_until(lambda: run.cameras["cam1"].meter.covered > 20)
    assert sum(whole(tmp_path)) > 10


def test_a_judge_that_hangs_lets_nothing_pass_and_every_frame_still_leaves(
    long_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*arguments: Any) -> Decided:
        time.sleep(3)
        return decide(*arguments)

    decide = CameraWindow.decide
    monkeypatch.setattr(CameraWindow, "decide", slow)
    run, _ = room(tmp_path, [long_clip], fake_networks(), delay=0.5)
    with running(run):
        wait_until(lambda: run.cameras["cam1"].meter.late > 10)
    assert sum(whole(tmp_path)) > 10


def test_a_lost_process_that_decides_is_replaced_and_shows_nothing_that_it_no_longer_knows(
    long_clip: Path, tmp_path: Path
) -> None:
    run, said = room(tmp_path, [long_clip, long_clip], fake_networks(), delay=1.0, beside=True)
    meter = run.cameras["cam1"].meter

    def shown() -> int:
        return meter.frames_out - meter.covered

    with running(run):
        wait_until(lambda: shown() > 10)
        (companion,) = run.companions
        assert companion.process is not None
        os.kill(companion.process, signal.SIGKILL)
        wait_until(lambda: any("Judging failed" in text for text in said))
        before = shown()
        wait_until(lambda: shown() > before + 2 * RATE)
    for camera in ("cam1", "cam2"):
        whole(tmp_path, camera)


def test_a_frozen_camera_is_covered_until_it_moves_again(tmp_path: Path) -> None:
    clip = write_room_clip(
        tmp_path / "a.mp4", frames=90, still=lambda number: min(number, 30) if number < 70 else number
    )
    run, said = room(tmp_path, [clip], fake_networks(), fast=True, live={"faults": {"frozen_s": 1.0}})
    assert run.run() == 0
    covered = whole(tmp_path)
    assert all(covered[50:68]), covered
    assert not any(covered[5:30])
    assert not any(covered[78:])
    assert any("frozen" in text for text in said)
    assert any("sound again" in text for text in said)


def test_a_black_picture_is_told(tmp_path: Path) -> None:
    def dark(number: int, picture: Picture) -> Picture:
        return np.zeros_like(picture) if 30 <= number < 45 else picture

    clip = write_room_clip(tmp_path / "a.mp4", frames=75, change=dark)
    run, said = room(tmp_path, [clip], fake_networks(), fast=True)
    assert run.run() == 0
    covered = whole(tmp_path)
    assert all(covered[32:44])
    assert not any(covered[55:])
    assert any("black" in text for text in said)


def test_a_camera_that_is_turned_is_covered_until_its_new_picture_stands(tmp_path: Path) -> None:
    def turned(number: int, picture: Picture) -> Picture:
        return picture if number < 30 else draw(number, seed=7)

    clip = write_room_clip(tmp_path / "a.mp4", frames=120, change=turned)
    run, said = room(tmp_path, [clip], fake_networks(), fast=True, live={"faults": {"moved_s": 0.4, "settled_s": 1.0}})
    assert run.run() == 0
    covered = whole(tmp_path)
    assert run.cameras["cam1"].meter.moves == 1
    assert all(covered[40:48]), covered
    assert not any(covered[80:])
    assert any("moved" in text for text in said)


def test_damage_is_covered_up_to_the_next_keyframe(tmp_path: Path) -> None:
    clip = write_room_clip(tmp_path / "a.mkv", frames=90, gop=30)
    with av.open(str(clip)) as source, av.open(str(tmp_path / "bad.mkv"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.dts is None:
                continue
            kept = packet if number != 40 else av.Packet(b"\xff" * packet.size)
            kept.pts, kept.dts, kept.time_base, kept.stream = packet.pts, packet.dts, packet.time_base, stream
            target.mux(kept)
    run, _ = room(tmp_path, [tmp_path / "bad.mkv"], fake_networks(), fast=True)
    run.run()
    shown = pictures(tmp_path)
    assert not any(map(shows_face, shown))
    numbers = {number_of(picture) for picture in shown}
    assert not numbers & set(range(40, 60))
    assert numbers >= set(range(65, 90))


def test_a_picture_of_another_size_begins_anew(tmp_path: Path) -> None:
    first = write_room_clip(tmp_path / "one.ts", frames=30)
    large = tmp_path / "two.ts"
    with av.open(str(large), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "12", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 640, 384, "yuv420p"
        for number in range(30, 75):
            picture = np.kron(draw(number), np.ones((2, 2, 1), np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    (tmp_path / "both.ts").write_bytes(first.read_bytes() + large.read_bytes())
    run, _ = room(tmp_path, [tmp_path / "both.ts"], fake_networks(), fast=True)
    run.run()
    shown = pictures(tmp_path)
    assert not any(map(shows_face, shown))
    assert len(shown) >= 60
    assert {picture.shape for picture in shown} == {(192, 320, 3)}
    assert any(number_of(picture) is not None for picture in shown[-20:])


def test_a_server_that_refuses_one_output_stops_neither_the_files_nor_the_others(clip: Path, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"rtsp://127.0.0.1:{closed.getsockname()[1]}/covered"
        run, said = room(tmp_path, [clip, clip], fake_networks(), site=f'output = "{address}CAM"')
    assert run.run() == 0
    assert any("Cannot send" in text for text in said)
    for name, camera in run.cameras.items():
        refused, file = camera.sinks
        assert len(whole(tmp_path, name)) == file.written > RATE
        assert refused.written == file.lost == 0


def test_a_full_disk_loses_pictures_and_nothing_else(
    long_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(self: EncodedSink, picture: av.VideoFrame, moment: float) -> None:
        counted.append(moment)
        if 20 <= len(counted) < 22:  # once more when it is tried again
            raise OSError(errno.ENOSPC, "No space left on device")
        original(self, picture, moment)

    counted: list[float] = []
    original = EncodedSink._encode
    monkeypatch.setattr(EncodedSink, "_encode", encode)
    run, said = room(tmp_path, [long_clip], fake_networks(), delay=0.5)
    folder = tmp_path / "out" / "cam1"
    with running(run):
        wait_until(lambda: folder.is_dir() and len(list(folder.iterdir())) == 2)
    assert sum("The disk is full" in text for text in said) == 1
    assert run.cameras["cam1"].sinks[0].lost > 0
    names = [path.name for path in sorted(folder.iterdir())]
    assert len(names) == 2
    assert ".cut.mp4" in names[0]
    assert len(whole(tmp_path)) >= 19


@pytest.mark.slow
def test_a_killed_run_leaves_files_that_play_and_the_next_one_takes_them_over(tmp_path: Path) -> None:
    clip = write_room_clip(tmp_path / "a.mp4", frames=300)
    script = (
        "import sys; from pathlib import Path; from tests.live.room_rig import fake_networks, room\n"
        "folder, clip = map(Path, sys.argv[1:]); room(folder, [clip], fake_networks(), delay=0.5)[0].run()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), str(clip)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    folder = tmp_path / "out" / "cam1"
    try:
        wait_until(lambda: any(path.stat().st_size > 30_000 for path in folder.glob("*.partial")), 120)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(whole(tmp_path)) > RATE
    run, _ = room(tmp_path, [clip], fake_networks(), fast=True, max_seconds=1.0)
    run.run()
    assert not list(folder.glob("*.partial"))
    assert len(list(folder.glob("*.cut.mp4"))) == 1
    whole(tmp_path)


@pytest.mark.slow
def test_a_lost_camera_is_a_slate_until_it_is_back(clip: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run, said = room(tmp_path, [f"udp://127.0.0.1:{port}", clip], fake_networks(), delay=0.8)
    thread = in_background(run)
    stop = threading.Event()
    sender = threading.Thread(target=send, args=(port, range(60), stop), daemon=True)
    sender.start()
    sender.join(30)
    wait_until(lambda: any("No signal" in text for text in said))
    sender = threading.Thread(target=send, args=(port, range(60, 120), stop), daemon=True)
    sender.start()
    sender.join(30)
    run.ask_to_stop()
    thread.join(20)
    meter = run.cameras["cam1"].meter
    assert meter.reconnects == 1
    assert meter.slates > 0
    shown = pictures(tmp_path)
    assert not any(map(shows_face, shown))
    numbers = [number_of(picture) for picture in shown]
    assert any(number is not None and number < 60 for number in numbers)
    assert any(number is not None and number >= 60 for number in numbers)
    assert not any(map(shows_face, pictures(tmp_path, "cam2")))


def test_a_camera_with_zones_that_was_turned_stays_covered(tmp_path: Path) -> None:
    def turned(number: int, picture: Picture) -> Picture:
        return picture if number < 30 else draw(number, seed=7)

    clip = write_room_clip(tmp_path / "a.mp4", frames=100, change=turned)
    quick = {"faults": {"moved_s": 0.4, "settled_s": 1.0}}
    site = "never_cover = [[0, 150, 320, 192]]"
    run, _ = room(tmp_path, [clip], fake_networks(), fast=True, live=quick, site=site)
    assert run.run() == 0
    covered = whole(tmp_path)
    assert not any(covered[5:25])
    assert all(covered[40:])
