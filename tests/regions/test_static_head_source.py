"""When still heads are looked for."""

from __future__ import annotations

import numpy as np

from or_mv_anon.core.config import load_config
from or_mv_anon.core.schedule import due
from or_mv_anon.regions.sources.static_heads import looks_for_still_heads

TIMES = np.arange(0, 60, 0.2) + 7.0  # seconds; a recording need not begin at 0


def test_looks_are_even_as_shipped() -> None:
    config = load_config().static_heads
    assert (looks_for_still_heads(TIMES, config) == due(TIMES, config.interval_s)).all()


def test_later_looks_may_be_rarer_and_the_last_frame_is_looked_at() -> None:
    config = load_config(fast=True).static_heads
    looked = TIMES[looks_for_still_heads(TIMES, config)] - TIMES[0]
    early, late = looked[looked <= config.first_s], looked[looked > config.first_s]
    assert np.diff(early).max() <= config.interval_s + 0.2
    assert np.diff(late).min() < config.later_interval_s + 0.2
    assert np.allclose(np.diff(late)[:-1], config.later_interval_s, atol=0.2)
    assert late[-1] == TIMES[-1] - TIMES[0]
    assert len(early) >= config.least_observations


def test_a_short_recording_has_the_usual_looks() -> None:
    config = load_config(fast=True).static_heads
    short = TIMES[: round(config.first_s / 0.2)]
    assert (looks_for_still_heads(short, config) == due(short, config.interval_s)).all()
    assert not looks_for_still_heads(TIMES[:0], config).any()
