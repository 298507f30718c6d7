"""Fits fundamental matrices to point correspondences: many small samples at once, or one large set robustly."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.geometry import Matrix, homogeneous

LEAST_CORRESPONDENCES = 20
CONFIDENCE, MOST_SAMPLES = 0.9999, 5000
POLISHING_ROUNDS = 6


def eight_point(
    first: NDArray[np.float64], second: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted least-squares fundamental matrices (S, 3, 3) of S samples of N correspondences (S, N, 2).

    Source: the normalized eight-point algorithm, Hartley 1997, "In Defense of the Eight-Point Algorithm".

    Args:
        first, second: pixels.
        weight: (S, N), 0 for correspondences that are not there.
    """
    (a, norm_a), (b, norm_b) = _normalized(first, weight), _normalized(second, weight)
    equation = (b[..., :, None] * a[..., None, :]).reshape(*weight.shape, 9) * np.sqrt(weight)[..., None]
    _, vectors = np.linalg.eigh(np.swapaxes(equation, -1, -2) @ equation)
    u, s, v = np.linalg.svd(vectors[..., 0].reshape(-1, 3, 3))
    s[..., 2] = 0
    matrix = np.swapaxes(norm_b, -1, -2) @ ((u * s[..., None, :]) @ v) @ norm_a
    return np.asarray(matrix / np.linalg.norm(matrix, axis=(-2, -1), keepdims=True))


def robust_fit(first: NDArray[Any], second: NDArray[Any], *, sigma: float) -> tuple[Matrix | None, int]:
    """The fundamental matrix of correspondences (N, 2), of which some are wrong, by MAGSAC++, and how many fit.

    There is no matrix for fewer than 20 correspondences, or where none is found.

    Source: Barath et al. 2020, "MAGSAC++, a Fast, Reliable and Accurate Robust Estimator".

    Args:
        first, second: pixels.
        sigma: largest plausible error of a correspondence in pixels.
    """
    if len(first) < LEAST_CORRESPONDENCES:
        return None, 0
    cv2.setRNGSeed(0)
    matrix, inliers = cv2.findFundamentalMat(
        np.ascontiguousarray(first, np.float64), np.ascontiguousarray(second, np.float64),
        cv2.USAC_MAGSAC, sigma, CONFIDENCE, MOST_SAMPLES,
    )  # fmt: skip
    if matrix is None or matrix.shape != (3, 3):
        return None, 0
    return np.asarray(matrix / np.linalg.norm(matrix)), int(inliers.sum())


def polish(
    matrix: Matrix,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    scale: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    sigma: float,
) -> Matrix:
    """A better matrix near `matrix`: Sampson's distance with Cauchy's robust weights, iterated.

    Args:
        first, second: pixels (N, 2).
        scale: (N,) pixels in which a correspondence's distance is counted: its head height.
        weight: (N,) how far it is trusted.
        sigma: distance in units of `scale` at which a correspondence counts half.

    Source: Hartley and Zisserman 2004, sections 11.4.3 and A6.8.
    """
    a, b = homogeneous(first), homogeneous(second)
    for _ in range(POLISHING_ROUNDS):
        line_b, line_a = a @ matrix.T, b @ matrix
        slope = np.sqrt((line_b[:, :2] ** 2).sum(axis=1) + (line_a[:, :2] ** 2).sum(axis=1)) * scale
        slope = np.maximum(slope, 1e-3 * np.median(slope))
        off = (b * line_b).sum(axis=1) / slope
        robust = weight / (1 + (off / sigma) ** 2) * (np.median(slope) / slope) ** 2
        matrix = eight_point(first[None], second[None], robust[None])[0]
    return matrix


def _normalized(points: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], Matrix]:
    """Homogeneous points with mean 0 and mean square distance 2, and the transforms (S, 3, 3) that made them so."""
    total = np.maximum(weight.sum(axis=-1), 1e-12)[..., None]
    mean = (points * weight[..., None]).sum(axis=-2) / total
    spread = (((points - mean[..., None, :]) ** 2).sum(axis=-1) * weight).sum(axis=-1) / total[..., 0]
    size = np.sqrt(2 / np.maximum(spread, 1e-12))
    transform = np.zeros((*size.shape, 3, 3))
    transform[..., 0, 0] = transform[..., 1, 1] = size
    transform[..., :2, 2] = -mean * size[..., None]
    transform[..., 2, 2] = 1
    return homogeneous((points - mean[..., None, :]) * size[..., None, None]), transform
