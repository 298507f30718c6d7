"""How well faces were matched: identification, verification, and what guessing would reach.

Identification is closed-set: every probe's person is enrolled, people are ranked by their most similar picture, and
people of equal similarity share their places, so that an attacker who sees nothing is at chance and not above.
Verification looks at all pairs of probe and enrolled picture (Phillips et al. 2000, "The FERET evaluation
methodology"). Pictures of one person are no independent samples: intervals are drawn over people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.bootstrap import LEVEL, Blocks, Estimate, exact_share
from or_mv_anon.core.figures import Figures

FALSE_ACCEPT_RATES = (1e-2, 1e-3)
ROC_RATES = (1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5)
RESAMPLES = 2000
Similarity = NDArray[np.floating]  # (probes, gallery pictures)
Names = NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Matching(Figures):
    """What one attacker reached.

    Attributes:
        people, probes, gallery: how many of each.
        rank1, rank5: share of probes whose person is first, or among the first five, with intervals over people.
        rank1_exact: the same share as if probes were independent (exact binomial interval); its upper bound says what
            a share of 0 may still hide.
        chance1, chance5: what guessing reaches.
        chance1_interval: 95 % of what the same rankings reach when the enrolled people's names are shuffled.
        tar: false accept rate -> share of same-person pairs accepted at a threshold that accepts no more than that
            share of the pairs of two people.
        roc: (false accept rate, true accept rate) points.
    """

    people: int
    probes: int
    gallery: int
    rank1: Estimate
    rank5: Estimate
    rank1_exact: Estimate
    chance1: float
    chance5: float
    chance1_interval: tuple[float, float]
    tar: dict[str, Estimate]
    roc: Sequence[tuple[float, float]]

    @property
    def within_chance(self) -> bool:
        """Whether rank-1 is no better than the upper end of chance's interval."""
        return (self.rank1.value or 0.0) <= self.chance1_interval[1]


def measure(
    similarity: Similarity, probe_ids: Sequence[str] | Names, gallery_ids: Sequence[str] | Names, *, seed: int = 0
) -> Matching:
    """All figures of one similarity matrix ``(P, G)``; higher means more alike.

    Args:
        similarity: of every probe with every enrolled picture.
        probe_ids, gallery_ids: whose pictures they are, ``(P,)`` and ``(G,)``.
        seed: of the resampling.
    """
    probe_ids, gallery_ids = np.asarray(probe_ids), np.asarray(gallery_ids)
    people, who = np.unique(probe_ids, return_inverse=True)
    enrolled = len(np.unique(gallery_ids))
    blocks = Blocks.drawn(len(people), resamples=RESAMPLES, seed=seed)
    probes = blocks.total(who)
    first = rank(similarity, probe_ids, gallery_ids, 1)
    fifth = rank(similarity, probe_ids, gallery_ids, 5)
    return Matching(
        people=len(people),
        probes=len(probe_ids),
        gallery=len(gallery_ids),
        rank1=blocks.ratio(blocks.total(who, first), probes),
        rank5=blocks.ratio(blocks.total(who, fifth), probes),
        rank1_exact=exact_share(round(first.sum()), len(first)),
        chance1=chance(enrolled, 1),
        chance5=chance(enrolled, 5),
        chance1_interval=chance_interval(similarity, probe_ids, gallery_ids, seed=seed),
        tar={
            f"{far:g}": tar_at_far(similarity, probe_ids, gallery_ids, far, blocks=blocks) for far in FALSE_ACCEPT_RATES
        },
        roc=roc(similarity, probe_ids, gallery_ids),
    )


def rank(similarity: Similarity, probe_ids: Names, gallery_ids: Names, k: int) -> NDArray[np.float64]:
    """For every probe whether its person is among the `k` most similar people, ``(P,)``.

    Shares between 0 and 1 where several people tie for the last place: the probability under a random order.
    """
    people, scores = _by_person(similarity, gallery_ids)
    column = np.searchsorted(people, probe_ids)
    known = people[np.minimum(column, len(people) - 1)] == probe_ids
    own = scores[np.arange(len(scores)), np.minimum(column, len(people) - 1)][:, None]
    better, alike = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.where(known, np.clip((k - better) / alike, 0, 1), 0.0)


def chance(people: int, k: int) -> float:
    """Share of probes whose person is among `k` of `people` drawn at random."""
    return min(1.0, k / people)


def chance_interval(
    similarity: Similarity, probe_ids: Names, gallery_ids: Names, *, seed: int, draws: int = RESAMPLES
) -> tuple[float, float]:
    """The central 95 % of rank-1 when enrolled people's names are shuffled.

    A permutation test: it keeps that the probes of one person are mostly taken for the same other person, which makes
    lucky guesses come in bundles and chance's interval wider than a binomial one.
    """
    people, scores = _by_person(similarity, gallery_ids)
    probed, who = np.unique(probe_ids, return_inverse=True)
    best = scores == scores.max(axis=1, keepdims=True)
    taken_for = np.zeros((len(probed), len(people)))
    np.add.at(taken_for, who, best / best.sum(axis=1, keepdims=True))
    generator = np.random.default_rng(seed)
    rows = np.arange(len(probed))
    shares = [taken_for[rows, generator.permutation(len(people))[: len(probed)]].sum() for _ in range(draws)]
    low, high = np.quantile(np.array(shares) / len(probe_ids), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def tar_at_far(
    similarity: Similarity, probe_ids: Names, gallery_ids: Names, far: float, *, blocks: Blocks | None = None
) -> Estimate:
    """Share of same-person pairs above the threshold that at most `far` of the other pairs exceed.

    Args:
        similarity, probe_ids, gallery_ids: see `measure`.
        far: false accept rate.
        blocks: resamples of the people who are probed, by name in alphabetical order; none gives no interval.
    """
    same = probe_ids[:, None] == gallery_ids[None, :]
    accepted = same & (similarity > _threshold(similarity[~same], far))
    if blocks is None:
        return Estimate(float(accepted.sum() / same.sum()) if same.any() else None)
    who = np.unique(probe_ids, return_inverse=True)[1]
    return blocks.ratio(blocks.total(who, accepted.sum(axis=1)), blocks.total(who, same.sum(axis=1)))


def roc(similarity: Similarity, probe_ids: Names, gallery_ids: Names) -> list[tuple[float, float]]:
    """Receiver operating characteristic at `ROC_RATES`, ``(false accept rate, true accept rate)``."""
    same = probe_ids[:, None] == gallery_ids[None, :]
    own, others = similarity[same], similarity[~same]
    if not own.size or not others.size:
        return []
    return [(far, float((own > _threshold(others, far)).mean())) for far in ROC_RATES]


def _threshold(others: NDArray[np.floating], far: float) -> float:
    """The least threshold that at most the share `far` of `others` lies above."""
    allowed = int(far * others.size)
    return float(np.partition(others, others.size - 1 - allowed)[others.size - 1 - allowed]) if others.size else np.inf


def _by_person(similarity: Similarity, gallery_ids: Names) -> tuple[Names, Similarity]:
    """Enrolled people in alphabetical order, and every probe's similarity with their most similar picture."""
    people, who = np.unique(gallery_ids, return_inverse=True)
    order = np.argsort(who, kind="stable")
    starts = np.searchsorted(who[order], np.arange(len(people)))
    return people, np.maximum.reduceat(similarity[:, order], starts, axis=1)
