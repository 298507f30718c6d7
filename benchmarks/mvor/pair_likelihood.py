"""How likely two detections of two views are one person, learned without labels by setting moments side by side.

Pairs from two different moments are certainly not one person at one moment: they show how the evidence of strangers is
distributed. Pairs from one moment are a mixture of strangers and of true pairs, and who is a true pair follows from the
rule that a detection has at most one partner. Both densities and the pairs are estimated in turn (expectation
maximization, Dempster et al. 1977). The distance from the epipolar line is taken as independent of all that tells of
places: a density of everything at once would blur the line, which is known far better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from benchmarks.mvor.place_map import PlaceMap

Floats = NDArray[np.float64]

ROUNDS = 6
BANDWIDTH = 0.35  # of the kernels, in standard deviations of the evidence
MOST_KERNELS = 1500
FIRST_LIMIT, FIRST_SLOPE = 8.0, 2.0  # percent of a person's size at which a pair is first believed by half
SURE = 8.0  # log-likelihood ratios stay within this: densities are not known any better
NEAR = 0.3  # standard deviations below which nearer means nothing
DENSITY_FLOOR = 1e-9
SCORE_BINS = 8
LINE = 1  # columns of the evidence that are about the epipolar line


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of detections of two views.

    Attributes:
        places: (2, R, 4) where the two are.
        percent: (R,) epipolar distance in percent of their size.
        scores: (2, R) of the detections.
        owners: (2, R) a number for each detection, unlike for all detections of a view.
        extra: (R, E) further distances.
    """

    places: Floats
    percent: Floats
    scores: Floats
    owners: NDArray[np.int64]
    extra: Floats


@dataclass(frozen=True, eq=False)
class Judged:
    """What was learned of the pairs of one moment.

    Attributes:
        log_odds: (R,) that a pair is one person, before anybody else is considered.
        maps: from the first view's places to the second's, and back.
    """

    log_odds: Floats
    maps: tuple[PlaceMap, PlaceMap]


def judge(same: Pairs, other: Pairs, *, seed: int = 0) -> Judged:
    """Log-odds of the pairs of one moment, against those that were drawn from two."""
    random = np.random.default_rng(seed)
    belief = compete((FIRST_LIMIT - same.percent) / FIRST_SLOPE, same.owners)
    for _ in range(ROUNDS):
        maps = (PlaceMap.learn(same.places[0], same.places[1], belief),
                PlaceMap.learn(same.places[1], same.places[0], belief))  # fmt: skip
        evidence, strange = _evidence(same, maps), _evidence(other, maps)
        mean, spread = strange.mean(axis=0), strange.std(axis=0) + 1e-9
        evidence, strange = (evidence - mean) / spread, (strange - mean) / spread
        strangers = np.sort(random.permutation(len(strange))[:MOST_KERNELS])
        ratio = sum(
            _log_density(evidence[:, kind], evidence[:, kind], belief)
            - _log_density(evidence[:, kind], strange[strangers, kind], np.ones(len(strangers)))
            for kind in (slice(LINE), slice(LINE, None))
        )
        log_odds = np.clip(ratio, -SURE, SURE) + _prior(same, belief)
        belief = compete(log_odds, same.owners)
    return Judged(log_odds, maps)


def _log_density(at: Floats, of: Floats, weight: Floats) -> Floats:
    """Logarithm of the density of samples (K, E) with weights, at points (R, E), by the weightiest samples."""
    chosen = np.argsort(-weight, kind="stable")[:MOST_KERNELS]
    density = gaussian_kde(of[chosen].T, bw_method=BANDWIDTH, weights=weight[chosen] + DENSITY_FLOOR)
    return np.asarray(np.log(density(at.T) + DENSITY_FLOOR))


def compete(log_odds: Floats, owners: NDArray[np.int64]) -> Floats:
    """Probabilities (R,) when each detection has one partner or none: a pair against all that share a detection."""
    odds = np.exp(np.clip(log_odds, -20, 20))
    totals = [np.bincount(side, odds)[side] for side in owners]
    return np.asarray(odds / (1 + totals[0] + totals[1] - odds))


def _evidence(pairs: Pairs, maps: tuple[PlaceMap, PlaceMap]) -> Floats:
    off = [maps[0].deviation(pairs.places[0], pairs.places[1]), maps[1].deviation(pairs.places[1], pairs.places[0])]
    return np.column_stack([np.log1p(pairs.percent), *(np.log(NEAR + each) for each in off), pairs.extra])


def _prior(pairs: Pairs, belief: Floats) -> Floats:
    """Log-odds of a pair by its scores alone: how often detections of such scores have found a partner."""
    rates = [_partnered(scores, belief, owner) for scores, owner in zip(pairs.scores, pairs.owners, strict=True)]
    base = belief.sum() / len(belief)
    usual = [np.average(rate) for rate in rates]
    return np.asarray(
        np.log(base / (1 - base)) + sum(np.log(rate / mean) for rate, mean in zip(rates, usual, strict=True))
    )


def _partnered(scores: Floats, belief: Floats, owner: NDArray[np.int64]) -> Floats:
    found = np.minimum(np.bincount(owner, belief), 1)[owner]
    edges = np.quantile(scores, np.arange(1, SCORE_BINS) / SCORE_BINS)
    bins = np.searchsorted(edges, scores, side="right")
    count = np.bincount(bins, minlength=SCORE_BINS)
    return np.asarray(((np.bincount(bins, found, SCORE_BINS) + found.mean() * 5) / (count + 5))[bins])
