"""The array filter against ByteTrack's formulas written out as 8 × 8 matrices, and its behaviour over time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.tracking import kalman

BOXES = np.array([[100, 200, 220, 500], [0, 0, 30, 90]], np.float32)
NOBODY_LOST = np.zeros(2, bool)


def textbook_step(mean, covariance, seen):
    """One predict and correct of the eight-number filter at 30 frames/s."""

    def noise(height, position, velocity, aspect, aspect_velocity):
        p, v = position * height, velocity * height
        return np.diag(np.square([p, p, aspect, p, v, v, aspect_velocity, v]))

    motion = np.eye(8)
    motion[:4, 4:] = np.eye(4)
    covariance = motion @ covariance @ motion.T + noise(mean[3], 1 / 20, 1 / 160, 1e-2, 1e-5)
    mean = motion @ mean
    project = np.eye(4, 8)
    seen_noise = noise(mean[3], 1 / 20, 0, 1e-1, 0)[:4, :4]
    total = project @ covariance @ project.T + seen_noise
    gain = covariance @ project.T @ np.linalg.inv(total)
    return mean + gain @ (seen - project @ mean), covariance - gain @ total @ gain.T


def test_follows_the_full_covariance_filter_closely():
    rng = np.random.default_rng(3)
    first = kalman.measurements(BOXES)
    state = kalman.initiate(first)
    h = first[0, 3]
    mean = np.concatenate([first[0], np.zeros(4)])
    covariance = np.diag(np.square([h / 10, h / 10, 1e-2, h / 10, h / 16, h / 16, 1e-5, h / 16]))
    for step in range(40):
        seen = first + rng.normal(0, 2, first.shape) * [1, 1, 0.005, 1] + [4 * step, step, 0, 0]
        kalman.predict(state, seconds=1 / 30, lost=NOBODY_LOST)
        kalman.correct(state, np.array([0, 1]), seen)
        mean, covariance = textbook_step(mean, covariance, seen[0])
    # The only difference: noise integrated over the step instead of added at its end.
    np.testing.assert_allclose(state[0, 0], mean[:4], rtol=2e-3)
    np.testing.assert_allclose(state[1, 0, :2], mean[4:6], rtol=2e-2)


@given(st.floats(0.001, 2), st.floats(0.001, 2))
def test_two_steps_of_time_equal_one(first_s, second_s):
    start = kalman.initiate(kalman.measurements(BOXES))
    start[1, :, :2] = [[3, -2], [0.5, 1]]  # px per reference step; heights at rest, so that the noise stays equal
    twice, once = start.copy(), start.copy()
    kalman.predict(twice, seconds=first_s, lost=NOBODY_LOST)
    kalman.predict(twice, seconds=second_s, lost=NOBODY_LOST)
    kalman.predict(once, seconds=first_s + second_s, lost=NOBODY_LOST)
    np.testing.assert_allclose(twice, once, rtol=1e-9, atol=1e-12)


def test_velocity_is_learned_whatever_the_frame_rate():
    learned = []
    for rate in (10, 30, 60):
        times = np.arange(0, 2, 1 / rate)
        state = kalman.initiate(kalman.measurements(BOXES))
        for time in times[1:]:
            kalman.predict(state, seconds=1 / rate, lost=NOBODY_LOST)
            moved = BOXES + np.array([90 * time, 0, 90 * time, 0], np.float32)
            kalman.correct(state, np.array([0, 1]), kalman.measurements(moved))
        learned.append(state[1, 0, 0] / kalman.REFERENCE_STEP_S)
    assert learned == pytest.approx([90, 90, 90], rel=0.05)


def test_lost_tracks_keep_their_height():
    state = kalman.initiate(kalman.measurements(BOXES))
    state[1, :, 3] = 5
    kalman.predict(state, seconds=0.5, lost=np.array([True, False]))
    assert state[0, 0, 3] == 300
    assert state[0, 1, 3] == pytest.approx(90 + 5 * 15)


def test_boxes_survive_the_round_trip():
    np.testing.assert_allclose(kalman.boxes(kalman.initiate(kalman.measurements(BOXES))), BOXES, rtol=1e-6)


def test_degenerate_boxes_stay_finite():
    flat = np.array([[10, 10, 10, 10], [5, 5, 2, 1]], np.float32)
    state = kalman.initiate(kalman.measurements(flat))
    for _ in range(5):
        kalman.predict(state, seconds=0.1, lost=NOBODY_LOST)
        kalman.correct(state, np.array([0, 1]), kalman.measurements(flat))
    assert np.isfinite(state).all()
