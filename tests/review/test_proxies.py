"""Small copies: every frame of them is the one that it says it is, they fit their room, and nothing else is shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.review.covered_video import Picture, open_covered
from or_mv_anon.review.proxies import MOST_THREADS, PreparingError, Proxies
from or_mv_anon.review.run_folder import ReviewedRun, read_run
from or_mv_anon.review.scratch import PREFIX, Scratch, scratch
from or_mv_anon.review.still_reader import StillReader
from or_mv_anon.video.encoding import encoder_options
from tests.review.review_scenes import View, code_in, write_reviewed

PATIENCE_S = 60


@pytest.fixture
def run(tmp_path: Path) -> ReviewedRun:
    return read_run(write_reviewed(tmp_path / "out", {"a": View(230), "b": View(60, offset=1.0, missing=(7, 8))}))


@pytest.fixture
def proxies(run: ReviewedRun, tmp_path: Path) -> Iterator[Proxies]:
    (tmp_path / "room").mkdir()
    made = Proxies(run, Scratch(tmp_path / "room", 1 << 30))
    made.start()
    yield made
    made.end()


def shown(proxies: Proxies, camera: str, frame: int, *, played: bool = False) -> np.ndarray:
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit:
        try:
            return proxies.picture(camera, frame, played=played)
        except PreparingError:
            proxies.wait(camera, frame, 5)
    raise AssertionError("it was not made in time")


def test_every_frame_in_any_order_is_the_one_asked_for(run: ReviewedRun, proxies: Proxies):
    order = np.random.default_rng(1).permutation(len(run.camera("a")))
    assert [code_in(shown(proxies, "a", int(frame))) for frame in order] == [(0, frame) for frame in order]


def test_frames_that_the_output_lacks_shift_nothing(run: ReviewedRun, proxies: Proxies):
    camera = run.camera("b")
    assert len(camera) == 58
    assert [code_in(shown(proxies, "b", frame))[1] for frame in range(len(camera))] == camera.numbers.tolist()


def test_an_output_that_is_not_the_runs_is_not_shown(tmp_path: Path):
    out = write_reviewed(tmp_path / "out", {"a": View(), "b": View()})
    run = read_run(out)
    (out / "a.mp4").write_bytes((out / "b.mp4").read_bytes())
    (tmp_path / "room").mkdir()
    proxies = Proxies(run, Scratch(tmp_path / "room", 1 << 30))
    proxies.start()
    try:
        shown(proxies, "b", 0)
        with pytest.raises(UserError, match="may show faces"):
            shown(proxies, "a", 0)
    finally:
        proxies.end()


def test_a_long_recording_stays_within_its_room(tmp_path: Path):
    run = read_run(write_reviewed(tmp_path / "out", {"a": View(3000, gop=50)}))
    folder = tmp_path / "room"
    folder.mkdir()
    budget = 150_000
    proxies = Proxies(run, Scratch(folder, budget))
    proxies.start()
    largest = 0
    try:
        for turn, frame in enumerate(np.random.default_rng(2).integers(0, 3000, 60).tolist()):
            assert code_in(shown(proxies, "a", frame, played=turn % 3 > 0)) == (0, frame)
            largest = max(largest, sum(file.stat().st_size for file in folder.iterdir()))
    finally:
        proxies.end()
    whole = max(file.stat().st_size for file in folder.iterdir())
    assert largest <= budget + 2 * MOST_THREADS * whole  # by each thread one that is made, and one that it interrupted
    assert largest > budget / 2


def test_copies_are_for_this_user_alone_and_gone_afterwards(tmp_path: Path, run: ReviewedRun):
    with scratch(tmp_path) as room:
        proxies = Proxies(run, room)
        proxies.start()
        shown(proxies, "a", 0)
        proxies.end()
        assert room.folder.stat().st_mode & 0o077 == 0
        assert any(room.folder.iterdir())
    assert not room.folder.exists()


def test_what_a_killed_review_left_behind_is_removed_by_the_next(tmp_path: Path):
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / "lock").touch()
    (left / "0001-000000").write_bytes(b"packets")
    with scratch(tmp_path) as in_use, scratch(tmp_path):
        assert not left.exists()
        assert in_use.folder.exists()


def test_after_another_rendering_only_what_changed_is_made_again(tmp_path: Path):
    out = write_reviewed(tmp_path / "out", {"a": View(), "b": View()})
    (tmp_path / "room").mkdir()
    proxies = Proxies(read_run(out), Scratch(tmp_path / "room", 1 << 30))
    proxies.start()
    try:
        _until_made(proxies)
        before = shown(proxies, "a", 3)
        proxies.pause()
        (tmp_path / "other").mkdir()
        write_reviewed(tmp_path / "other", {"a": View(), "b": View(gop=7)})
        for name in ("b.mp4", "audit.json"):
            (out / name).write_bytes((tmp_path / "other" / name).read_bytes())
        kept = {file.name for file in (tmp_path / "room").iterdir()}
        proxies.renew(read_run(out))
        assert code_in(shown(proxies, "b", 3)) == (1, 3)
        assert np.array_equal(shown(proxies, "a", 3), before)
        _until_made(proxies)
        now = {file.name for file in (tmp_path / "room").iterdir()}
        assert [name[:4] for name in sorted(now & kept)] == ["0001"]
        assert {name[:4] for name in now - kept} == {"0003"}
    finally:
        proxies.end()


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1", "libvpx-vp9"])
def test_single_pictures_are_the_very_ones_that_decoding_everything_gives(tmp_path: Path, codec: str):
    encoder = encoder_options(codec, crf=18, preset="superfast", threads=1)
    run = read_run(write_reviewed(tmp_path / "out", {"a": View(70, gop=30, codec=codec, encoder=encoder)}))
    video = open_covered(run.camera("a"))
    whole = [each.copy() for number in range(len(video.stretches)) for each in video.pictures(number, (320, 180))]
    reader = StillReader(video, (320, 180))
    for frame in [*np.random.default_rng(3).permutation(70).tolist(), *range(70), *range(69, 0, -7)]:
        picture = reader.read(frame)
        assert picture is not None
        assert code_in(picture) == (0, frame)
        assert np.array_equal(picture, whole[frame]), frame
    assert reader.read(5, lambda: False) is None
    assert np.array_equal(reader.read(6), whole[6])
    reader.close()


def test_nobody_waits_for_a_camera_behind_another_one(tmp_path: Path):
    names = ("a", "b", "c")
    run = read_run(write_reviewed(tmp_path / "out", {name: View(260, gop=250) for name in names}))
    (tmp_path / "room").mkdir()
    proxies = Proxies(run, Scratch(tmp_path / "room", 1 << 30))  # its thread for copies never begins
    proxies._stills.start()
    try:
        proxies.ask(dict.fromkeys(names, 249))
        for name in names:
            proxies.wait(name, 249, PATIENCE_S)
        assert [code_in(proxies.picture(name, 249)) for name in names] == [(0, 249), (1, 249), (2, 249)]
    finally:
        proxies.end()


def test_of_single_pictures_only_so_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("or_mv_anon.review.stills.MOST_BYTES", 5 * 320 * 180 * 3)
    run = read_run(write_reviewed(tmp_path / "out", {"a": View(100)}))
    (tmp_path / "room").mkdir()
    proxies = Proxies(run, Scratch(tmp_path / "room", 1 << 30))
    proxies._stills.start()
    try:
        for frame in np.random.default_rng(4).permutation(100)[:30].tolist():
            assert code_in(shown(proxies, "a", frame)) == (0, frame)
            assert len(proxies._stills._kept) <= 5
    finally:
        proxies.end()


def test_the_next_cases_pictures_are_there_before_anybody_asks(tmp_path: Path):
    run = read_run(write_reviewed(tmp_path / "out", {name: View(300, gop=60) for name in ("a", "b")}))
    (tmp_path / "room").mkdir()
    proxies = Proxies(run, Scratch(tmp_path / "room", 1 << 30), [("a", 1.0), ("a", 6.0), ("b", 11.0)])
    proxies.look("a", 1.0)
    proxies.start()
    try:
        for second in (6.0, 11.0):
            for name in ("a", "b"):
                frame = run.camera(name).frame_at(second)
                assert frame is not None
                proxies.wait(name, frame, PATIENCE_S)
                picture = proxies._stills.kept(name, frame)  # not one of a copy: those are made later
                assert picture is not None
                assert code_in(picture)[1] == frame
    finally:
        proxies.end()


def test_who_asks_again_does_not_have_it_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    begun, go = [], threading.Event()

    class Slow(StillReader):
        def read(self, frame: int, wanted: Callable[[], bool] = lambda: True) -> Picture | None:
            begun.append(frame)
            go.wait(PATIENCE_S)
            return super().read(frame, wanted)

    monkeypatch.setattr("or_mv_anon.review.proxies.StillReader", Slow)
    run = read_run(write_reviewed(tmp_path / "out", {"a": View(60)}))
    (tmp_path / "room").mkdir()
    proxies = Proxies(run, Scratch(tmp_path / "room", 1 << 30))
    proxies._stills.start()
    try:
        proxies.look("a", 1.0)
        proxies.ask({"a": 25})
        proxies.wait("a", 25, 0.2)
        proxies.look("a", 1.0)
        go.set()
        proxies.wait("a", 25, PATIENCE_S)
        assert code_in(proxies.picture("a", 25)) == (0, 25)
        assert begun == [25]
    finally:
        go.set()
        proxies.end()


def test_a_single_picture_does_not_wait_for_what_is_prepared(tmp_path: Path):
    run = read_run(write_reviewed(tmp_path / "out", {"a": View(600, gop=300)}))
    (tmp_path / "room").mkdir()
    proxies = Proxies(run, Scratch(tmp_path / "room", 1 << 30))
    proxies.start()
    try:
        assert code_in(shown(proxies, "a", 597)) == (0, 597)
        assert sum(float(each["made"]) for each in proxies.progress().values()) < 1
        for frame in (598, 590, 12, 299):
            assert code_in(shown(proxies, "a", frame)) == (0, frame)
    finally:
        proxies.end()


def _until_made(proxies: Proxies) -> None:
    limit = time.monotonic() + PATIENCE_S
    while any(float(each["made"]) < 1 for each in proxies.progress().values()):
        assert time.monotonic() < limit
        time.sleep(0.02)
    time.sleep(0.1)  # the last stretch is finished after its last frame
