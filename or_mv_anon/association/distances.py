"""How far every track of one view is from every track of another: from epipolar lines, and along them by head level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.common_instants import pair_rows
from or_mv_anon.association.geometry import Matrix
from or_mv_anon.association.head_plane import HeadPlane, fit_head_plane
from or_mv_anon.association.pair_estimate import pair_medians
from or_mv_anon.association.views import BodyPoint, PairGeometry, TrackPairs, View
from or_mv_anon.core.rows import pair_key, rows_of

EDGES = np.r_[0.0, np.geomspace(0.02, 20.0, 64)]  # of the histograms of distances, head heights; the last bin is open
BINS = len(EDGES)
SEEN = 0.3  # least weight of a head that counts
LEAST_PLACES = 20  # of matched people, a head height or more apart


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


def learn_planes(
    first: View,
    second: View,
    stretches: Sequence[PairGeometry],
    same: NDArray[np.int64],
    random: np.random.Generator,
) -> tuple[HeadPlane | None, ...]:
    """The plane of heads in every stretch of two views' geometry, None where too little is known.

    Args:
        first, second: the views.
        stretches: of their geometry.
        same: (P, 2) rows of the views' `tracks` that are likely one person.
        random: chooses trials.
    """
    instant, points, heads, track = _matched_heads(first, second, same)
    planes: list[HeadPlane | None] = []
    for stretch in stretches:
        rows = (instant >= stretch.start) & (instant < stretch.stop)
        plane = None
        if stretch.matrix is not None:
            plane = _plane(stretch.matrix, points[:, rows], heads[:, rows], track[:, rows], random)
        planes.append(plane)
    return tuple(planes)


def plane_distances(
    first: View, second: View, stretches: Sequence[PairGeometry], planes: Sequence[HeadPlane | None]
) -> TrackPairs:
    """In `distance` the median distance along the epipolar lines from where the plane has the other view's head.

    Only pairs whose heads are seen at an instant with a plane are there; other evidence is NaN.
    """
    keys, distances = [np.zeros(0, np.int64)], [np.zeros(0)]
    for stretch, plane in zip(stretches, planes, strict=True):
        if plane is None:
            continue
        instants = np.unique(first.observations.instant)
        for rows in pair_rows(first, second, instants[(instants >= stretch.start) & (instants < stretch.stop)]):
            rows = rows.select(rows.weight[:, BodyPoint.HEAD] > SEEN)
            keys.append(rows.first * len(second.tracks) + rows.second)
            distances.append(plane.distances(rows.points[:, :, BodyPoint.HEAD], np.stack([rows.head, rows.head])))
    key, pair, instants = np.unique(np.concatenate(keys), return_inverse=True, return_counts=True)
    missing = np.full(len(key), np.nan)
    one, two = np.divmod(key, max(len(second.tracks), 1))
    return TrackPairs(
        first=first.tracks[one],
        second=second.tracks[two],
        instants=instants,
        distance=pair_medians(np.concatenate(distances), pair) if len(key) else missing,
        appearance=missing,
        synchrony=missing,
        probability=missing,
    )


def _matched_heads(
    first: View, second: View, same: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Instants (N,), points (2, N, 2), head heights (2, N) and rows of tracks (2, N) of matched people."""
    wanted = np.sort(same[:, 0] * len(second.tracks) + same[:, 1])
    parts = []
    for rows in pair_rows(first, second, np.unique(first.observations.instant).astype(np.int64)):
        key = rows.first * len(second.tracks) + rows.second
        rows = rows.select(np.isin(key, wanted) & (rows.weight[:, BodyPoint.HEAD] > SEEN))
        parts.append((rows.instant, rows.points[:, :, BodyPoint.HEAD], np.stack([rows.first, rows.second])))
    instant = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in parts)])
    points = np.concatenate([np.zeros((2, 0, 2)), *(part[1] for part in parts)], axis=1)
    track = np.concatenate([np.zeros((2, 0), np.int64), *(part[2] for part in parts)], axis=1)
    heads = np.stack([
        _of_observation(view, instant, view.tracks[rows]) for view, rows in zip((first, second), track, strict=True)
    ])  # fmt: skip
    return instant, points, heads, track


def _of_observation(view: View, instant: NDArray[np.int64], track: NDArray[np.int64]) -> NDArray[np.float64]:
    """Head heights of observations."""
    seen = view.observations
    row = rows_of(pair_key(seen.instant, seen.track), pair_key(instant, track))
    return seen.head[row].astype(np.float64)


def _plane(
    matrix: Matrix,
    points: NDArray[np.float64],
    heads: NDArray[np.float64],
    track: NDArray[np.int64],
    random: np.random.Generator,
) -> HeadPlane | None:
    """From one instant of each place, so that people who stand still do not outvote the others."""
    owners = []
    for side, head, row in zip(points, heads, track, strict=True):
        place = np.floor(side / np.maximum(head, 1)[:, None]).astype(np.int64)
        owners.append(np.unique(np.column_stack([row, place]), axis=0, return_inverse=True)[1].reshape(-1))
    owner = np.stack(owners)
    once = np.unique(owner, axis=1, return_index=True)[1]
    if len(once) < LEAST_PLACES:
        return None
    return fit_head_plane(matrix, points[:, once], heads[:, once], owner[:, once], random)
