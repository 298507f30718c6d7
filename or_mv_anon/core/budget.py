"""How the time is spent: how many iterations of how many steps fit into what the user gave.

Steps are cut first, because a shorter training is still a training; below a least number of steps an iteration is
not worth its analysis, and fewer iterations are made instead.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0
SPEED_MARGIN = 1.1  # machines are not always as fast as when they were measured


@dataclass(frozen=True)
class IterationPlan:
    """How many iterations are left to make, of how many steps each."""

    iterations: int
    steps: int


class Budget:
    """The user's time, from the start of this run; without a limit there is always enough."""

    def __init__(self, minutes: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = math.inf if minutes is None else clock() + minutes * MINUTE

    @property
    def left(self) -> float:
        """Seconds, never below 0; infinite without a limit."""
        return max(0.0, self._end - self._clock())

    @property
    def limit(self) -> float | None:
        """The same as a limit for a part of the work: None without a limit."""
        return None if math.isinf(self.left) else self.left


def affords_iteration(left: float, *, analysis_s: float, step_s: float, least_steps: int) -> bool:
    """Whether a further iteration is worth its labelling: whether a short training would still fit behind it.

    Args:
        left: seconds for iterations; infinite for no limit.
        analysis_s: seconds that labelling took before.
        step_s: seconds that a training step took.
        least_steps: fewer make an iteration not worth while.
    """
    return left >= (analysis_s + least_steps * step_s) * SPEED_MARGIN


def plan_iterations(
    left: float, iterations: int, *, analysis_s: float, step_s: float, steps: int, least_steps: int
) -> IterationPlan:
    """What fits into `left` seconds, beginning with a training whose labels are there.

    Args:
        left: seconds for the iterations; infinite for no limit.
        iterations: wished.
        analysis_s: seconds that labelling takes before every iteration but the first.
        step_s: seconds of a training step.
        steps: wished per iteration.
        least_steps: fewer make an iteration not worth while.

    Returns:
        The plan; no iteration when not even `least_steps` fit.
    """
    if math.isinf(left):
        return IterationPlan(iterations, steps)
    for count in range(iterations, 0, -1):
        spare = left - (count - 1) * analysis_s
        possible = int(spare / (count * step_s * SPEED_MARGIN))
        if possible >= min(least_steps, steps):
            return IterationPlan(count, min(steps, possible))
    return IterationPlan(0, 0)
