"""Many cases at a glance: pages are counted by their loops, and only what a tile shows is seen."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.glancing import looks, page_seconds, share_seen
from or_mv_anon.evaluation.stretches import Stretch
from tests.review.review_scenes import case

SIZES = {"a": (1920, 1080), "b": (1920, 1080)}
PLACE = (900.0, 500.0, 960.0, 560.0)


def near(number: int, **more: Any) -> Any:
    return case(number, 1.0, 1.4, "a", boxes={"a": PLACE}, **more)


def stretch(face: tuple[float, float, float, float], *, start: float = 1.0) -> Stretch:
    return Stretch(
        camera="a", person=1, role="", start=start, end=start + 0.4, session_start=start, session_end=start + 0.4,
        first_frame=0, last_frame=9, face_frames=10, face=face, why="nothing_detected",
    )  # fmt: skip


def test_nine_loops_are_a_page_and_what_is_too_wide_comes_after() -> None:
    wide = case(99, 1.0, 1.5, "a", "b", review_s=2.2)
    found = list(looks([wide, *(near(number) for number in range(11))], SIZES))
    assert [(len(page), tiled) for page, _, tiled in found] == [(9, True), (2, True), (1, False)]
    assert [seconds for _, seconds, _ in found] == pytest.approx([1 + 9 * 0.6, 1 + 2 * 0.6, 2.2])
    assert page_seconds([case(1, 1.0, 3.0, "a", boxes={"a": PLACE})]) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("face", "start", "minutes", "seen"),
    [
        ((920, 520, 940, 540), 1.0, 0.5, 1.0),
        ((860, 520, 880, 540), 1.0, 0.5, 1.0),  # beside the place
        ((300, 520, 320, 540), 1.0, 0.5, 0.0),  # elsewhere in the picture
        ((920, 520, 940, 540), 2.0, 0.5, 0.0),  # at another moment
        ((920, 520, 940, 540), 1.0, 0.02, 0.0),  # before there was time
    ],
)
def test_only_what_a_tile_shows_is_seen(face: Any, start: float, minutes: float, seen: float) -> None:
    found = share_seen([near(1)], [stretch(face, start=start)], SIZES, minutes=minutes, camera_hours=0.1)
    assert found == seen


def test_where_nothing_is_exposed_everything_is_seen() -> None:
    assert share_seen([near(1)], [], SIZES, minutes=1, camera_hours=1) == 1.0
