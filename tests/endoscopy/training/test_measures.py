"""Ranking measures, leaks and calibration against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from or_mv_anon.endoscopy.measures import Leaks, leaks, outside_recall, roc_auc
from or_mv_anon.endoscopy.training.calibration import fit_temperature, log_loss
from or_mv_anon.evaluation.average_precision import stepwise


def test_auc_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    # Of the four pairs (0.9, 0.7), (0.9, 0.6), (0.8, ...) with outside at 0.9 and 0.7: 3 are in order.
    assert roc_auc(scores, np.array([True, False, True, False])) == 0.75
    assert roc_auc(np.zeros(4), np.array([True, False, True, False])) == 0.5


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40))
def test_auc_equals_the_rank_sum_test(rows):
    scores = np.array([row[0] for row in rows], float)
    outside = np.array([row[1] for row in rows])
    if outside.all() or not outside.any():
        with pytest.raises(ValueError, match="both"):
            roc_auc(scores, outside)
        return
    u = mannwhitneyu(scores[outside], scores[~outside]).statistic
    assert roc_auc(scores, outside) == pytest.approx(u / (outside.sum() * (~outside).sum()))


def test_average_precision_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    assert stepwise(scores, np.array([True, False, True, False])) == pytest.approx((1 + 2 / 3) / 2)
    # All scores equal: one threshold that takes everything, precision 1/2.
    assert stepwise(np.ones(4), np.array([True, False, True, False])) == 0.5


def test_recall_at_a_share_of_inside():
    inside, outside = np.arange(100) / 100, np.array([0.5, 0.985, 0.995, 2.0])
    scores = np.concatenate([inside, outside])
    truth = np.arange(104) >= 100
    share, threshold = outside_recall(scores, truth)
    assert (share, threshold) == (0.75, 0.98)
    assert np.mean(inside > threshold) <= 0.01


def test_leaks_by_hand():
    outside = np.array([0, 1, 1, 1, 0, 0, 1, 1, 0], bool)
    covered = np.array([1, 0, 0, 1, 0, 0, 1, 1, 0], bool)
    assert leaks(covered, outside, rate=10.0) == Leaks(2, 1, 1.0, 2, 0.2, 0.25)
    assert leaks(covered, np.zeros(9, bool), rate=10.0).exits == 0
    assert leaks(np.zeros(9, bool), np.ones(9, bool), rate=10.0) == Leaks(1, 1, 9.0, 9, 0.9, 0.0)


def test_a_temperature_undoes_overconfidence():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 20_000)
    outside = rng.random(20_000) < 1 / (1 + np.exp(-logits))
    assert fit_temperature(3 * logits, outside) == pytest.approx(3, rel=0.05)
    assert log_loss(np.zeros(4), np.array([True, True, True, False])) == pytest.approx(np.log(2))
    with pytest.raises(ValueError, match="both"):
        fit_temperature(logits, np.ones(20_000, bool))
