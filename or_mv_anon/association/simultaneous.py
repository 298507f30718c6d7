"""Tracks of one view that are seen at once: who cannot be one person."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.views import View

BLINK_S = 0.5  # seconds for which one person may have two tracks, when one begins before the other ends
ONE_PLACE = 0.5  # overlap over the smaller box from which on two boxes may be one person found twice


def different_people(view: View, *, instant_s: float) -> NDArray[np.int64]:
    """Pairs (P, 2) of rows of `view.tracks` that are seen side by side for longer than a blink, the lower row first."""
    seen = view.observations
    row = np.searchsorted(view.tracks, seen.track)
    keys, apart = [np.zeros(0, np.int64)], [np.zeros(0, bool)]
    for one, two in _neighbours(seen.instant):
        low, high = np.minimum(row[one], row[two]), np.maximum(row[one], row[two])
        keys.append(low * len(view.tracks) + high)
        apart.append(_overlap(seen.box[one], seen.box[two]) < ONE_PLACE)
    key, pair = np.unique(np.concatenate(keys), return_inverse=True)
    sides = np.bincount(pair, np.concatenate(apart), minlength=len(key))
    together = np.bincount(pair, minlength=len(key))
    different = (sides * instant_s > BLINK_S) & (2 * sides > together)
    return np.stack(np.divmod(key[different], max(len(view.tracks), 1)), axis=1)


def _neighbours(instant: NDArray[np.integer]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """All pairs of rows of one instant, the rows being in its order."""
    for distance in range(1, len(instant)):
        one = np.flatnonzero(instant[distance:] == instant[:-distance])
        if not len(one):
            return
        yield one, one + distance


def _overlap(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float32]:
    """Row by row, the overlap's share of the smaller box."""
    sides = np.minimum(one[:, 2:], two[:, 2:]) - np.maximum(one[:, :2], two[:, :2])
    smaller = np.minimum((one[:, 2:] - one[:, :2]).prod(axis=1), (two[:, 2:] - two[:, :2]).prod(axis=1))
    return np.asarray(sides.clip(min=0).prod(axis=1) / np.maximum(smaller, 1))
