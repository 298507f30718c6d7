"""Row algebra against the loops that it stands for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core.rows import equal_pairs, numbered, pair_key, ranges, rows_around, rows_of

NUMBERS = st.integers(0, 2**31 - 1)


@given(st.lists(st.tuples(st.integers(-5, 50), st.integers(0, 4)), max_size=8))
def test_ranges_are_what_a_loop_gives(parts: list[tuple[int, int]]) -> None:
    start, counts = (np.array([part[side] for part in parts], int) for side in (0, 1))
    assert ranges(start, counts).tolist() == [each for first, count in parts for each in range(first, first + count)]
    assert numbered(counts).tolist() == [each for _, count in parts for each in range(count)]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20))
def test_keys_are_ordered_and_equal_like_their_pairs(pairs: list[tuple[int, int]]) -> None:
    high, low = (np.array([pair[side] for pair in pairs], np.int32) for side in (0, 1))
    keys = pair_key(high, low)
    assert np.argsort(keys, kind="stable").tolist() == sorted(range(len(pairs)), key=pairs.__getitem__)
    assert len(set(keys.tolist())) == len(set(pairs))


@given(st.lists(st.integers(0, 9), max_size=12), st.lists(st.integers(0, 9), max_size=12))
def test_rows_of_keys_are_their_first_rows(keys: list[int], wanted: list[int]) -> None:
    found = rows_of(np.array(keys, np.int64), np.array(wanted, np.int64))
    assert found.tolist() == [keys.index(each) if each in keys else -1 for each in wanted]


@given(st.lists(st.booleans(), max_size=12))
def test_neighbours_are_the_nearest_known_rows(known: list[bool]) -> None:
    before, after = rows_around(np.array(known, bool))
    count = len(known)
    assert before.tolist() == [max((at for at in range(row + 1) if known[at]), default=-1) for row in range(count)]
    assert after.tolist() == [min((at for at in range(row, count) if known[at]), default=count) for row in range(count)]


@given(st.lists(st.integers(0, 4), max_size=8), st.lists(st.integers(0, 4), max_size=8).map(sorted))
def test_equal_pairs_are_what_two_loops_give(wanted: list[int], keys: list[int]) -> None:
    rows, others = equal_pairs(np.array(wanted, int), np.array(keys, int))
    expected = [(row, other) for row, each in enumerate(wanted) for other, key in enumerate(keys) if each == key]
    assert list(zip(rows.tolist(), others.tolist(), strict=True)) == expected
