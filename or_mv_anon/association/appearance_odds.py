"""How much a cosine of two people's looks says, learned from a session without labels.

Cosines of tracks that two views see at once are taken for a mixture of two Gaussians: alike and unlike. Being alike is
not yet being one person. How often two different people are alike is read from pairs of one view; only as far as pairs
across views are alike more often than that do looks say anything.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

SCORES = np.linspace(-1, 1, 201)  # cosines at which everything is computed
STEP = float(SCORES[1] - SCORES[0])
LEAST_PAIRS = 20  # of tracks, within and across views
ROUNDS = 200  # of expectation maximization
NARROWEST = 1 / 3  # of the spread of all cosines, so that no component falls into a gap
TURNED = 0.1  # share of people who do not look like themselves from another side
TWO_KINDS = 0.04  # nats per pair by which two Gaussians must explain the cosines better than one
LIMIT = 3.0  # log odds; looks alone never say more

Floats = NDArray[np.float64]


class Tally:
    """How often each cosine occurs; a pair seen for long counts by the square root of its instants."""

    def __init__(self) -> None:
        self.weights: Floats = np.zeros(len(SCORES))
        self.pairs = 0

    def add(self, cosines: ArrayLike, instants: ArrayLike) -> None:
        """Count pairs of tracks with their cosines ``(P,)`` and the instants ``(P,)`` at which both are seen."""
        bins = np.clip(np.rint((np.asarray(cosines) - SCORES[0]) / STEP), 0, len(SCORES) - 1).astype(int)
        self.weights += np.bincount(bins, np.sqrt(instants), minlength=len(SCORES))
        self.pairs += len(bins)


def fit_log_odds(across: Tally, within: Tally, *, most_same: float) -> Floats:
    """The log odds of being one person at each of `SCORES`, never falling; all 0 where nothing can be learned.

    With H and L the densities of alike and unlike pairs, a the share of different people who are alike, and t the
    share of people who do not look like themselves, they are log(((1 - t) H + t L) / (a H + (1 - a) L)).

    Args:
        across: pairs of tracks of two views, seen at once.
        within: pairs of tracks of one view, seen at once and side by side: different people.
        most_same: the largest share of the pairs in `across` that can be one person, were everybody in both pictures.
    """
    if min(across.pairs, within.pairs) < LEAST_PAIRS or not 0 < most_same < 1:
        return np.zeros(len(SCORES))
    cosines = across.weights / across.weights.sum()
    share, alike, unlike = _two_gaussians(cosines, most_same)
    responsibility = share * alike / (share * alike + (1 - share) * unlike)
    strangers = float(within.weights @ responsibility / within.weights.sum())
    same = (share - strangers) / (1 - strangers)  # from share = same + (1 - same) * strangers
    strangers = max(strangers, (share - most_same) / (1 - most_same))
    odds = np.log((1 - TURNED) * alike + TURNED * unlike) - np.log(strangers * alike + (1 - strangers) * unlike)
    rising = isotonic_regression(odds, weights=share * alike + (1 - share) * unlike).x
    gain = cosines @ np.log((share * alike + (1 - share) * unlike) / _density(*_moments(cosines)))
    trust = np.clip(min(same / (most_same / 2), gain / TWO_KINDS), 0, 1)  # half of the most is proof enough
    return np.asarray(trust * np.clip(rising, -LIMIT, LIMIT))


def _two_gaussians(weights: Floats, share: float) -> tuple[float, Floats, Floats]:
    """Expectation maximization from a first share: the upper Gaussian's share, and both densities at `SCORES`."""
    mean, spread = _moments(weights)
    upper, lower = (mean + 1.5 * spread, 0.7 * spread), (mean - 0.3 * spread, 0.7 * spread)
    for _ in range(ROUNDS):
        high, low = share * _density(*upper), (1 - share) * _density(*lower)
        to_upper = weights * high / (high + low)
        share = float(np.clip(to_upper.sum(), 1e-6, 1 - 1e-6))
        upper = _moments(to_upper, least=NARROWEST * spread)
        lower = _moments(weights - to_upper, least=NARROWEST * spread)
    return share, _density(*upper), _density(*lower)


def _moments(weights: Floats, *, least: float = STEP) -> tuple[float, float]:
    total = max(weights.sum(), 1e-12)
    mean = float(weights @ SCORES / total)
    return mean, max(float(np.sqrt(weights @ (SCORES - mean) ** 2 / total)), least)


def _density(mean: float, deviation: float) -> Floats:
    """A normal density at `SCORES`, with a floor so that its logarithm stays finite."""
    return np.asarray(np.exp(-0.5 * ((SCORES - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi)) + 1e-12)
