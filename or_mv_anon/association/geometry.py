"""Epipolar geometry of two views: its algebra, and fitting it to correspondences."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
SHORTEST_NORMAL = 1e-12  # a line with a smaller normal is the line at infinity: no finite point is near it
LEAST_TO_FIT = 20
CONFIDENCE, MOST_SAMPLES = 0.9999, 5000
POLISHING_ROUNDS = 6


def fundamental_matrix(first: tuple[Matrix, Matrix], second: tuple[Matrix, Matrix]) -> Matrix:
    """The fundamental matrix of two calibrated cameras.

    Args:
        first, second: camera matrix (3, 3) and pose (4, 4), which maps the camera's frame to a common one.

    Source: Hartley and Zisserman 2004, section 9.2.
    """
    between = np.linalg.inv(second[1]) @ first[1]
    x, y, z = between[:3, 3]
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.linalg.inv(second[0]).T @ cross @ between[:3, :3] @ np.linalg.inv(first[0]))


def epipolar_lines(matrix: Matrix, points: NDArray[Any]) -> NDArray[np.float64]:
    """The lines a x + b y + c = 0 in the second view on which points (..., 2) of the first lie; a² + b² = 1.

    Pass `matrix.T` for lines in the first view. A point at the epipole has no line; its row is not finite.

    Returns:
        (..., 3) float64; the absolute value of a line's product with (x, y, 1) is the distance in pixels.
    """
    lines = homogeneous(points) @ np.asarray(matrix, np.float64).T
    length = np.linalg.norm(lines[..., :2], axis=-1, keepdims=True)
    return np.asarray(lines / np.where(length > SHORTEST_NORMAL, length, np.nan))


def epipolar_distance(matrix: Matrix, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Symmetric epipolar distance: mean of the distances of points (..., 2) from each other's lines, pixels (...)."""
    sides = [np.moveaxis(np.asarray(each, np.float64), -1, 0) for each in (first, second)]
    return distance_of_columns(np.asarray(matrix, np.float64), np.stack([np.ascontiguousarray(s) for s in sides]))


def distance_of_columns(matrix: Matrix, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of points given as (2 views, x and y, ...), which lie in memory as they are counted with.

    Args:
        matrix: (3, 3); or any more of them, (..., 3, 3), whose leading axes then come first in the result, too.
        columns: pixels.
    """
    (x, y), (u, v) = columns
    m = np.asarray(matrix, np.float64)
    m = np.moveaxis(m.reshape(*m.shape[:-2], 9), -1, 0)
    m = m.reshape(*m.shape, *(1 for _ in x.shape))
    line_x, line_y, off = (_weighed(m[3 * row : 3 * row + 3], x, y) for row in range(3))
    other_x, other_y = (_weighed(m[column::3], u, v) for column in range(2))
    length, other = _length(line_x, line_y), _length(other_x, other_y)
    off = np.abs(line_x * u + line_y * v + off)
    return np.asarray(off * (1 / length + 1 / other) / 2)


def _weighed(three: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first two of three numbers times x and y, and the third; in few passes over memory."""
    found: NDArray[np.float64] = three[0] * x
    found += three[1] * y
    found += three[2]
    return found


def _length(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of normals of lines."""
    return np.maximum(np.sqrt(x * x + y * y), SHORTEST_NORMAL)


def homogeneous(points: NDArray[Any]) -> NDArray[np.float64]:
    """Points (..., 2) with a third coordinate of 1."""
    points = np.asarray(points, np.float64)
    return np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)


def eight_point(
    first: NDArray[np.float64], second: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted least-squares fundamental matrices (S, 3, 3) of S samples of N correspondences (S, N, 2).

    Source: the normalized eight-point algorithm, Hartley 1997, "In Defense of the Eight-Point Algorithm".

    Args:
        first, second: pixels.
        weight: (S, N), 0 for correspondences that are not there.
    """
    columns = np.stack([np.moveaxis(np.asarray(side, np.float64), -1, -2) for side in (first, second)])
    return _eight_point(columns, weight)


def _eight_point(columns: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of points (2 views, S, x and y, N)."""
    (a, norm_a), (b, norm_b) = (_normalized(side, weight) for side in columns)
    equation = (b[..., :, None, :] * a[..., None, :, :]).reshape(len(weight), 9, -1)
    equation *= np.sqrt(weight)[..., None, :]
    _, vectors = np.linalg.eigh(equation @ np.swapaxes(equation, -1, -2))
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
    if len(first) < LEAST_TO_FIT:
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
    columns = np.stack([np.ascontiguousarray(side.T) for side in (first, second)])
    a, b = (np.concatenate([side, np.ones((1, len(scale)))]) for side in columns)
    for _ in range(POLISHING_ROUNDS):
        line_b, line_a = matrix @ a, matrix.T[:2] @ b
        slope = np.sqrt((line_b[:2] ** 2).sum(axis=0) + (line_a**2).sum(axis=0)) * scale
        middle = np.median(slope)
        slope = np.maximum(slope, 1e-3 * middle)
        off = (b * line_b).sum(axis=0) / slope
        robust = weight / (1 + (off / sigma) ** 2) * (middle / slope) ** 2
        matrix = _eight_point(columns[:, None], robust[None])[0]
    return matrix


def _normalized(points: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], Matrix]:
    """Homogeneous points (S, 3, N) with mean 0 and mean square distance 2, from points (S, 2, N), and the transforms
    (S, 3, 3) that made them so.
    """
    total = np.maximum(weight.sum(axis=-1), 1e-12)
    mean = (points * weight[..., None, :]).sum(axis=-1) / total[..., None]
    centred = points - mean[..., None]
    spread = ((centred**2).sum(axis=-2) * weight).sum(axis=-1) / total
    size = np.sqrt(2 / np.maximum(spread, 1e-12))
    transform = np.zeros((*size.shape, 3, 3))
    transform[..., 0, 0] = transform[..., 1, 1] = size
    transform[..., :2, 2] = -mean * size[..., None]
    transform[..., 2, 2] = 1
    found = np.ones((*size.shape, 3, points.shape[-1]))
    np.multiply(centred, size[..., None, None], out=found[..., :2, :])
    return found, transform
