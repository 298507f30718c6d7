"""The curve that only rises, or only falls, and comes nearest to measured values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def monotone(
    values: NDArray[np.float64], weights: NDArray[np.float64], *, increasing: bool = True
) -> NDArray[np.float64]:
    """Isotonic regression (Barlow et al. 1972): the least squares fit ``(N,)`` to `values` ``(N,)`` that is monotone.

    Args:
        values: in the order in which they should rise or fall.
        weights: of the values, above zero.
        increasing: rise, or else fall.
    """
    from scipy.optimize import isotonic_regression  # takes a third of a second, which every process would wait for

    return np.asarray(isotonic_regression(values, weights=weights, increasing=increasing).x)
