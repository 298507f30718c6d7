"""How far every track of one view is from every track of another under a geometry, over a whole session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.common_instants import pair_rows
from or_mv_anon.association.results import PairGeometry, TrackPairs
from or_mv_anon.association.views import View

EDGES = np.r_[0.0, np.geomspace(0.02, 20.0, 64)]  # of the histograms of distances, head heights; the last bin is open
BINS = len(EDGES)


def pair_distances(first: View, second: View, geometry: Sequence[PairGeometry]) -> TrackPairs:
    """The distance of all pairs of tracks that are seen together while a geometry holds.

    It is the median over common instants, each counted with the trust in its points, of the median over the points that
    both see, to within the width of a histogram's bin (a ninth). Histograms keep memory independent of the length.

    Args:
        first, second: the views of the geometry, in its order.
        geometry: its stretches; those without a matrix are passed over.

    Returns:
        Ordered by track of the first and of the second view. Other evidence and the probability are NaN.
    """
    key, histogram, instants = _histograms(first, second, geometry)
    count = len(key)
    tracks = key // max(len(second.tracks), 1), key % max(len(second.tracks), 1)
    missing = np.full(count, np.nan)
    return TrackPairs(
        first=first.tracks[tracks[0]],
        second=second.tracks[tracks[1]],
        instants=instants,
        distance=_histogram_medians(histogram),
        appearance=missing,
        synchrony=missing,
        probability=missing,
    )


def _histograms(
    first: View, second: View, geometry: Sequence[PairGeometry]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """By pair of tracks (row of the first times the second's number of tracks, plus row of the second)."""
    keys, parts, counts = [np.zeros(0, np.int64)], [np.zeros((0, BINS))], [np.zeros(0, np.int64)]
    for stretch in geometry:
        if stretch.matrix is None:
            continue
        instants = np.unique(first.observations.instant)
        instants = instants[(instants >= stretch.start) & (instants < stretch.stop)]
        for rows in pair_rows(first, second, instants):
            rows = rows.select(np.flatnonzero((rows.weight > 0).any(axis=1)))
            bins = np.clip(np.searchsorted(EDGES, rows.distances(stretch.matrix), side="right") - 1, 0, BINS - 1)
            key, pair = np.unique(rows.first * len(second.tracks) + rows.second, return_inverse=True)
            trust = rows.weight.max(axis=1, initial=0)
            parts.append(np.bincount(pair * BINS + bins, trust, len(key) * BINS).reshape(-1, BINS).astype(np.float64))
            counts.append(np.bincount(pair, minlength=len(key)))
            keys.append(key)
    key, pair = np.unique(np.concatenate(keys), return_inverse=True)
    histogram, instants = np.zeros((len(key), BINS)), np.zeros(len(key), np.int64)
    np.add.at(histogram, pair, np.concatenate(parts))
    np.add.at(instants, pair, np.concatenate(counts))
    return key, histogram, instants


def _histogram_medians(histogram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where half of each histogram lies below, interpolated within the bin, (P,)."""
    total = np.cumsum(histogram, axis=1)
    half = total[:, -1:] / 2
    bins = (total >= half).argmax(axis=1)
    rows = np.arange(len(histogram))
    below = total[rows, bins] - histogram[rows, bins]
    share = (half[:, 0] - below) / np.maximum(histogram[rows, bins], 1e-12)
    upper = np.r_[EDGES[1:], 2 * EDGES[-1]]
    return np.asarray(EDGES[bins] + share * (upper[bins] - EDGES[bins]))
