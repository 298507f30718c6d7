"""The geometry of every two views of a session from its people alone, and what it says about pairs of tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.common_instants import CommonRows, pair_rows
from or_mv_anon.association.movement import estimate_stretches
from or_mv_anon.association.pair_estimate import PIECE_S, Lesson
from or_mv_anon.association.progress import Progress
from or_mv_anon.association.results import PairGeometry, ViewNames
from or_mv_anon.association.third_views import agreement, matched_instants, prior_from_third_views
from or_mv_anon.association.track_distances import pair_distances
from or_mv_anon.association.views import View

__all__ = ["estimate_geometry", "pair_distances"]

Geometry = dict[ViewNames, tuple[PairGeometry, ...]]
MOST_INSTANTS = 1200  # that teach geometry
MOST_BURSTS = 48  # spread over the session, if it is long; each as long as the pieces in which tracks are judged
MOST_CELLS = 20_000_000  # of a matrix of matched tracks; longer sessions have enough to go by without third views
LEAST_AGREEMENT = 0.6  # of a pair's matches with those that go by a third view; with less it is tried again
LEAST_WORTH = 0.7  # of the score that a pair had on its own, below which what others say has misled it
ALONE = 0.8  # of the time; the rest is for trying again
CONTRADICTION = 0.3  # with less than this after that, a pair's geometry is refused


def estimate_geometry(
    views: Sequence[View],
    *,
    prior: Mapping[ViewNames, NDArray[np.floating]] | None = None,
    instant_s: float = 0.2,
    seed: int = 0,
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
        progress: of all pairs.

    Returns:
        By pair in the order of the views: stretches in order of time that together cover all instants. A stretch whose
        geometry cannot be trusted has no matrix, and a problem.
    """
    stop = max((int(view.observations.instant.max(initial=-1)) for view in views), default=-1) + 1
    geometry: Geometry = {}
    lessons: dict[ViewNames, Lesson] = {}
    progress = progress or Progress()
    pairs = list(combinations(views, 2))
    for number, (first, second) in enumerate(pairs):
        names = (first.name, second.name)
        lessons[names] = _lesson(first, second, (prior or {}).get(names), instant_s)
        random = np.random.default_rng([seed, number])
        with progress.part(ALONE / len(pairs)) as part:
            geometry[names] = estimate_stretches(
                names, lessons[names], (0, stop), random, instant_s=instant_s, progress=part
            )
    tracks = {view.name: len(view.tracks) for view in views}
    if len(views) < 3 or max(tracks.values()) ** 2 > MOST_CELLS:
        return geometry
    return _consistent(geometry, lessons, tracks, seed, instant_s, progress)


def _consistent(
    geometry: Geometry,
    lessons: Mapping[ViewNames, Lesson],
    tracks: Mapping[str, int],
    seed: int,
    instant_s: float,
    progress: Progress,
) -> Geometry:
    """Estimates again what is missing or contradicts third views; refuses what still does, the worst first."""
    geometry = dict(geometry)

    def matched(names: ViewNames, stretches: Sequence[PairGeometry]) -> NDArray[np.int64] | None:
        return matched_instants(lessons[names], stretches, (tracks[names[0]], tracks[names[1]]))

    found = {names: matched(names, stretches) for names, stretches in geometry.items()}
    matches = {names: each for names, each in found.items() if each is not None}
    for number, names in enumerate(geometry):
        hearsay = prior_from_third_views(names, list(tracks), matches)
        if hearsay is None or (before := agreement(matches.get(names), hearsay)) >= LEAST_AGREEMENT:
            continue
        random = np.random.default_rng([seed, number, 1])
        stop = geometry[names][-1].stop
        taught = lessons[names].with_prior(hearsay)
        with progress.part((1 - ALONE) / len(geometry)) as part:
            again = estimate_stretches(names, taught, (0, stop), random, instant_s=instant_s, progress=part)
        now = matched(names, again)
        worth = [_score(lessons[names], stretches) for stretches in (geometry[names], again)]
        if now is not None and agreement(now, hearsay) > before and worth[1] >= LEAST_WORTH * worth[0]:
            geometry[names], matches[names] = again, now
    while len(matches) > 2:
        agreements = {
            names: agreement(matches[names], hearsay)
            for names in matches
            if (hearsay := prior_from_third_views(names, list(tracks), matches)) is not None
        }
        worst = min(agreements, key=agreements.__getitem__, default=None)
        if worst is None or agreements[worst] >= CONTRADICTION:
            break
        del matches[worst]
        problem = "who matches contradicts what other cameras say"
        geometry[worst] = tuple(replace(stretch, matrix=None, problem=problem) for stretch in geometry[worst])
    return geometry


def _score(lesson: Lesson, stretches: Sequence[PairGeometry]) -> float:
    """What a pair's geometry explains on its own."""
    return sum(
        lesson.between(part.start, part.stop).score(part.matrix) for part in stretches if part.matrix is not None
    )


def _lesson(first: View, second: View, prior: NDArray[np.floating] | None, instant_s: float) -> Lesson:
    common = np.intersect1d(first.observations.instant, second.observations.instant)
    if len(common) > MOST_INSTANTS:
        common = _bursts(common, max(round(PIECE_S / instant_s), 1))
    rows = CommonRows.concat(list(pair_rows(first, second, common)))
    return Lesson.of(rows, (first.size, second.size), prior, instant_s=instant_s)


def _bursts(instants: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """At most MOST_INSTANTS of the instants, many from each of at most MOST_BURSTS evenly spread bursts."""
    bursts, burst = np.unique(instants // length, return_inverse=True)
    chosen = np.unique(np.linspace(0, len(bursts) - 1, MOST_BURSTS).astype(np.int64))
    begin = np.searchsorted(burst, chosen)
    count = np.searchsorted(burst, chosen, side="right") - begin
    share = np.linspace(0, 1, MOST_INSTANTS // len(chosen), endpoint=False)
    return np.unique(instants[begin[:, None] + (share * count[:, None]).astype(np.int64)])
