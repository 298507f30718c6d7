"""Grouping by evidence for and against pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.association.assign import cluster

NOBODY = np.zeros((0, 2), np.int64)


def groups(
    count: int, edges: list[tuple[int, int, float]], forbidden: list[tuple[int, int]] | None = None
) -> list[int]:
    pairs = np.array([edge[:2] for edge in edges], np.int64).reshape(-1, 2)
    evidence = np.array([edge[2] for edge in edges], np.float64)
    return cluster(count, pairs, evidence, np.array(forbidden or NOBODY).reshape(-1, 2), least=1.0).tolist()


def test_evidence_joins_and_its_lack_does_not() -> None:
    assert groups(4, [(0, 1, 3.0), (2, 3, 0.5)]) == [0, 0, 1, 2]


def test_a_conflict_breaks_the_weakest_edge() -> None:
    # a-b and b-c say one person, a-c says two: the stronger of the two stays
    assert groups(3, [(0, 1, 4.0), (1, 2, 2.5), (0, 2, -4.0)]) == [0, 0, 1]
    assert groups(3, [(0, 1, 2.5), (1, 2, 4.0), (0, 2, -4.0)]) == [0, 1, 1]


def test_a_third_view_helps_a_weak_pair() -> None:
    assert groups(3, [(0, 1, 3.0), (1, 2, 3.0), (0, 2, 0.2)]) == [0, 0, 0]


def test_forbidden_pairs_are_apart_through_others_too() -> None:
    label = groups(3, [(0, 1, 4.0), (1, 2, 3.0)], [(0, 2)])
    assert label == [0, 0, 1]


def test_evidence_about_a_pair_adds_up() -> None:
    assert groups(2, [(0, 1, 0.7), (0, 1, 0.7)]) == [0, 0]


def test_one_wrong_early_merger_is_put_right() -> None:
    # 1 joins 0 first; then 2 and 3, which belong with 1 together, gather
    label = groups(4, [(0, 1, 3.0), (2, 3, 2.9), (1, 2, 2.0), (1, 3, 2.0), (0, 2, -3.0), (0, 3, -3.0)])
    assert label == [0, 1, 1, 1]


def test_nothing_to_group() -> None:
    assert groups(0, []) == []
    assert groups(2, []) == [0, 1]


edges_of_eight = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.floats(-4, 4)), max_size=25)
pairs_of_eight = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=8)


@given(edges=edges_of_eight, forbidden=pairs_of_eight)
def test_no_group_holds_a_forbidden_pair(edges: list[tuple[int, int, float]], forbidden: list[tuple[int, int]]) -> None:
    edges = [edge for edge in edges if edge[0] != edge[1]]
    forbidden = [pair for pair in forbidden if pair[0] != pair[1]]
    label = groups(8, edges, forbidden)
    assert all(label[one] != label[two] for one, two in forbidden)
    assert sorted(set(label)) == list(range(max(label) + 1))
