"""Association by epipolar distance in single instants: the plain baseline that better methods are set against.

Nothing is learned and no appearance is used. The geometry of two views comes from their calibration or from true pairs
(upper bounds), or is estimated from the people alone: pair them at random, fit a fundamental matrix robustly, match
again by it, and repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from or_mv_anon.association.geometry import Matrix, epipolar_distance, robust_fit

LEAST_COMMON_POINTS = 3
INLIER_PX = 4.0
TRIALS = 5
ROUNDS = 8
FIRST_LIMIT, LIMIT_STEP = 25.0, 2.0  # percent of a person's size; tighter with each round


@dataclass(frozen=True, eq=False)
class Bodies:
    """The people in one picture.

    Attributes:
        points: (N, K, 3) x, y in pixels and a weight, 0 for points that are not there; the same K body points in all.
        size: (N,) pixels, the square root of each person's box area.
    """

    points: NDArray[np.float64]
    size: NDArray[np.float64]


def people_of(points: NDArray[Any], boxes: NDArray[Any]) -> Bodies:
    """People with points (N, K, 3) and boxes (N, 4)."""
    sides = np.clip(np.asarray(boxes[:, 2:] - boxes[:, :2], np.float64), 1, None)
    return Bodies(np.asarray(points, np.float64), np.sqrt(sides.prod(axis=1)))


def midline(boxes: NDArray[Any]) -> NDArray[np.float64]:
    """Points (N, 3, 3) that stand for keypoints: down the middle of a box's upper part, which is seldom hidden."""
    middle, height = (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3] - boxes[:, 1]
    down = boxes[:, 1, None] + height[:, None] * np.array([0.05, 0.2, 0.35])
    return np.stack([np.repeat(middle[:, None], 3, axis=1), down, np.ones_like(down)], axis=2)


def distances(geometry: Matrix, first: Bodies, second: Bodies) -> NDArray[np.float64]:
    """How far each pair of people is from agreeing, (N, M): median over common points in percent of their mean size.

    Infinite for pairs with fewer than three common points.
    """
    if not len(first.size) or not len(second.size):
        return np.zeros((len(first.size), len(second.size)))
    common = (first.points[:, None, :, 2] > 0) & (second.points[None, :, :, 2] > 0)
    n, m, k = common.shape
    a = np.broadcast_to(first.points[:, None, :, :2], (n, m, k, 2))
    b = np.broadcast_to(second.points[None, :, :, :2], (n, m, k, 2))
    off = np.where(common, epipolar_distance(geometry, a, b), np.nan)
    enough = common.sum(axis=2) >= LEAST_COMMON_POINTS
    median = np.full((n, m), np.inf)
    if enough.any():
        median[enough] = np.nanmedian(off[enough], axis=1)
    return 100 * median / ((first.size[:, None] + second.size[None, :]) / 2)


def assign(distance: NDArray[np.float64], *, limit: float) -> NDArray[np.int64]:
    """One-to-one matches (K, 2) of pairs closer than `limit`; whoever is better left alone stays alone."""
    worth = np.clip(limit - distance, 0, None)
    row, column = linear_sum_assignment(worth, maximize=True)
    hit = worth[row, column] > 0
    return np.stack([row[hit], column[hit]], axis=1)


def fit(first: NDArray[Any], second: NDArray[Any]) -> tuple[Matrix | None, int]:
    """The fundamental matrix of corresponding points (N, 2), and how many of them fit; None if too few."""
    return robust_fit(first, second, sigma=INLIER_PX)


def correspondences(
    pairs: Sequence[tuple[Bodies, Bodies]], matches: Sequence[NDArray[np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The common points of matched people, pooled over instants, (P, 2) in either view."""
    left, right = [np.zeros((0, 2))], [np.zeros((0, 2))]
    for (first, second), rows in zip(pairs, matches, strict=True):
        if not len(rows):
            continue
        a, b = first.points[rows[:, 0]], second.points[rows[:, 1]]
        common = (a[..., 2] > 0) & (b[..., 2] > 0)
        left.append(a[common][:, :2])
        right.append(b[common][:, :2])
    return np.concatenate(left), np.concatenate(right)


def estimate(pairs: Sequence[tuple[Bodies, Bodies]], *, seed: int = 0) -> Matrix | None:
    """The geometry of two views from the people that they show at the same instants; None if nothing can be fitted.

    The first trial begins with the instants in which either view shows one person, the others with random pairs; the
    one with the most fitting correspondences wins.
    """
    generator = np.random.default_rng(seed)
    best: tuple[Matrix | None, int] = (None, 0)
    for trial in range(TRIALS):
        matches = [_guess(first, second, generator, certain=trial == 0) for first, second in pairs]
        found = fit(*correspondences(pairs, matches))
        for step in range(ROUNDS):
            if found[0] is None:
                break
            limit = FIRST_LIMIT - LIMIT_STEP * step
            matches = [assign(distances(found[0], first, second), limit=limit) for first, second in pairs]
            found = fit(*correspondences(pairs, matches))
        if found[0] is not None and found[1] > best[1]:
            best = found
    return best[0]


def _guess(first: Bodies, second: Bodies, generator: np.random.Generator, *, certain: bool) -> NDArray[np.int64]:
    """One pair of an instant: the only one there is, or a random one."""
    n, m = len(first.size), len(second.size)
    if (certain and (n, m) != (1, 1)) or not n or not m:
        return np.zeros((0, 2), np.int64)
    return np.array([[generator.integers(n), generator.integers(m)]])
