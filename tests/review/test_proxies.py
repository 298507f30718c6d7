"""Small copies: every frame of them is the one that it says it is, they fit their room, and nothing else is shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.review.proxies import PreparingError, Proxies
from or_mv_anon.review.run_folder import ReviewedRun, read_run
from or_mv_anon.review.scratch import PREFIX, Scratch, scratch
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
    assert largest <= budget + 2 * whole  # one that is made, and one that it interrupted
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
        before = shown(proxies, "a", 3)
        _until_made(proxies)
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
