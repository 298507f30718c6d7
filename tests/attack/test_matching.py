"""Ranks, verification rates and chance on similarities whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from or_mv_anon.attack.matching import chance_interval, measure, rank, tar_at_far

PEOPLE = np.array([f"set/id{number:02d}" for number in range(10)])


def test_people_are_ranked_not_their_pictures() -> None:
    gallery = np.array(["a", "a", "b", "c"])
    similarity = np.array([[0.9, 0.8, 0.5, 0.1], [0.1, 0.2, 0.1, 0.3]])
    assert rank(similarity, np.array(["b", "a"]), gallery, 1).tolist() == [0, 0]
    assert rank(similarity, np.array(["b", "a"]), gallery, 2).tolist() == [1, 1]


def test_who_sees_nothing_is_at_chance() -> None:
    probes = np.repeat(PEOPLE, 3)
    nothing = np.zeros((30, 10))
    assert rank(nothing, probes, PEOPLE, 1) == pytest.approx(0.1)
    assert rank(nothing, probes, PEOPLE, 5) == pytest.approx(0.5)
    figures = measure(nothing, probes, PEOPLE)
    assert figures.within_chance
    assert figures.tar["0.01"].value == 0


def test_who_is_not_enrolled_is_not_found() -> None:
    assert rank(np.ones((1, 2)), np.array(["x"]), np.array(["a", "b"]), 2).tolist() == [0]


def test_true_accepts_at_the_threshold_that_few_others_pass() -> None:
    probes = np.array(["a"] * 10)
    gallery = np.array(["a"] + ["b"] * 10)
    similarity = np.zeros((10, 11))
    similarity[:, 0] = np.arange(10) / 10
    similarity[0, 1] = 0.85  # one of 100 pairs of two people
    similarity[1, 1] = 0.25
    assert tar_at_far(similarity, probes, gallery, 0.001).value == pytest.approx(0.1)
    assert tar_at_far(similarity, probes, gallery, 0.01).value == pytest.approx(0.7)


def test_perfect_matches_lie_above_chance() -> None:
    probes = np.repeat(PEOPLE, 4)
    similarity = (probes[:, None] == PEOPLE[None, :]).astype(float)
    figures = measure(similarity, probes, PEOPLE)
    assert figures.rank1.value == 1
    assert figures.rank5.value == 1
    assert figures.tar["0.001"].value == 1
    assert not figures.within_chance
    assert figures.chance1_interval[1] <= 0.4


def test_one_persons_pictures_are_no_independent_guesses() -> None:
    probes = np.repeat(PEOPLE, 100)
    alone = np.random.default_rng(0).random((1000, 10))
    together = np.repeat(np.random.default_rng(0).random((10, 10)), 100, axis=0)
    low, high = chance_interval(alone, probes, PEOPLE, seed=0)
    assert 0.05 < low < 0.1 < high < 0.15
    assert chance_interval(together, probes, PEOPLE, seed=0)[1] >= 0.2


def test_intervals_are_drawn_over_people() -> None:
    probes = np.repeat(PEOPLE[:2], 500)
    similarity = np.zeros((1000, 10))
    similarity[:, 0] = 1
    figures = measure(similarity, probes, PEOPLE)
    assert figures.rank1.value == 0.5
    assert (figures.rank1.low, figures.rank1.high) == (0, 1)
    assert figures.rank1_exact.low is not None
    assert figures.rank1_exact.low > 0.45
