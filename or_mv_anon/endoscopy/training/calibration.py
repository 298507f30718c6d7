"""Temperature scaling (Guo et al. 2017): logits divided by one number, so that probabilities mean what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

COLDEST, HOTTEST = 0.25, 20.0


def fit_temperature(logits: NDArray[np.floating], outside: NDArray[np.bool_]) -> float:
    """The temperature with the least negative log-likelihood, both labels weighing the same.

    Args:
        logits: (N,).
        outside: (N,) truth.

    Raises:
        ValueError: only one label occurs.
    """
    if outside.all() or not outside.any():
        raise ValueError("expected logits of both labels")
    result = minimize_scalar(
        lambda log_t: log_loss(np.asarray(logits) / np.exp(log_t), outside),
        bounds=(np.log(COLDEST), np.log(HOTTEST)),
        method="bounded",
    )
    return float(np.exp(result.x))


def log_loss(logits: NDArray[np.floating], outside: NDArray[np.bool_]) -> float:
    """Negative log-likelihood in nats, both labels weighing the same."""
    signed = np.where(outside, logits, -np.asarray(logits))
    losses = np.logaddexp(0.0, -signed)
    return float((losses[outside].mean() + losses[~outside].mean()) / 2)
