"""Matching against exhaustive search."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from or_mv_anon.tracking.matching import best_pairs, greedy_pairs

SIMILARITIES = hnp.arrays(
    np.float64, st.tuples(st.integers(0, 4), st.integers(0, 4)), elements=st.sampled_from([0, 0.1, 0.3, 0.55, 0.7, 0.9])
)


def best_gain(similarity, least):
    """Greatest sum of `similarity - least` over all one-to-one matchings."""
    rows, columns = similarity.shape
    best = 0.0
    for size in range(1, min(rows, columns) + 1):
        for chosen in itertools.combinations(range(rows), size):
            for partners in itertools.permutations(range(columns), size):
                best = max(best, sum(similarity[r, c] - least for r, c in zip(chosen, partners, strict=True)))
    return best


@settings(max_examples=150)
@given(SIMILARITIES, st.sampled_from([0.2, 0.4, 0.6]))
def test_best_pairs_is_optimal(similarity, least):
    rows, columns = best_pairs(similarity, least=least)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (similarity[rows, columns] >= least).all()
    np.testing.assert_allclose((similarity[rows, columns] - least).sum(), best_gain(similarity, least), atol=1e-9)


def test_nothing_matches_zero_similarity():
    rows, _ = best_pairs(np.zeros((3, 3)), least=0.0)
    assert len(rows) == 0


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), unique=True, max_size=25), st.randoms())
def test_greedy_pairs_equals_the_plain_loop(pairs, random):
    left = np.array([a for a, _ in pairs], np.intp)
    right = np.array([b for _, b in pairs], np.intp)
    order = list(range(len(pairs)))
    random.shuffle(order)
    expected, used_left, used_right = np.zeros(len(pairs), bool), set(), set()
    for index in order:
        if left[index] not in used_left and right[index] not in used_right:
            expected[index] = True
            used_left.add(left[index])
            used_right.add(right[index])
    np.testing.assert_array_equal(greedy_pairs(left, right, np.array(order, np.intp)), expected)
