"""The smoother against brute force over all state sequences, and what it promises about privacy."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.core.errors import UserError
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.endoscopy.smoothing import LEAST, OnlineSmoother, TwoStateSmoother

CONFIG = load_endoscopy_config().smoothing
PLAIN = replace(CONFIG, margin_s=0.0)
probability = st.one_of(st.floats(0.0, 1.0), st.just(math.nan))


@st.composite
def recordings(draw, least=1, most=60):
    values = draw(st.lists(probability, min_size=least, max_size=most))
    steps = draw(st.lists(st.floats(0.005, 3.0), min_size=len(values), max_size=len(values)))
    return np.array(values), np.cumsum(steps)


def brute_force(values, times, config):
    """Posterior of being outside by summing over every sequence of states."""
    leaving, returning = 1 / config.mean_inside_s, 1 / config.mean_outside_s
    rest = np.array([returning, leaving]) / (leaving + returning)
    total, outside = 0.0, np.zeros(len(values))
    for states in itertools.product((0, 1), repeat=len(values)):
        chance = rest[states[0]]
        for row, state in enumerate(states):
            step = 10.0 if row == 0 else times[row] - times[row - 1]
            if row:
                keep = math.exp(-(leaving + returning) * step)
                chance *= (1 - keep) * rest[state] + (keep if state == states[row - 1] else 0)
            p = min(max(values[row] if not math.isnan(values[row]) else 0.5, LEAST), 1 - LEAST)
            weight = min(1.0, step / config.evidence_s)
            odds = (p / (1 - p)) ** weight
            chance *= odds / (1 + odds) if state else 1 / (1 + odds)
        total += chance
        outside += chance * np.array(states)
    return outside / total


@settings(max_examples=30)
@given(recordings(most=7))
def test_the_posterior_equals_the_sum_over_all_sequences(recording):
    values, times = recording
    np.testing.assert_allclose(TwoStateSmoother(PLAIN)(values, times).posterior, brute_force(values, times, PLAIN))


@given(recordings())
def test_what_cannot_be_judged_or_is_certain_is_covered(recording):
    values, times = recording
    smoothed = TwoStateSmoother(PLAIN)(values, times)
    must = np.isnan(values) | (np.nan_to_num(values) >= PLAIN.certain) | (smoothed.posterior >= PLAIN.threshold)
    np.testing.assert_array_equal(smoothed.covered, must)


@given(recordings(), st.floats(0, 2), st.floats(0, 2))
def test_a_wider_margin_never_uncovers(recording, one, other):
    values, times = recording
    narrow, wide = (
        TwoStateSmoother(replace(CONFIG, margin_s=margin))(values, times).covered for margin in sorted((one, other))
    )
    assert np.all(wide | ~narrow)


@given(recordings(), st.floats(0.0, 3.0))
def test_online_covers_every_certain_frame_and_its_margin(recording, delay):
    values, times = recording
    online = OnlineSmoother(CONFIG, delay=delay)
    decisions = [d for time, value in zip(times, values, strict=True) for d in online.push(time, value)]
    decisions += online.flush()
    assert [d.time for d in decisions] == list(times)
    outside = np.isnan(values) | (np.nan_to_num(values) >= CONFIG.certain)
    for time in times[outside]:
        for decision in decisions:
            if 0 <= decision.time - time <= CONFIG.margin_s or 0 <= time - decision.time <= min(
                CONFIG.margin_s, delay - 1e-9
            ):
                assert decision.covered


@given(recordings())
def test_with_a_delay_longer_than_the_recording_online_equals_offline(recording):
    values, times = recording
    online = OnlineSmoother(CONFIG, delay=1e6)
    assert not [d for time, value in zip(times, values, strict=True) for d in online.push(time, value)]
    decisions = online.flush()
    smoothed = TwoStateSmoother(CONFIG)(values, times)
    np.testing.assert_array_equal([d.covered for d in decisions], smoothed.covered)
    np.testing.assert_allclose([d.posterior for d in decisions], smoothed.posterior)


@pytest.mark.parametrize("rate", [5, 25, 100])
def test_an_exit_is_covered_from_its_margin_to_its_margin_at_any_frame_rate(rate):
    times = np.arange(0, 60, 1 / rate)
    values = np.where((times >= 20) & (times < 40), 0.97, 0.03)
    covered = TwoStateSmoother(CONFIG)(values, times).covered
    assert covered[(times >= 19.51) & (times < 40.49)].all()
    assert not covered[(times < 18.5) | (times > 41.5)].any()


def test_weak_but_lasting_evidence_is_covered_and_a_weak_blip_is_not():
    smoother = TwoStateSmoother(replace(CONFIG, certain=0.9))
    times = np.arange(0, 60, 0.04)
    lasting = np.where((times >= 20) & (times < 25), 0.7, 0.03)
    assert smoother(lasting, times).covered[(times >= 20) & (times < 25)].all()
    blip = np.full(len(times), 0.03)
    blip[700] = 0.7
    assert not smoother(blip, times).covered.any()


def test_no_frames_and_wrong_input():
    assert len(TwoStateSmoother(CONFIG)([], np.zeros(0)).covered) == 0
    with pytest.raises(ValueError, match="ascending"):
        TwoStateSmoother(CONFIG)([0.1, 0.2], np.array([1.0, 0.0]))
    with pytest.raises(UserError, match="mean_inside_s"):
        load_endoscopy_config(overrides={"smoothing": {"mean_inside_s": 0.0}})
