"""Confidence intervals by resampling stretches of time.

Neighbouring frames show the same faces, so frames are no independent samples; stretches of some seconds nearly are
(block bootstrap: Künsch 1989; percentile intervals: Efron & Tibshirani 1993). All cameras' data of one stretch are
drawn together, because they show the same people. An interval tells what other stretches of the same session could have
given; it says nothing about other rooms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.figures import Figures

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate(Figures):
    """A figure with its 95 % interval; `low` and `high` are None where fewer than two blocks are there to draw from.

    A `value` of None was not measurable: there was nothing to count.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class Blocks:
    """Stretches of time, and how often each was drawn in every resample.

    Attributes:
        number: how many blocks there are.
        draws: (resamples, number) counts; every row adds up to `number`.
    """

    number: int
    draws: NDArray[np.int64]

    @classmethod
    def drawn(cls, number: int, *, resamples: int, seed: int) -> Blocks:
        """Draw `number` blocks with replacement, `resamples` times."""
        generator = np.random.default_rng(seed)
        chance = np.full(number, 1 / max(number, 1))
        return cls(number, generator.multinomial(number, chance, size=resamples))

    def total(self, block: NDArray[Any], weight: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Sum per block (number,) of `weight` (N,), or the number of rows; `block` (N,) is each row's."""
        return np.bincount(block, weights=weight, minlength=self.number).astype(np.float64)

    def ratio(self, above: NDArray[Any], below: NDArray[Any], *, scale: float = 1.0) -> Estimate:
        """`scale` × sum of `above` ÷ sum of `below`, both per block (number,)."""
        if below.sum() <= 0:
            return Estimate(None)
        value = scale * float(above.sum() / below.sum())
        if self.number < 2:
            return Estimate(value)
        numerators, denominators = self.draws @ above, self.draws @ below
        drawn = denominators > 0
        return self._interval(value, scale * numerators[drawn] / denominators[drawn])

    def statistic(self, measure: Callable[[NDArray[np.bool_]], float], value: float) -> Estimate:
        """The interval of a `measure` of the set of blocks drawn, given as a mask (number,); `value` is its own."""
        if self.number < 2:
            return Estimate(value)
        return self._interval(value, np.array([measure(drawn > 0) for drawn in self.draws]))

    def _interval(self, value: float, resampled: NDArray[np.float64]) -> Estimate:
        if not len(resampled):
            return Estimate(value)
        low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Estimate(value, float(low), float(high))


def exact_share(count: int, of: int) -> Estimate:
    """A share of independent trials with its exact interval (Clopper & Pearson 1934).

    Resampling cannot say how rare something is that never happened; this can: 0 of 24 may still be 14 %.
    """
    from scipy import special  # takes a tenth of a second, which every process would wait for

    if of == 0:
        return Estimate(None)
    tail = (1 - LEVEL) / 2
    low = 0.0 if count == 0 else float(special.betaincinv(count, of - count + 1, tail))
    high = 1.0 if count == of else float(special.betaincinv(count + 1, of - count, 1 - tail))
    return Estimate(count / of, low, high)
