"""One-to-one matching: optimal for few against few in a frame, greedy for millions of links over a recording."""

import lap
import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


def best_pairs(similarity: NDArray[np.floating], *, least: float) -> tuple[Indices, Indices]:
    """Rows and columns matched so that the sum of ``similarity - least`` is greatest; nobody has to be matched.

    Args:
        similarity: ``(R, C)`` in [0, 1]; 0 never matches.
        least: what a pair needs.

    Returns:
        Rows and columns ``(M,)`` of the matched pairs.
    """
    possible = (similarity >= least) & (similarity > 0)
    rows, columns = np.nonzero(possible)
    if len(rows) < 2 or (_distinct(rows) and _distinct(columns)):
        return rows, columns
    some_rows, some_columns = np.flatnonzero(possible.any(axis=1)), np.flatnonzero(possible.any(axis=0))
    cost = 1.0 - similarity[np.ix_(some_rows, some_columns)].astype(np.float64)
    _, column_of_row, _ = lap.lapjv(cost, extend_cost=True, cost_limit=1.0 - least)
    matched = np.flatnonzero(column_of_row >= 0)
    rows, columns = some_rows[matched], some_columns[column_of_row[matched]]
    kept = possible[rows, columns]
    return rows[kept], columns[kept]


def greedy_pairs(left: Indices, right: Indices, order: Indices) -> NDArray[np.bool_]:
    """Which candidate pairs a greedy choice in `order` takes, each left and each right end at most once.

    Works in rounds: a pair that is the best left at both its ends is what the greedy choice would take.

    Args:
        left: left end of every candidate ``(M,)``.
        right: right end of every candidate ``(M,)``.
        order: the candidates ``(M,)`` from best to worst.

    Returns:
        Mask ``(M,)`` over the candidates.
    """
    taken = np.zeros(len(order), bool)
    if not len(order):
        return taken
    best_of_left = np.empty(left.max() + 1, np.intp)
    best_of_right = np.empty(right.max() + 1, np.intp)
    open_pairs = order
    while len(open_pairs):
        worst_first = open_pairs[::-1]
        best_of_left[left[worst_first]] = worst_first  # the last, best one stays
        best_of_right[right[worst_first]] = worst_first
        wins = (best_of_left[left[open_pairs]] == open_pairs) & (best_of_right[right[open_pairs]] == open_pairs)
        taken[open_pairs[wins]] = True
        beaten = taken[best_of_left[left[open_pairs]]] | taken[best_of_right[right[open_pairs]]]
        open_pairs = open_pairs[~beaten]
    return taken


def _distinct(indices: Indices) -> bool:
    return len(set(indices.tolist())) == len(indices)
