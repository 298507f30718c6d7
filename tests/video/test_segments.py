from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.segments import Segment, plan_segments


@dataclass
class Timeline:
    pts: np.ndarray
    keyframes: np.ndarray
    seekable: bool = True

    @property
    def times(self) -> np.ndarray:
        return self.pts / 10


def timeline(frames: int, gop: int) -> Timeline:
    pts = np.arange(frames)
    return Timeline(pts, pts[::gop])


def test_boundaries_fall_on_keyframes():
    plan = plan_segments(timeline(100, 25), seconds=3)
    assert [(s.first, s.stop) for s in plan] == [(0, 25), (25, 50), (50, 75), (75, 100)]


def test_boundary_waits_for_a_keyframe_within_another_length():
    assert [s.stop for s in plan_segments(timeline(100, 40), seconds=3)] == [40, 80, 100]


def test_no_keyframe_near():
    assert [s.stop for s in plan_segments(timeline(100, 100), seconds=3)] == [30, 60, 90, 100]


def test_interval_is_half_open():
    plan = plan_segments(timeline(100, 100), seconds=1000, start=2.0, end=5.0)
    assert plan == [Segment(0, 20, 50)]


def test_unseekable_source_is_one_segment():
    source = timeline(100, 10)
    source.seekable = False
    assert plan_segments(source, seconds=1) == [Segment(0, 0, 100)]


def test_empty_interval_is_refused():
    with pytest.raises(UserError, match="No frame lies between 50 s and the end"):
        plan_segments(timeline(100, 10), seconds=1, start=50)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=80), st.integers(1, 40), st.floats(0.01, 5), st.data())
def test_every_frame_exactly_once(steps, gop, seconds, data):
    pts = np.cumsum(steps)
    source = Timeline(pts, pts[::gop])
    first = data.draw(st.integers(0, len(pts) - 1))
    stop = data.draw(st.integers(first + 1, len(pts)))
    end = None if stop == len(pts) else source.times[stop]
    plan = plan_segments(source, seconds=seconds, start=source.times[first], end=end)
    assert [i for s in plan for i in range(s.first, s.stop)] == list(range(first, stop))
    assert [s.number for s in plan] == list(range(len(plan)))
    for segment in plan[:-1]:
        assert source.times[segment.stop - 1] - source.times[segment.first] < 2 * seconds + 1e-9
