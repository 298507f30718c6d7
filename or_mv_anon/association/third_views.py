"""What the matches with third views say about who is who in two others, and whether the two views agree with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.pair_estimate import Lesson
from or_mv_anon.association.results import PairGeometry, ViewNames

Matches = Mapping[ViewNames, NDArray[np.int64]]
LEAST_INSTANTS = 5  # that two tracks have in common, to count as matched
MATCHED_SHARE = 0.5  # of these in which they are each other's nearest
LOG_ODDS = 2.0  # for two tracks that match one track of a third view, and against two that match others there


def matched_instants(
    lesson: Lesson, stretches: Sequence[PairGeometry], shape: tuple[int, int]
) -> NDArray[np.int64] | None:
    """In how many sampled instants tracks (T1, T2) match, 0 for pairs that do so seldom; None without any geometry."""
    if all(stretch.matrix is None for stretch in stretches):
        return None
    common, matched = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for stretch in stretches:
        if stretch.matrix is not None:
            part = lesson.between(stretch.start, stretch.stop)
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
            vote = ((one > 0).astype(np.float32) @ (other > 0).astype(np.float32) > 0).astype(np.float64)
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
