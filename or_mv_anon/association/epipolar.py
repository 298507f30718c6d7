"""The geometry of every two views of a session from its people alone, each tried again with what third views say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations

import numpy as np
import scipy  # loads its parts when they are used
from numpy.typing import NDArray

from or_mv_anon.association.common_instants import CommonRows, pair_rows
from or_mv_anon.association.movement import estimate_stretches
from or_mv_anon.association.pair_estimate import PIECE_S, PairData
from or_mv_anon.association.progress import Progress
from or_mv_anon.association.views import PairGeometry, View, ViewNames

Geometry = dict[ViewNames, tuple[PairGeometry, ...]]
MOST_INSTANTS = 1200  # that teach geometry
MOST_BURSTS = 48  # spread over the session, if it is long; each as long as the pieces in which tracks are judged
MOST_CELLS = 20_000_000  # of a matrix of matched tracks; longer sessions have enough to go by without third views
LEAST_AGREEMENT = 0.6  # of a pair's matches with those that go by a third view; with less it is tried again
LEAST_WORTH = 0.7  # of the score that a pair had on its own, below which what others say has misled it
ALONE = 0.8  # of the time; the rest is for trying again
CONTRADICTION = 0.3  # with less than this after that, a pair's geometry is refused
Matches = Mapping[ViewNames, NDArray[np.int64]]
LEAST_INSTANTS = 5  # that two tracks have in common, to count as matched
MATCHED_SHARE = 0.5  # of these in which they are each other's nearest
LOG_ODDS = 2.0  # for two tracks that match one track of a third view, and against two that match others there


def estimate_geometry(
    views: Sequence[View],
    *,
    prior: Mapping[ViewNames, NDArray[np.floating]] | None = None,
    instant_s: float = 0.2,
    seed: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
) -> Geometry:
    """The fundamental matrices of all pairs of views, without calibration.

    Pairs are estimated on their own first. Those that remain without a geometry, or contradict the others, are tried
    again with what the others say: two tracks that match the same track of a third view are likely one person.

    Args:
        views: of one session, over the same instants.
        prior: log-odds (T1, T2) that two tracks are one person from other evidence, by the pair's names; rows and
            columns as in the views' `tracks`.
        instant_s: seconds between instants.
        seed: of the guesses.
        threads: pairs that are estimated at a time; what comes out does not depend on it.
        progress: of all pairs.

    Returns:
        By pair in the order of the views: stretches in order of time that together cover all instants. A stretch whose
        geometry cannot be trusted has no matrix, and a problem.
    """
    stop = max((int(view.observations.instant.max(initial=-1)) for view in views), default=-1) + 1
    pair_data: dict[ViewNames, PairData] = {}
    progress = progress or Progress()
    pairs = list(combinations(views, 2))
    turns = {(first.name, second.name): _turns_of(first, second) for first, second in pairs}

    def estimated(number: int) -> tuple[PairGeometry, ...]:
        names = (pairs[number][0].name, pairs[number][1].name)
        random = np.random.default_rng([seed, number])
        with progress.part(ALONE / len(pairs)) as part:
            return estimate_stretches(
                names, pair_data[names], (0, stop), random, instant_s=instant_s, turns=turns[names], progress=part
            )

    for first, second in pairs:
        names = (first.name, second.name)
        pair_data[names] = _pair_data(first, second, (prior or {}).get(names), instant_s)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        geometry: Geometry = dict(zip(pair_data, pool.map(estimated, range(len(pairs))), strict=True))
    tracks = {view.name: len(view.tracks) for view in views}
    if len(views) < 3 or max(tracks.values()) ** 2 > MOST_CELLS:
        return geometry
    return _consistent(geometry, pair_data, turns, tracks, seed, instant_s, progress)


def _consistent(
    geometry: Geometry,
    pair_data: Mapping[ViewNames, PairData],
    turns: Mapping[ViewNames, NDArray[np.int64] | None],
    tracks: Mapping[str, int],
    seed: int,
    instant_s: float,
    progress: Progress,
) -> Geometry:
    """Estimates again what is missing or contradicts third views; refuses what still does, the worst first."""
    geometry = dict(geometry)

    def matched(names: ViewNames, stretches: Sequence[PairGeometry]) -> NDArray[np.int64] | None:
        return matched_instants(pair_data[names], stretches, (tracks[names[0]], tracks[names[1]]))

    found = {names: matched(names, stretches) for names, stretches in geometry.items()}
    matches = {names: each for names, each in found.items() if each is not None}
    for number, names in enumerate(geometry):
        told = prior_from_third_views(names, list(tracks), matches)
        if told is None or (before := agreement(matches.get(names), told)) >= LEAST_AGREEMENT:
            continue
        random = np.random.default_rng([seed, number, 1])
        stop = geometry[names][-1].stop
        taught = pair_data[names].with_prior(told)
        with progress.part((1 - ALONE) / len(geometry)) as part:
            again = estimate_stretches(
                names, taught, (0, stop), random, instant_s=instant_s, turns=turns[names], progress=part
            )
        now = matched(names, again)
        worth = [_score(pair_data[names], stretches) for stretches in (geometry[names], again)]
        if now is not None and agreement(now, told) > before and worth[1] >= LEAST_WORTH * worth[0]:
            geometry[names], matches[names] = again, now
    while len(matches) > 2:
        agreements = {
            names: agreement(matches[names], told)
            for names in matches
            if (told := prior_from_third_views(names, list(tracks), matches)) is not None
        }
        worst = min(agreements, key=agreements.__getitem__, default=None)
        if worst is None or agreements[worst] >= CONTRADICTION:
            break
        del matches[worst]
        problem = "who matches contradicts what other cameras say"
        geometry[worst] = tuple(replace(stretch, matrix=None, problem=problem) for stretch in geometry[worst])
    return geometry


def _turns_of(first: View, second: View) -> NDArray[np.int64] | None:
    """When either camera was turned; None where it is not known of both."""
    if first.turns is None or second.turns is None:
        return None
    return np.union1d(first.turns, second.turns)


def _score(data: PairData, stretches: Sequence[PairGeometry]) -> float:
    """What a pair's geometry explains on its own."""
    return sum(data.between(part.start, part.stop).score(part.matrix) for part in stretches if part.matrix is not None)


