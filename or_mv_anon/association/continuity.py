"""Tracks of one camera: which are surely two people, and which may be one who was lost for a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.likelihood_ratio import LEAST_PAIRS, LIMIT
from or_mv_anon.association.views import View
from or_mv_anon.core.boxes import paired_intersection

BLINK_S = 0.5  # seconds for which one person may have two tracks, when one begins before the other ends
ONE_PLACE = 0.5  # overlap over the smaller box from which on two boxes may be one person found twice
GAPS_S = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)  # seconds unseen that are told apart; nobody is waited for longer
EDGES = np.r_[0.0, 0.15, 0.3, 0.6, 1.0, 1.7, 3.0, 5.0, 9.0, np.inf]  # head heights
MOST_SAMPLES = 20_000  # per gap and view
OTHERS = 8  # rows of an instant that are looked at as other people
FOLLOWERS = 50  # tracks after the end of another that are looked at
PRIOR = -2.0  # log-odds that a track goes on as a certain other one, before their places are known


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
    smaller = np.minimum((one[:, 2:] - one[:, :2]).prod(axis=1), (two[:, 2:] - two[:, :2]).prod(axis=1))
    return np.asarray(paired_intersection(one, two) / np.maximum(smaller, 1))


@dataclass(frozen=True, eq=False)
class Links:
    """Pairs of tracks of one view that are likelier one person than two.

    Attributes:
        first, second: (N,) rows of the view's `tracks`, the second seen after the first.
        log_odds: (N,) by how much, above 0.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    log_odds: NDArray[np.float64]


def follow_ups(views: Sequence[View], *, instant_s: float) -> list[Links]:
    """The links of every view: tracks that begin within seconds of another's end."""
    same, other = np.zeros((len(GAPS_S), len(EDGES) - 1)), np.zeros((len(GAPS_S), len(EDGES) - 1))
    for view in views:
        _tally(view, same, other, instant_s)
    ratio = np.zeros_like(same)
    for gap in range(len(GAPS_S)):
        if min(same[gap].sum(), other[gap].sum()) >= LEAST_PAIRS:
            one = (same[gap] + 1) / (same[gap] + 1).sum()
            two = (other[gap] + 1) / (other[gap] + 1).sum()
            ratio[gap] = np.clip(np.log(one / two), -LIMIT, LIMIT)
    return [_links(view, ratio, instant_s) for view in views]


def _places(view: View) -> NDArray[np.float64]:
    """Top middle of every observation's box in pixels, (N, 2): it stays when legs are hidden."""
    box = view.observations.box.astype(np.float64)
    return np.stack([(box[:, 0] + box[:, 2]) / 2, box[:, 1]], axis=1)


def _bins(distance: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.clip(np.searchsorted(EDGES, distance, side="right") - 1, 0, len(EDGES) - 2)


def _tally(view: View, same: NDArray[np.float64], other: NDArray[np.float64], instant_s: float) -> None:
    seen, place = view.observations, _places(view)
    if not len(seen):
        return
    stop = int(seen.instant.max()) + 1
    key = seen.track.astype(np.int64) * stop + seen.instant
    order = np.argsort(key)
    for gap, seconds in enumerate(GAPS_S):
        steps = max(round(seconds / instant_s), 1)
        rows = np.flatnonzero(seen.instant + steps < stop)
        rows = rows[:: max(len(rows) // MOST_SAMPLES, 1)]
        at = np.minimum(np.searchsorted(key[order], key[rows] + steps), len(order) - 1)
        later = order[at]
        goes_on = key[later] == key[rows] + steps
        begin = np.searchsorted(seen.instant, seen.instant[rows] + steps)
        end = np.searchsorted(seen.instant, seen.instant[rows] + steps, side="right")
        same[gap] += np.bincount(_bins(_away(place, seen.head, rows[goes_on], later[goes_on])), minlength=same.shape[1])
        for n in range(OTHERS):
            there = goes_on & (begin + n < end) & (begin + n != later)
            off = _away(place, seen.head, rows[there], begin[there] + n)
            other[gap] += np.bincount(_bins(off), minlength=same.shape[1])


def _away(
    place: NDArray[np.float64], head: NDArray[np.float32], one: NDArray[np.intp], two: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Distances in head heights between rows."""
    off = np.linalg.norm(place[one] - place[two], axis=1)
    return np.asarray(off / np.maximum((head[one] + head[two]) / 2, 1))


def _links(view: View, ratio: NDArray[np.float64], instant_s: float) -> Links:
    seen, place = view.observations, _places(view)
    row = np.searchsorted(view.tracks, seen.track)
    order = np.lexsort((seen.instant, row))
    begin = np.flatnonzero(np.diff(row[order], prepend=-1))
    tracks = row[order][begin]
    first_row, last_row = order[begin], order[np.append(begin[1:], len(order)) - 1] if len(order) else order[begin]
    by_start = np.argsort(seen.instant[first_row], kind="stable")
    starts = seen.instant[first_row][by_start]
    at = np.searchsorted(starts, seen.instant[last_row] - BLINK_S / instant_s)
    ends = seen.instant[last_row]
    firsts, seconds, ratios = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    for n in range(FOLLOWERS):
        known = np.flatnonzero(at + n < len(starts))
        after = by_start[at[known] + n]
        gap = (seen.instant[first_row[after]] - ends[known]) * instant_s
        fits = (gap <= GAPS_S[-1]) & (after != known) & (seen.instant[last_row[after]] > ends[known])
        known, after, gap = known[fits], after[fits], np.maximum(gap[fits], 0)
        off = _away(place, seen.head, last_row[known], first_row[after])
        which = np.minimum(np.searchsorted(GAPS_S, gap), len(GAPS_S) - 1)
        firsts.append(tracks[known])
        seconds.append(tracks[after])
        ratios.append(ratio[which, _bins(off)])
    log_odds = np.concatenate(ratios) + PRIOR
    likely = log_odds > 0  # a far place is no evidence against a later return
    return Links(np.concatenate(firsts)[likely], np.concatenate(seconds)[likely], log_odds[likely])
