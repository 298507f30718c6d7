"""Properties of joining flagged rows into runs."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.audit.intervals import Clock, group_runs
from tests.audit.audit_scenes import frames

FRAMES = 60
rows = st.lists(st.tuples(st.integers(0, FRAMES - 1), st.integers(-1, 2)), max_size=80)
steps = st.lists(st.integers(1, 400), min_size=FRAMES, max_size=FRAMES)
gaps = st.sampled_from([0.0, 0.04, 0.2, 1.0])


def clock_of(milliseconds):
    time = np.cumsum([0, *milliseconds[:-1]]) / 1000
    return Clock.of(frames(FRAMES).replace(time=time))


def runs_of(flagged, clock, gap_s):
    frame, key = np.array(flagged, int).reshape(-1, 2).T
    return group_runs(frame, key, np.ones(len(frame)), clock, gap_s=gap_s)


@settings(max_examples=150)
@given(rows, steps, gaps)
def test_every_row_lies_in_exactly_one_run_of_its_key(flagged, milliseconds, gap_s):
    runs = runs_of(flagged, clock_of(milliseconds), gap_s)
    for frame, key in flagged:
        assert sum(run.key == key and run.first_frame <= frame <= run.last_frame for run in runs) == 1
    assert sum(run.rows for run in runs) == len(flagged)


@settings(max_examples=150)
@given(rows, steps, gaps)
def test_runs_begin_and_end_on_flagged_rows_and_stay_apart(flagged, milliseconds, gap_s):
    clock = clock_of(milliseconds)
    runs = runs_of(flagged, clock, gap_s)
    for run in runs:
        assert {(run.first_frame, run.key), (run.last_frame, run.key)} <= set(flagged)
    for one, two in itertools.pairwise(runs):
        if one.key == two.key:
            between = clock.span(two.first_frame, two.last_frame)[0] - clock.span(one.first_frame, one.last_frame)[1]
            assert between > gap_s


@settings(max_examples=100)
@given(rows, steps, gaps, st.randoms())
def test_order_and_repetition_do_not_change_the_intervals(flagged, milliseconds, gap_s, random):
    clock = clock_of(milliseconds)
    again = flagged + flagged
    random.shuffle(again)
    plain = [(run.key, run.first_frame, run.last_frame) for run in runs_of(flagged, clock, gap_s)]
    assert [(run.key, run.first_frame, run.last_frame) for run in runs_of(again, clock, gap_s)] == plain


@settings(max_examples=100)
@given(rows, steps)
def test_a_longer_gap_joins_only_more(flagged, milliseconds):
    clock = clock_of(milliseconds)
    counts = [len(runs_of(flagged, clock, gap_s)) for gap_s in (0.0, 0.1, 0.5, 100.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == len({key for _, key in flagged})


def test_the_mean_is_over_the_rows_of_the_run():
    clock = Clock.of(frames(FRAMES))
    (run,) = group_runs(np.array([3, 4, 5]), np.zeros(3, int), np.array([0.1, 0.2, 0.6]), clock, gap_s=0.0)
    assert run.mean == pytest.approx(0.3)


@settings(max_examples=150)
@given(steps, st.integers(0, FRAMES - 2), st.floats(0.001, 5))
def test_the_frames_after_one_start_within_the_asked_time(milliseconds, frame, seconds):
    clock = clock_of(milliseconds)
    first, last = clock.after(frame, seconds=seconds)
    assert first == frame + 1 <= last
    assert clock.starts[last] < clock.ends[frame] + seconds
    assert last == FRAMES - 1 or clock.starts[last + 1] >= clock.ends[frame] + seconds - 1e-5


@settings(max_examples=150)
@given(steps, st.integers(1, FRAMES - 1), st.floats(0.001, 5))
def test_the_frames_before_one_end_within_the_asked_time(milliseconds, frame, seconds):
    clock = clock_of(milliseconds)
    first, last = clock.before(frame, seconds=seconds)
    assert first <= last == frame - 1
    assert first == 0 or clock.ends[first - 1] <= clock.starts[frame] - seconds + 1e-5