def _pair_data(first: View, second: View, prior: NDArray[np.floating] | None, instant_s: float) -> PairData:
    common = np.intersect1d(first.observations.instant, second.observations.instant)
    if len(common) > MOST_INSTANTS:
        common = _bursts(common, max(round(PIECE_S / instant_s), 1))
    rows = CommonRows.concat(list(pair_rows(first, second, common)))
    return PairData.of(rows, (first.size, second.size), prior, instant_s=instant_s)


def _bursts(instants: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """At most MOST_INSTANTS of the instants, many from each of at most MOST_BURSTS evenly spread bursts."""
    bursts, burst = np.unique(instants // length, return_inverse=True)
    chosen = np.unique(np.linspace(0, len(bursts) - 1, MOST_BURSTS).astype(np.int64))
    begin = np.searchsorted(burst, chosen)
    count = np.searchsorted(burst, chosen, side="right") - begin
    share = np.linspace(0, 1, MOST_INSTANTS // len(chosen), endpoint=False)
    return np.unique(instants[begin[:, None] + (share * count[:, None]).astype(np.int64)])


def matched_instants(
    data: PairData, stretches: Sequence[PairGeometry], shape: tuple[int, int]
) -> NDArray[np.int64] | None:
    """In how many sampled instants tracks (T1, T2) match, 0 for pairs that do so seldom; None without any geometry."""
    if all(stretch.matrix is None for stretch in stretches):
        return None
    common, matched = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for stretch in stretches:
        if stretch.matrix is not None:
            part = data.between(stretch.start, stretch.stop)
            own = part.rows.select(part.matches(stretch.matrix))
            np.add.at(common, (part.rows.first, part.rows.second), 1)
            np.add.at(matched, (own.first, own.second), 1)
    return np.where((common >= LEAST_INSTANTS) & (matched > MATCHED_SHARE * common), matched, 0)


def prior_from_third_views(names: ViewNames, cameras: Sequence[str], matches: Matches) -> NDArray[np.float64] | None:
    """Log-odds (T1, T2) that tracks of two views are one person; None if no third view has a geometry with both.

    Args:
        names: the two views.
        cameras: the names of all views.
        matches: by pair what `matched_instants` returned, without those of no geometry.
    """
    votes: NDArray[np.float64] | None = None
    for third in cameras:
        one, other = _between(names[0], third, matches), _between(third, names[1], matches)
        if third not in names and one is not None and other is not None:
            reached, reaching = (scipy.sparse.csr_array((each > 0).astype(np.int32)) for each in (one, other))
            ways = reached @ reaching  # few match: without the zeros it is linear in their number
            vote = (ways.toarray() > 0).astype(np.float64)
            votes = vote if votes is None else votes + vote
    if votes is None or not votes.size:
        return None
    rival = np.maximum(votes.max(axis=1, keepdims=True), votes.max(axis=0, keepdims=True))
    return LOG_ODDS * (votes - (rival > votes))


def agreement(matched: NDArray[np.int64] | None, prior: NDArray[np.float64]) -> float:
    """Share of a pair's matched instants that third views know something about for which they name nobody else.

    Returns:
        1 if third views know nothing about the pair's matches, 0 if the pair has no geometry.
    """
    if matched is None:
        return 0.0
    known = np.maximum(prior.max(axis=1, keepdims=True), prior.max(axis=0, keepdims=True)) > 0
    told = int(matched[known].sum())
    return int(matched[known & (prior > 0)].sum()) / told if told else 1.0


def _between(first: str, second: str, matches: Matches) -> NDArray[np.int64] | None:
    if (first, second) in matches:
        return matches[first, second]
    return matches[second, first].T if (second, first) in matches else None
