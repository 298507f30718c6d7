"""What a distance is worth as evidence, learned from a session without labels.

How distances of two different people are spread is seen where nobody can be equal: between a view and another one at a
later time. How those of one person are spread is what is left of the pairs of one time when the share of strangers is
taken away. Where strangers are often close too, because everybody stands still on a few lines, little is left to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.monotone import monotone

Floats = NDArray[np.float64]

EDGES = np.r_[0.0, 0.08, 0.12, 0.17, 0.24, 0.34, 0.48, 0.68, 1.0, 1.5, 2.5, 4.0, np.inf]  # head heights
TAIL = 1.5  # head heights, beyond which two observations are hardly ever of one person
LENGTHS_S = (0.5, 2.0, 6.0, 20.0)  # seconds in common at which longer pairs are judged apart from shorter ones
LEAST_PAIRS = 40  # of either kind, to learn anything from
PSEUDO = 3.0  # pairs spread over all bins like the other lengths', so that an empty bin does not prove anything
LIMIT = 4.0  # log-odds; more is never said by one kind of evidence about two tracks


@dataclass(frozen=True, eq=False)
class LikelihoodRatio:
    """How many times likelier a distance is for one person than for two.

    Attributes:
        log_ratio: (lengths, bins), never rising with distance.
        instant_s: seconds between instants.
    """

    log_ratio: Floats
    instant_s: float

    def of(self, distance: NDArray[Any], instants: NDArray[Any]) -> Floats:
        """Natural logarithms (N,) for distances in head heights over so many instants; 0 where the distance is NaN."""
        known = np.isfinite(distance)
        found = self.log_ratio[_lengths(instants, self.instant_s), _bins(np.where(known, distance, 0.0))]
        return np.asarray(np.where(known, found, 0.0))


def learn_ratio(
    distance: NDArray[Any],
    instants: NDArray[Any],
    strange_distance: NDArray[Any],
    strange_instants: NDArray[Any],
    *,
    most_same: float,
    astray: float,
    instant_s: float,
) -> LikelihoodRatio:
    """From pairs of one time, and from pairs of different times.

    Args:
        distance, instants: (N,) of all pairs of tracks that are seen together.
        strange_distance, strange_instants: (M,) of pairs that cannot be one person.
        most_same: the largest share of the pairs that can be one person.
        astray: share of one person's pairs that are as far apart as strangers'.
        instant_s: seconds between instants.

    Returns:
        All zeros where there is too little to learn from.
    """
    shape = len(LENGTHS_S) + 1, len(EDGES) - 1
    found = _counts(distance, instants, instant_s)
    strange = _counts(strange_distance, strange_instants, instant_s)
    if min(found.sum(), strange.sum()) < LEAST_PAIRS:
        return LikelihoodRatio(np.zeros(shape), instant_s)
    whole, nobody = found.sum(axis=0), strange.sum(axis=0)
    left = _left(whole / whole.sum(), nobody / nobody.sum(), most_same).sum()
    chance = min(1 / max(whole.sum() * left**2, 1e-9), 1)  # what is left may be no more than counting's own scatter
    unlike = astray + (1 - astray) * chance
    log_ratio = np.zeros(shape)
    for length in range(shape[0]):
        if found[length].sum() >= 1 and strange[length].sum() >= 1:
            one = found[length] + PSEUDO * whole / whole.sum()
            other = strange[length] + PSEUDO * nobody / nobody.sum()
            log_ratio[length] = _log_ratio(one / one.sum(), (other + 0.01) / (other + 0.01).sum(), most_same, unlike)
    return LikelihoodRatio(log_ratio, instant_s)


def _log_ratio(found: Floats, strange: Floats, most_same: float, unlike: float) -> Floats:
    """With `unlike` the share of one person's pairs that are spread like strangers'."""
    same = _left(found, strange, most_same)
    if same.sum() < 1e-3:
        return np.zeros(len(found))
    same = (1 - unlike) * same / same.sum() + unlike * strange
    falling = monotone(np.log(same / strange), found + strange, increasing=False)
    return np.asarray(np.clip(falling, -LIMIT, LIMIT))


def _left(found: Floats, strange: Floats, most_same: float) -> Floats:
    """What is left of `found` without the strangers in it, whose share the far pairs tell."""
    tail = EDGES[:-1] >= TAIL
    strangers = np.clip(found[tail].sum() / max(strange[tail].sum(), 1e-9), 1 - most_same, 1)
    return np.asarray(np.maximum(found - strangers * strange, 0))


def _counts(distance: NDArray[Any], instants: NDArray[Any], instant_s: float) -> Floats:
    known = np.isfinite(distance)
    bins = len(EDGES) - 1
    cell = _lengths(instants[known], instant_s) * bins + _bins(distance[known])
    return np.bincount(cell, minlength=(len(LENGTHS_S) + 1) * bins).reshape(-1, bins).astype(np.float64)


def _bins(distance: NDArray[Any]) -> NDArray[np.intp]:
    return np.clip(np.searchsorted(EDGES, distance, side="right") - 1, 0, len(EDGES) - 2)


def _lengths(instants: NDArray[Any], instant_s: float) -> NDArray[np.intp]:
    return np.searchsorted(LENGTHS_S, np.asarray(instants) * instant_s)
