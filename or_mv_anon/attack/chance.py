"""What guessing gets right, when the best of several attackers is taken.

Names are exchanged among the enrolled people at random while the attackers' answers stay: whatever an attacker then
gets right is luck (permutation test, Fisher 1935; `matching.chance_interval` does it for one attacker). In every draw
the luckiest attacker is taken, as a table that shows the best attacker does with the real names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from or_mv_anon.attack.matching import RESAMPLES, Names, Similarity, rank
from or_mv_anon.core.bootstrap import LEVEL
from or_mv_anon.core.figures import Figures


@dataclass(frozen=True)
class Chance(Figures):
    """Rank-1 by luck: its mean and its 95 % interval."""

    value: float
    low: float
    high: float


def chance_of_best(
    similarities: Sequence[Similarity], probe_ids: Names, gallery_ids: Names, *, seed: int = 0
) -> Chance:
    """Rank-1 of the luckiest of several attackers.

    Args:
        similarities: per attacker, ``(P, G)``.
        probe_ids, gallery_ids: whose pictures they are; whoever is probed is enrolled.
        seed: of the exchanges of names.
    """
    people = np.unique(gallery_ids)
    who = np.searchsorted(people, probe_ids)
    taken_for = np.zeros((len(similarities), len(people), len(people)))  # attacker, true person, person named
    for counted, similarity in zip(taken_for, similarities, strict=True):
        for column, name in enumerate(people):
            counted[:, column] = np.bincount(
                who, rank(similarity, np.full(len(who), name), gallery_ids, 1), minlength=len(people)
            )
    draw = np.random.default_rng(seed)
    names = np.stack([draw.permutation(len(people)) for _ in range(RESAMPLES)])
    best = taken_for[:, np.arange(len(people)), names].sum(axis=-1).max(axis=0) / len(who)
    low, high = np.quantile(best, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Chance(float(best.mean()), float(low), float(high))
