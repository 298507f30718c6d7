"""What a reviewer drew is covered as it was drawn, for as long as it was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.corrections.actions import Cover, Keyframe
from or_mv_anon.regions.source import Drawn
from or_mv_anon.regions.sources.manual import drawn_regions

CONFIG = load_config().manual
FRAMES, RATE = 100, 10
SIZE = (200, 100)
BOX = (50.0, 20.0, 70.0, 40.0)
EARLIER = 30.0  # the session's clock at the first frame


def placed(*boxes: tuple[float, tuple[float, float, float, float]], found: Any = None, **how: Any) -> Regions:
    """Regions of a cover whose keyframes are given in seconds of the recording."""
    cover = Cover("cam", tuple(Keyframe(EARLIER + time, box) for time, box in boxes), **how)
    frame = np.arange(FRAMES, dtype=np.int32)
    return drawn_regions(frame, frame / RATE, [Drawn(cover, EARLIER, found or {})], CONFIG, size=SIZE)


def test_always_is_every_frame() -> None:
    regions = placed((4.0, BOX), hold="always")
    assert regions.frame.tolist() == list(range(FRAMES))
    assert set(regions.kind) == {RegionKind.MANUAL}
    x1, y1, x2, y2 = regions.box[0]
    assert (x1, y1, x2, y2) == pytest.approx((48, 18, 72, 42)), "a margin of a tenth on every side"


@pytest.mark.parametrize(
    ("start", "end", "first", "last"), [(2.0, 3.0, 20, 30), (2.04, 2.06, 20, 21), (9.7, 20, 97, 99)]
)
def test_a_span_holds_every_frame_that_is_shown_in_it(start: float, end: float, first: int, last: int) -> None:
    regions = placed((start, BOX), hold="span", start=EARLIER + start, end=EARLIER + end)
    assert regions.frame.min() == first
    assert regions.frame.max() == last


def test_a_moment_holds_a_little_around_it() -> None:
    regions = placed((4.0, BOX), (5.0, BOX))
    assert regions.frame.min() <= 36
    assert regions.frame.max() >= 54
    assert len(regions) < 25


def test_between_keyframes_it_moves_evenly_and_stays_outside_of_them() -> None:
    there = (90.0, 20.0, 110.0, 40.0)
    regions = placed((4.0, BOX), (6.0, there), hold="always")
    middle = (regions.box[:, 0] + regions.box[:, 2]) / 2
    assert middle[:40] == pytest.approx(np.full(40, 60.0))
    assert middle[40:61] == pytest.approx(np.linspace(60, 100, 21), abs=1e-3)
    assert middle[61:] == pytest.approx(np.full(39, 100.0))


def test_where_it_was_found_counts_and_lengthens_a_moment() -> None:
    found = {frame: (50.0 + frame, 20.0, 70.0 + frame, 40.0) for frame in range(10, 60)}
    regions = placed((3.0, BOX), found=found)
    assert regions.frame.tolist() == list(range(10, 60))
    assert regions.box[:, 0] == pytest.approx(48.0 + np.arange(10, 60), abs=1e-3)


def test_a_span_keeps_the_last_place_when_it_was_lost() -> None:
    found = {frame: (50.0 + frame, 20.0, 70.0 + frame, 40.0) for frame in range(30, 40)}
    regions = placed((3.0, BOX), found=found, hold="span", start=EARLIER + 3, end=EARLIER + 8)
    assert regions.frame.tolist() == list(range(30, 81))
    assert set(regions.box[regions.frame >= 39][:, 0]) == {87.0}


def test_what_lies_outside_of_the_picture_is_cut_off() -> None:
    assert placed((1.0, (190.0, 90.0, 290.0, 190.0)), hold="always").box[0].tolist() == [180, 80, 200, 100]
    assert len(placed((1.0, (300.0, 90.0, 310.0, 190.0)), hold="always")) == 0


def test_a_clock_that_stands_still_is_no_trouble() -> None:
    cover = Cover("cam", (Keyframe(0.0, BOX),), hold="always")
    frame = np.arange(4, dtype=np.int32)
    found = {0: BOX, 1: BOX, 2: BOX}
    regions = drawn_regions(frame, np.zeros(4), [Drawn(cover, 0.0, found)], CONFIG, size=SIZE)
    assert regions.frame.tolist() == [0, 1, 2, 3]
