"""What a distance is worth, learned without labels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.association.likelihood_ratio import LIMIT, learn_ratio

STRANGE = 4.0  # head heights; spread of two people's distance


def sample(random: np.random.Generator, same: int, different: int, *, close: float = 0.15) -> np.ndarray:
    return np.r_[np.abs(random.normal(scale=close, size=same)), random.exponential(STRANGE, different)]


def learned(distance: np.ndarray, strange: np.ndarray, *, most_same: float = 0.3):  # type: ignore[no-untyped-def]
    ones = np.full(len(distance), 20), np.full(len(strange), 20)
    return learn_ratio(distance, ones[0], strange, ones[1], most_same=most_same, astray=0.05, instant_s=0.2)


def test_the_learned_ratio_is_the_true_one() -> None:
    random = np.random.default_rng(0)
    ratio = learned(sample(random, 600, 2400), random.exponential(STRANGE, 9000))
    at = np.array([0.1, 3.0])
    close = 2 / np.sqrt(2 * np.pi) / 0.15 * np.exp(-((at[0] / 0.15) ** 2) / 2)
    true = np.log(close / (np.exp(-at[0] / STRANGE) / STRANGE))
    found = ratio.of(at, np.array([20, 20]))
    assert abs(found[0] - true) < 0.5
    assert found[1] < -2


def test_where_strangers_are_as_close_nothing_is_said() -> None:
    random = np.random.default_rng(0)
    ratio = learned(random.exponential(STRANGE, 3000), random.exponential(STRANGE, 9000))
    assert np.abs(ratio.of(np.array([0.05]), np.array([20]))).max() < 1.5


def test_too_little_says_nothing() -> None:
    ratio = learned(np.array([0.1, 0.2]), np.array([3.0, 4.0]))
    assert not ratio.log_ratio.any()


def test_what_is_not_known_says_nothing() -> None:
    random = np.random.default_rng(0)
    ratio = learned(sample(random, 600, 2400), random.exponential(STRANGE, 9000))
    assert ratio.of(np.array([np.nan]), np.array([20])).tolist() == [0.0]


@given(seed=st.integers(0, 1000), same=st.integers(0, 400), different=st.integers(50, 800))
def test_a_longer_distance_never_speaks_more_for_one_person(seed: int, same: int, different: int) -> None:
    random = np.random.default_rng(seed)
    ratio = learned(sample(random, same, different), random.exponential(STRANGE, 2000), most_same=0.5)
    values = ratio.of(np.linspace(0, 10, 50), np.full(50, 20))
    assert (np.diff(values) <= 1e-9).all()
    assert np.abs(values).max() <= LIMIT
