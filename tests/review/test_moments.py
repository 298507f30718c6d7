"""Any moment of the session is one exact frame of every camera, whatever their clocks and gaps."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.review.moments import Moments
from or_mv_anon.review.proxies import Proxies
from or_mv_anon.review.run_folder import ReviewedRun, read_run
from or_mv_anon.review.scratch import Scratch
from tests.review.review_scenes import View, code_in, write_reviewed

VIEWS = {
    "a": View(50),
    "b": View(50, offset=0.4),
    "c": View(30, start=0.2, rate=15, missing=(3, 4)),
    "d": View(40, offset=-1.0, start=1.0),
}
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ReviewedRun:
    return read_run(write_reviewed(tmp_path_factory.mktemp("run") / "out", VIEWS))


@pytest.fixture
def moments(run: ReviewedRun, tmp_path: Path) -> Iterator[Moments]:
    proxies = Proxies(run, Scratch(tmp_path, 1 << 30))
    proxies.start()
    yield Moments(run, proxies)
    proxies.end()


def unpacked(data: bytes) -> list[tuple[float, dict[str, Any]]]:
    """(second, {camera: shot, with the picture's own code under `code`}) of every moment."""
    found, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        about = json.loads(data[at + 4 : at + 4 + size])
        at += 4 + size
        for shot in about["shots"]:
            jpeg = np.frombuffer(data[at : at + shot["bytes"]], np.uint8)
            shot["code"] = code_in(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)) if shot["bytes"] else None
            at += shot["bytes"]
        found.append((about["second"], {shot["camera"]: shot for shot in about["shots"]}))
    return found


def expected(view: View, second: float) -> int | None:
    """The frame that a camera shows at a moment, by the plainest rule: the last one that has begun."""
    begins = [view.start + frame / view.rate + view.offset for frame in range(view.frames)]
    left = [frame for frame in range(view.frames) if frame not in view.missing and begins[frame] <= second + 1e-6]
    return left[-1] if left and second < begins[-1] + 1 / view.rate - 1e-6 else None


def test_random_moments_show_exactly_the_frames_of_that_moment(run: ReviewedRun, moments: Moments):
    start, end = run.span
    for second in np.random.default_rng(0).uniform(start, end - 1e-3, 60).tolist():
        ((_, shots),) = unpacked(b"".join(moments.packed([second], [], patience=PATIENCE_S)))
        for number, (name, view) in enumerate(VIEWS.items()):
            frame = expected(view, second)
            assert shots[name]["code"] == (None if frame is None else (number, frame)), (name, second)
            assert shots[name]["state"] == ("nothing" if frame is None else "shown")


def test_a_moment_at_which_a_frame_begins_shows_that_frame(run: ReviewedRun, moments: Moments):
    for name in VIEWS:
        camera = run.camera(name)
        assert [camera.frame_at(second) for second in camera.seconds.tolist()] == list(range(len(camera)))


def test_steps_go_through_every_frame_of_the_camera_that_leads(run: ReviewedRun, moments: Moments):
    seconds = moments.seconds(0.2, camera="c", skip=1, count=40)
    shown = unpacked(b"".join(moments.packed(seconds, ["c"], patience=PATIENCE_S)))
    assert [shots["c"]["frame"] for _, shots in shown][:28] == [1, 2, *range(5, 30), -1]
    assert moments.seconds(0.2 + 5 / 15, camera="c", skip=-1) == [pytest.approx(0.2 + 2 / 15)]


def test_where_the_leading_camera_shows_nothing_the_others_go_on(run: ReviewedRun, moments: Moments):
    seconds = moments.seconds(run.camera("c").end - 0.01, camera="c", skip=1, count=5)
    assert len(seconds) == 5
    assert all(second < run.span[1] for second in seconds)
    assert moments.seconds(run.span[1] - 0.01, camera="c", skip=1, count=5) == []


def test_what_is_not_there_yet_is_said_not_replaced(run: ReviewedRun, tmp_path: Path):
    idle = Moments(run, Proxies(run, Scratch(tmp_path, 1 << 30)))  # nothing is made
    ((_, shots),) = unpacked(b"".join(idle.packed([0.5], [], patience=0.0)))
    assert {shot["state"] for shot in shots.values()} == {"preparing"}
    assert all(shot["code"] is None for shot in shots.values())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda audit: audit["options"].update(method="none"), "nothing to review"),
        (lambda audit: audit["outputs"].clear(), "no finished video"),
        (lambda audit: audit.pop("cameras"), "cannot be read"),
    ],
)
def test_folders_that_cannot_be_reviewed_are_refused_in_a_sentence(tmp_path: Path, change: Any, words: str):
    out = write_reviewed(tmp_path / "out", {"a": View(4)})
    audit = json.loads((out / "audit.json").read_text())
    change(audit)
    (out / "audit.json").write_text(json.dumps(audit))
    with pytest.raises(UserError, match=words):
        read_run(out)


def test_a_folder_of_sessions_names_them(tmp_path: Path):
    write_reviewed(tmp_path / "site" / "monday", {"a": View(4)})
    with pytest.raises(UserError, match="pass one of them: monday"):
        read_run(tmp_path / "site")


def test_a_run_of_a_part_is_on_the_sessions_clock(tmp_path: Path):
    out = write_reviewed(tmp_path / "out", {"a": View(10, offset=2.0)})
    audit = json.loads((out / "audit.json").read_text())
    audit["options"]["start"] = 7.0
    (out / "audit.json").write_text(json.dumps(audit))
    assert read_run(out).camera("a").seconds[0] == pytest.approx(7.0)  # the output begins at 0, the session at 7
