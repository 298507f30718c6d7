"""Telling enrolled people apart by a linear projection: the cheapest attacker, and on mosaics the strongest.

Linear discriminant analysis (Fisher 1936) with the scatter within people shrunk towards a multiple of the identity
(Friedman 1989, "Regularized Discriminant Analysis"), since there are more numbers per picture than pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.models.recognizers import unit

SHRINKAGE = 0.1  # share of the mean variance that is added to every direction
LEAST_VARIANCE = 1e-9  # of samples of 0 to 1: where all pictures are equal
LEAST_LENGTH = 1e-3  # in units of the scatter within people: what is shorter is rounding, not evidence


@dataclass(frozen=True, eq=False)
class Discriminant:
    """A projection in which the pictures of one person lie close together.

    Attributes:
        centre: ``(D,)`` mean over the people.
        projection: ``(D, at most people - 1)``.
        people: unit vectors ``(people, ...)``, each person's mean in the projection.
    """

    centre: NDArray[np.float32]
    projection: NDArray[np.float32]
    people: NDArray[np.float32]

    def project(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors of the samples ``(N, D)``; zeros where a sample says nothing."""
        vectors = ((samples - self.centre) @ self.projection).astype(np.float32)
        vectors[np.linalg.norm(vectors, axis=1) < LEAST_LENGTH] = 0
        return unit(vectors)

    def scores(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosine similarity ``(N, people)`` of each sample with each enrolled person."""
        return self.project(samples) @ self.people.T


def fit_discriminant(samples: NDArray[np.float32], person: NDArray[np.integer]) -> Discriminant:
    """Learn from enrolled pictures.

    Args:
        samples: ``(N, D)``, one picture each.
        person: ``(N,)`` counts the people from 0; each has a sample.
    """
    samples = samples.astype(np.float64)
    count = int(person.max()) + 1
    means = np.stack([samples[person == each].mean(axis=0) for each in range(count)])
    within = samples - means[person]
    scatter = within.T @ within / len(samples)
    scatter += max(SHRINKAGE * scatter.trace() / len(scatter), LEAST_VARIANCE) * np.eye(len(scatter))
    variance, directions = np.linalg.eigh(scatter)
    whitening = directions / np.sqrt(np.maximum(variance, LEAST_VARIANCE))
    centre = means.mean(axis=0)
    # Between the people: the right singular vectors of their whitened means, from the small matrix of products.
    whitened = (means - centre) @ whitening
    strength, mixture = np.linalg.eigh(whitened @ whitened.T)
    kept = strength > 1e-6 * max(strength.max(), 1e-12)
    between = whitened.T @ mixture[:, kept] / np.sqrt(strength[kept])
    projection = (whitening @ between).astype(np.float32)
    fitted = Discriminant(centre.astype(np.float32), projection, np.zeros((0, projection.shape[1]), np.float32))
    return Discriminant(fitted.centre, projection, fitted.project(means.astype(np.float32)))
