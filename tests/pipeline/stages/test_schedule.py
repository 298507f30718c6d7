"""Which frames are looked at depends on the recording's clock alone, and misses no stretch longer than the interval."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core.config import load_config
from or_mv_anon.core.schedule import Cadence, due
from or_mv_anon.regions.observe import plan_schedule

CONFIG = load_config()
steps = st.lists(st.floats(0.001, 0.5), min_size=1, max_size=80)


@given(steps, st.floats(0.01, 1.0))
def test_no_gap_is_longer_than_interval_and_frame_distance(distances, interval):
    times = np.cumsum(distances)
    looked = times[due(times, interval)]
    assert looked[0] == times[0]
    assert looked[-1] == times[-1]
    assert np.diff(looked).max(initial=0) <= 2 * interval + max(distances) + 1e-6


def test_interval_zero_is_every_frame():
    assert due(np.arange(5) / 25, 0.0).all()


@pytest.mark.parametrize("fps", [25, 29.97, 60])
def test_share_of_frames(fps):
    times = np.arange(1000) / fps
    assert due(times, 0.2).sum() == pytest.approx(1000 / fps / 0.2, abs=2)


def test_poses_are_only_planned_where_persons_are_detected():
    config = dataclasses.replace(CONFIG, detection=dataclasses.replace(CONFIG.detection, interval_s=0.15))
    schedule = plan_schedule(np.arange(300) / 60, config, first=100, stop=200)
    assert (schedule["keypoints"] <= schedule["persons"]).all()
    assert schedule["keypoints"].any()
    assert not schedule.any[:100].any()
    assert not schedule.any[200:].any()


@given(steps, st.just(0.0) | st.floats(0.001, 1.0), st.integers(1, 80))
def test_a_cadence_picks_the_same_frames_whether_they_come_at_once_or_one_by_one(distances, interval, part):
    times = np.cumsum(distances)
    whole, cadence = Cadence(interval).due(times), Cadence(interval)
    parts = [cadence.due(times[start : start + part]) for start in range(0, len(times), part)]
    assert np.array_equal(np.concatenate(parts), whole)
    recorded = due(times, interval)
    assert np.array_equal(recorded[:-1], whole[:-1])


def test_another_interval_counts_from_the_frame_that_was_picked_last():
    cadence = Cadence(0.1)
    assert cadence.due([0.0, 0.05, 0.1, 0.15]).tolist() == [True, False, True, False]
    cadence.interval = 0.3
    assert cadence.due([0.2, 0.3, 0.39, 0.41]).tolist() == [False, False, False, True]
    cadence.interval = 0.0
    assert cadence.due([0.42, 0.43]).all()
