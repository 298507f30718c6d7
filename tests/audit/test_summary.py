"""One camera in numbers, and the exact area of overlapping regions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.audit.coverage import covered_share
from or_mv_anon.audit.summary import summarize
from or_mv_anon.core.records import FrameFlag, Frames, RegionKind, Regions, Tracks
from tests.audit.audit_scenes import RATE, SIZE, frames, heads, track

boxes = st.tuples(*[st.integers(-4, 24)] * 4).map(
    lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
)


def regions_of(*per_frame):
    rows = [(number, box) for number, some in enumerate(per_frame) for box in some]
    return Regions(
        frame=[row[0] for row in rows],
        box=np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
        kind=np.zeros(len(rows)),
        track=np.zeros(len(rows)),
        uncertainty=np.zeros(len(rows)),
    )


@settings(max_examples=100)
@given(st.lists(st.lists(boxes, max_size=6), min_size=1, max_size=4))
def test_covered_share_equals_counting_pixels(per_frame):
    width, height = 20, 16
    expected = []
    for some in per_frame:
        drawn = np.zeros((height, width), bool)
        for x1, y1, x2, y2 in some:
            drawn[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = True
        expected.append(drawn.mean())
    share = covered_share(regions_of(*per_frame), np.arange(len(per_frame)), size=(width, height))
    assert share == pytest.approx(expected, abs=1e-6)


def test_summary_counts_people_tracks_and_provenance():
    tracks = Tracks.concat([track(0, 99, filled=range(10, 20)), track(50, 99, track=1)])
    summary = summarize(frames(100), tracks, heads(tracks), size=SIZE)
    assert (summary.frames, summary.tracks, summary.people_max) == (100, 2, 2)
    assert summary.people_mean == pytest.approx(1.5)
    assert summary.filled_frames == 10
    assert summary.boxes_by_provenance["interpolated"] == pytest.approx(10 / 150)
    assert sum(summary.boxes_by_provenance.values()) == pytest.approx(1)
    assert summary.regions_by_kind["head"] == 150
    assert summary.series.people == (1,) * 5 + (2,) * 5
    one = 50 * 50 / (SIZE[0] * SIZE[1])
    assert summary.covered_mean == pytest.approx(one)  # both heads stand at the same place


def test_frames_covered_whole_count_as_covered():
    flags = np.full(100, int(FrameFlag.PERSONS | FrameFlag.POSE), np.uint8)
    flags[20:30] |= int(FrameFlag.FAILED)
    flags[0:50] &= ~np.uint8(FrameFlag.POSE)
    whole = Regions(frame=[90], box=[(0, 0, *SIZE)], kind=[RegionKind.FRAME], track=[-1], uncertainty=[1])
    summary = summarize(frames(100).replace(flags=flags), Tracks.empty(), whole, size=SIZE)
    assert summary.whole_s == pytest.approx(11 / RATE)
    assert summary.series.covered[2] == 1
    assert summary.covered_max == 1
    assert (summary.persons_share, summary.pose_share, summary.faces_share) == (1, 0.5, 0)
    assert summary.failed_frames == 10


@pytest.mark.parametrize("count", [0, 1])
def test_almost_nothing_is_summarized(count):
    summary = summarize(frames(count), Tracks.empty(), Regions.empty(), size=SIZE)
    assert (summary.frames, summary.people_max, summary.covered_mean) == (count, 0, 0)
    assert len(summary.series.second) == count


def test_seconds_without_a_frame_are_left_out():
    sparse = Frames(frame=[0, 1, 2], pts=[0, 5, 50], time=[0.0, 0.5, 5.0], flags=[1, 1, 1])
    summary = summarize(sparse, Tracks.empty(), Regions.empty(), size=SIZE)
    assert summary.series.second == (0, 5)
