"""Where a person of one view is in another: people stand on one floor, so that place and size nearly fix it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RIDGE = 0.1
DEGREES = 4.0  # of freedom of Student's distribution, for people who sit, bend or are cut off
ROUNDS = 6
LEAST_VARIANCE = 1e-4


@dataclass(frozen=True, eq=False)
class PlaceMap:
    """A quadratic function between the views' places and the covariance (4, 4) of what it leaves unexplained."""

    coefficients: Floats
    covariance: Floats

    @classmethod
    def learn(cls, source: Floats, target: Floats, weight: Floats) -> PlaceMap:
        """By least squares with Student's weights (Lange et al. 1989) from places (R, 4) and weights (R,)."""
        terms, robust = _terms(source), weight
        covariance = np.eye(target.shape[1])
        for _ in range(ROUNDS):
            normal = (terms * robust[:, None]).T @ terms + RIDGE * np.eye(terms.shape[1])
            coefficients = np.linalg.solve(normal, (terms * robust[:, None]).T @ target)
            error = target - terms @ coefficients
            covariance = (error * robust[:, None]).T @ error / max(weight.sum(), 1e-9)
            covariance += LEAST_VARIANCE * np.eye(len(covariance))
            distance = np.einsum("ni,ij,nj->n", error, np.linalg.inv(covariance), error)
            robust = weight * (DEGREES + target.shape[1]) / (DEGREES + distance)
        return cls(np.asarray(coefficients, np.float64), np.asarray(covariance, np.float64))

    def at(self, source: Floats) -> Floats:
        """Expected places (R, 4)."""
        return np.asarray(_terms(source) @ self.coefficients)

    def deviation(self, source: Floats, target: Floats) -> Floats:
        """How far places are from the expected ones (R,), in standard deviations (Mahalanobis)."""
        error = target - self.at(source)
        return np.asarray(np.sqrt(np.einsum("ni,ij,nj->n", error, np.linalg.inv(self.covariance), error)))


def _terms(places: Floats) -> Floats:
    row, column = np.triu_indices(places.shape[1])
    return np.concatenate([np.ones((len(places), 1)), places, places[:, row] * places[:, column]], axis=1)
