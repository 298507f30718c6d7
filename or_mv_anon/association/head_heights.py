"""How high a head looks in a camera, depending on where in the picture it is, learned from people seen clearly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.views import BodyPoint, View

Floats = NDArray[np.float64]
CLEAR_WEIGHT = 0.5  # of a head point from which on its person's head height is believed
CLEAR_SCORE = 0.5  # of the detection
MOST_SAMPLES = 20_000
LEAST_SAMPLES = 30  # for anything but one height for the whole picture
RIDGE = 1.0  # samples' worth of doubt about any dependence on the place
ROUNDS = 5  # of reweighting
OUTLIER = 0.2  # of the logarithm of the height, from which on a sample counts less (Huber 1964)
WIDEST = 3.0  # heights stay within this factor of the usual one


@dataclass(frozen=True, eq=False)
class HeadHeights:
    """The logarithm of the head height as a quadratic function of the place.

    Perspective makes it a linear function of the place for people who stand on one floor; bent and sitting people and
    lens distortion ask for a little more.
    """

    size: tuple[int, int]
    usual: float
    coefficients: Floats

    @classmethod
    def learn(cls, view: View) -> HeadHeights | None:
        """From a camera's clear observations; None if there is none."""
        seen = view.observations
        clear = np.flatnonzero(
            (seen.weight[:, BodyPoint.HEAD] >= CLEAR_WEIGHT) & (seen.score >= CLEAR_SCORE) & (seen.head > 0)
        )
        if not len(clear):
            return None
        clear = clear[:: -(-len(clear) // MOST_SAMPLES)]
        heights = np.log(seen.head[clear].astype(np.float64))
        usual = float(np.median(heights))
        terms = _terms(seen.points[clear, BodyPoint.HEAD], view.size)
        coefficients: Floats = np.zeros(terms.shape[1])
        if len(clear) >= LEAST_SAMPLES:
            for _ in range(ROUNDS):
                error = np.abs(heights - usual - terms @ coefficients)
                weight = np.minimum(1, OUTLIER / np.maximum(error, 1e-9))
                normal = terms.T @ (weight[:, None] * terms) + RIDGE * np.eye(terms.shape[1])
                coefficients = np.asarray(np.linalg.solve(normal, terms.T @ (weight * (heights - usual))), np.float64)
        return cls(view.size, usual, coefficients)

    def at(self, points: NDArray[np.floating]) -> Floats:
        """Head heights ``(N,)`` in pixels at points ``(N, 2)``."""
        deviation = _terms(points, self.size) @ self.coefficients
        return np.asarray(np.exp(self.usual + np.clip(deviation, -np.log(WIDEST), np.log(WIDEST))))


def _terms(points: NDArray[np.floating], size: tuple[int, int]) -> Floats:
    x, y = (np.clip(points.astype(np.float64) / size, -0.1, 1.1) * 2 - 1).T  # no extrapolation far outside
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
