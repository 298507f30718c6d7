"""From single frames' probabilities of being outside the body to what is covered, offline and with a fixed delay.

A two-state continuous-time Markov chain (inside, outside) whose dwell times are seconds, so that the frame rate does
not matter; the posterior comes from the forward-backward recursions (Rabiner 1989). A frame is covered when leaking
it would cost more than covering it, when the network alone is certain, when it could not be judged, or within the
margin around any such frame. Smoothing therefore never uncovers a frame of which the network is certain.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.endoscopy.settings import SmoothingConfig

LEAST = 1e-4  # the network is never believed to be surer than this
LONGEST_STEP = 10.0  # seconds; a longer hole in the recording tells nothing about what came before


@dataclass(frozen=True)
class Smoothed:
    """Per frame: the probability of being outside given all frames, and whether the frame is covered."""

    posterior: NDArray[np.float64]
    covered: NDArray[np.bool_]


@dataclass(frozen=True)
class Decision:
    """What the online smoother says of one frame."""

    time: float
    covered: bool
    posterior: float


class TwoStateSmoother:
    """Smooths a whole recording, looking both ways."""

    def __init__(self, config: SmoothingConfig) -> None:
        self._config = config
        self._chain = _Chain(config)

    def __call__(self, probabilities: Sequence[float] | NDArray[np.float64], times: NDArray[np.float64]) -> Smoothed:
        """Decide about every frame.

        Args:
            probabilities: (N,) of being outside; NaN where the frame could not be judged.
            times: (N,) seconds, ascending.
        """
        given = np.asarray(probabilities, np.float64)
        seconds = np.asarray(times, np.float64)
        if given.shape != seconds.shape or given.ndim != 1:
            raise ValueError(f"expected as many probabilities as times, got {given.shape} and {seconds.shape}")
        if np.any(np.diff(seconds) < 0):
            raise ValueError("expected ascending times")
        steps = _steps(seconds)
        posterior, _ = self._chain.posterior(given, steps)
        outside = is_outside(given, posterior, self._config)
        return Smoothed(posterior, with_margin(outside, seconds, self._config.margin_s))


class OnlineSmoother:
    """Decides about every frame with a fixed delay: a frame is judged by what follows it within the delay.

    Args:
        config: settings; margins longer than the delay are cut to it before an exit, not after a return.
        delay: seconds between a frame's arrival and its decision.
    """

    def __init__(self, config: SmoothingConfig, *, delay: float) -> None:
        self._config, self._delay = config, delay
        self._chain = _Chain(config)
        self._belief = self._chain.stationary  # of the frame before the first waiting one
        self._before: float | None = None  # that frame's time
        self._waiting: deque[tuple[float, float]] = deque()  # time, probability
        self._last_outside = -math.inf  # time of the last released frame that was outside

    def push(self, time: float, probability: float) -> list[Decision]:
        """Take the next frame; returns the decisions that became due, oldest first."""
        self._waiting.append((time, probability))
        return self._release(time - self._delay)

    def flush(self) -> list[Decision]:
        """Decide about the frames that are still waiting, at the end of the stream."""
        return self._release(math.inf)

    def _release(self, until: float) -> list[Decision]:
        due = sum(1 for time, _ in self._waiting if time <= until)
        if not due:
            return []
        times = np.array([time for time, _ in self._waiting])
        given = np.array([probability for _, probability in self._waiting])
        steps = _steps(times, before=self._before)
        posterior, beliefs = self._chain.posterior(given, steps, start=self._belief)
        outside = is_outside(given, posterior, self._config)
        cover = with_margin(outside, times, self._config.margin_s)
        decisions = []
        for row in range(due):
            self._waiting.popleft()
            # Frames that were released earlier cover those that follow them, too.
            if outside[row]:
                self._last_outside = times[row]
            hide = bool(cover[row]) or times[row] - self._last_outside <= self._config.margin_s
            decisions.append(Decision(float(times[row]), hide, float(posterior[row])))
        self._belief, self._before = beliefs[due - 1], float(times[due - 1])
        return decisions


class _Chain:
    """The Markov chain: transition and emission terms. States: 0 inside, 1 outside."""

    def __init__(self, config: SmoothingConfig) -> None:
        leaving, returning = 1 / config.mean_inside_s, 1 / config.mean_outside_s
        self._rate = leaving + returning
        outside = leaving / self._rate
        self.stationary = np.array([1 - outside, outside])
        self._evidence = config.evidence_s

    def posterior(
        self, given: NDArray[np.float64], steps: NDArray[np.float64], start: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of being outside given all frames (N,), and the beliefs (N, 2) of each frame given itself and all before it.

        `start` is the belief of the frame before the first one, None where there is none.
        """
        if not len(given):
            return np.zeros(0), np.zeros((0, 2))
        emission = self._emission(given, steps)
        keep = np.exp(-self._rate * steps)
        beliefs = self._forward(emission, keep, self.stationary if start is None else start)
        terms = beliefs * self._backward(emission, keep)
        return np.asarray(terms[:, 1] / terms.sum(axis=1)), beliefs

    def _forward(
        self, emission: NDArray[np.float64], keep: NDArray[np.float64], start: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        beliefs = np.empty_like(emission)
        rest_in, rest_out = self.stationary
        inside, outside = start
        for row in range(len(emission)):
            # The belief relaxes towards the stationary one with the time that passed.
            inside = (keep[row] * inside + (1 - keep[row]) * rest_in) * emission[row, 0]
            outside = (keep[row] * outside + (1 - keep[row]) * rest_out) * emission[row, 1]
            total = inside + outside
            inside, outside = inside / total, outside / total
            beliefs[row] = inside, outside
        return beliefs

    def _backward(self, emission: NDArray[np.float64], keep: NDArray[np.float64]) -> NDArray[np.float64]:
        """How well each state of a frame explains all frames after it, (N, 2), each row up to a factor."""
        terms = np.ones_like(emission)
        rest_in, rest_out = self.stationary
        inside = outside = 1.0
        for row in range(len(emission) - 1, 0, -1):
            seen_in, seen_out = inside * emission[row, 0], outside * emission[row, 1]
            mixed = rest_in * seen_in + rest_out * seen_out
            inside = keep[row] * seen_in + (1 - keep[row]) * mixed
            outside = keep[row] * seen_out + (1 - keep[row]) * mixed
            total = inside + outside
            inside, outside = inside / total, outside / total
            terms[row - 1] = inside, outside
        return terms

    def _emission(self, given: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Likelihood of each frame in both states (N, 2), up to a factor; a frame not judged says nothing.

        The network answers for even odds. Frames closer than `evidence_s` share one observation between them.
        """
        sure = np.clip(np.nan_to_num(given, nan=0.5), LEAST, 1 - LEAST)
        weight = np.minimum(1.0, steps / self._evidence)
        odds = weight * (np.log(sure) - np.log1p(-sure))
        outside = 1 / (1 + np.exp(-odds))
        return np.stack([1 - outside, outside], axis=1)


def is_outside(
    given: NDArray[np.float64], posterior: NDArray[np.float64], config: SmoothingConfig
) -> NDArray[np.bool_]:
    """Mask (N,) of the frames that are covered by their own right."""
    return np.asarray(np.isnan(given) | (given >= config.certain) | (posterior >= config.threshold))


def with_margin(outside: NDArray[np.bool_], times: NDArray[np.float64], margin: float) -> NDArray[np.bool_]:
    """Mask (N,) of the frames that are outside or at most `margin` seconds from one that is."""
    hits = times[outside]
    if not len(hits):
        return outside
    place = np.searchsorted(hits, times)
    after = np.abs(hits[np.minimum(place, len(hits) - 1)] - times)
    before = np.abs(times - hits[np.maximum(place - 1, 0)])
    return np.asarray(outside | (np.minimum(after, before) <= margin))


def _steps(times: NDArray[np.float64], *, before: float | None = None) -> NDArray[np.float64]:
    """Seconds from each frame's predecessor; the first frame of all stands for one independent observation."""
    first = LONGEST_STEP if before is None else times[0] - before
    return np.clip(np.diff(times, prepend=times[:1] - first), 0.0, LONGEST_STEP) if len(times) else times
