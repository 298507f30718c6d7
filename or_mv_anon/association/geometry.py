"""Epipolar algebra: what a fundamental matrix says about points of two views, and where two cameras' matrix comes from.

Points are pixels (..., 2) of upright frames without lens distortion; a matrix F relates homogeneous points of one 3-D
point as second.T @ F @ first = 0 (Hartley and Zisserman 2004, "Multiple View Geometry", chapters 9 and 11).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

SHORTEST_NORMAL = 1e-12  # a line with a smaller normal is the line at infinity: no finite point is near it


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
    a, b = homogeneous(first), homogeneous(second)
    line_b, line_a = a @ matrix.T, b @ matrix
    off = np.abs((b * line_b).sum(axis=-1))
    lengths = [np.maximum(np.hypot(line[..., 0], line[..., 1]), SHORTEST_NORMAL) for line in (line_a, line_b)]
    return np.asarray(off * (1 / lengths[0] + 1 / lengths[1]) / 2)


def homogeneous(points: NDArray[Any]) -> NDArray[np.float64]:
    """Points (..., 2) with a third coordinate of 1."""
    points = np.asarray(points, np.float64)
    return np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
