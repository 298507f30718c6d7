"""Algebra of rows: ragged ranges, keys of two numbers, neighbours of a row: how tables of unlike lengths meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def numbered(counts: NDArray[np.integer]) -> Rows:
    """0, 1, ..., for every count ``(N,)``, one after another: ``[2, 0, 3]`` gives ``[0, 1, 0, 1, 2]``."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def ranges(start: NDArray[np.integer], counts: NDArray[np.integer]) -> Rows:
    """`counts[i]` consecutive numbers from each `start[i]`, one after another."""
    return np.repeat(start, counts) + numbered(counts)


def equal_pairs(wanted: NDArray[np.integer], keys: NDArray[np.integer]) -> tuple[Rows, Rows]:
    """Every row of `wanted` ``(N,)`` with every equal one of `keys` ``(M,)``, which ascend: rows of both ``(P,)``."""
    first = np.searchsorted(keys, wanted, side="left")
    counts = np.searchsorted(keys, wanted, side="right") - first
    return np.repeat(np.arange(len(wanted)), counts), ranges(first, counts)


def pair_key(high: NDArray[np.integer], low: NDArray[np.integer]) -> NDArray[np.int64]:
    """One number ``(N,)`` per pair of 32-bit numbers, ordered like the pairs; `low` is 0 or more, or -1 for none."""
    return (high.astype(np.int64) << 32) + low


def rows_of(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> Rows:
    """The row of each `wanted` key ``(M,)`` among `keys` ``(N,)``, in any order, -1 where there is none.

    Where a key occurs more than once, the first row counts.
    """
    if not len(keys):
        return np.full(len(wanted), -1)
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    return np.where(keys[order[place]] == wanted, order[place], -1)


def rows_around(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For every row the nearest `known` one up to it, -1 for none, and from it on, one beyond the last for none."""
    rows = np.arange(len(known))
    before = np.maximum.accumulate(np.where(known, rows, -1))
    after = np.minimum.accumulate(np.where(known, rows, len(known))[::-1])[::-1]
    return before, after
