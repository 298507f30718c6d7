"""The level at which heads are: what makes a place of an epipolar line.

The geometry of two views says on which line a head of one lies in the other. Most heads of a room are about one level
above its floor, so the plane at that level says where on that line: two people behind each other can be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.geometry import Matrix, epipolar_lines, homogeneous

Floats = NDArray[np.float64]

TRIALS = 3000
AT_ONCE = 100
MOST_HEADS = 600  # pairs of heads that trials are judged by
LEAST_HEADS = 12
TOLERANCE = 0.8  # head heights along the line; people differ by about one in height, and bend
RATIO_TOLERANCE = 0.7  # of the logarithm of two head heights' ratio; estimates of them are rough
ROUNDS = 10
FARTHEST = 100.0  # head heights; nothing counts as farther


@dataclass(frozen=True, eq=False)
class HeadPlane:
    """The plane of heads of two views over a stretch of time.

    Attributes:
        matrix: the fundamental matrix.
        homography: (3, 3) from the first view's pixels of points of the plane to the second's.
    """

    matrix: Matrix
    homography: Matrix

    def distances(self, points: NDArray[Any], heads: NDArray[Any]) -> Floats:
        """How far along the epipolar lines pairs of heads are from where the plane has them, (N,) in head heights.

        Args:
            points: (2, N, 2) pixels in either view.
            heads: (2, N) head heights in pixels in either view.

        Returns:
            The mean of both views.
        """
        off = np.zeros(points.shape[1])
        ways = (self.homography, self.matrix, 0, 1), (np.linalg.inv(self.homography), self.matrix.T, 1, 0)
        for homography, matrix, start, end in ways:
            line = np.nan_to_num(epipolar_lines(matrix, points[start]))
            direction = np.stack([-line[..., 1], line[..., 0]], axis=-1)
            away = _plain(homogeneous(points[start]) @ homography.T) - points[end]
            along = np.abs((away * direction).sum(axis=-1)) / heads[end]
            off += np.minimum(np.nan_to_num(along, nan=FARTHEST), FARTHEST) / 2
        return off


def fit_head_plane(
    matrix: Matrix, points: NDArray[Any], heads: NDArray[Any], owner: NDArray[Any], random: np.random.Generator
) -> HeadPlane | None:
    """The plane that has most people's heads where the other view sees one; None with too few heads.

    Up to three numbers the homography of a plane follows from the fundamental matrix (Hartley and Zisserman 2004,
    "Multiple View Geometry", section 13.1), so three pairs of heads give one. Many triples are tried.

    Args:
        matrix: the fundamental matrix.
        points: (2, N, 2) pixels of pairs of heads that agree with it; many may be of two people.
        heads: (2, N) head heights in pixels.
        owner: (2, N) numbers for the person and place in either view: of the pairs of one owner at most one is right.
        random: draws triples.
    """
    count = points.shape[1]
    if count < LEAST_HEADS:
        return None
    if count > MOST_HEADS:
        kept = np.sort(random.choice(count, MOST_HEADS, replace=False))
        points, heads, owner = points[:, kept], heads[:, kept], owner[:, kept]
    problem = _Problem.of(matrix, np.asarray(points, np.float64), np.asarray(heads, np.float64), owner)
    levels = problem.draw(random)
    if not len(levels):
        return None
    level = levels[int(problem.scores(levels).argmax())]
    for _ in range(ROUNDS):
        better = problem.improved(level)
        old, new = problem.scores(np.stack([level, better]))
        if new <= old:
            break
        level = better
    return HeadPlane(matrix, problem.homography(level))


@dataclass(frozen=True, eq=False)
class _Problem:
    """Pairs of heads in units in which both pictures are about 1 wide; every plane is base + epipole levelᵀ."""

    unit: float
    base: Matrix
    epipole: Floats
    first: Floats  # (N, 3)
    second: Floats  # (N, 2), moved onto the epipolar line
    depth: Floats  # (N,) what level · first must be for the pair to be in the plane
    heads: Floats  # (2, N)
    ratio: Floats  # (N,) logarithm of the head's height in the first view over that in the second
    owners: tuple[_Owners, _Owners]

    @classmethod
    def of(cls, matrix: Matrix, points: Floats, heads: Floats, owner: NDArray[Any]) -> _Problem:
        unit = float(np.abs(points).max())
        scale = np.diag([unit, unit, 1])
        scaled = scale @ matrix @ scale
        epipole = np.linalg.svd(scaled)[0][:, 2]
        cross = np.array([[0, -epipole[2], epipole[1]], [epipole[2], 0, -epipole[0]], [-epipole[1], epipole[0], 0]])
        base = cross @ scaled / np.linalg.norm(scaled)
        first, seen = homogeneous(points[0] / unit), homogeneous(points[1] / unit)
        moved = np.cross(seen, first @ base.T)
        toward = np.cross(seen, np.broadcast_to(epipole, seen.shape))
        depth = -(moved * toward).sum(axis=1) / np.maximum((toward**2).sum(axis=1), 1e-12)
        second = _plain(first @ base.T + depth[:, None] * epipole)
        ratio = np.log(heads[0] / heads[1])
        owners = _Owners.of(owner[0]), _Owners.of(owner[1])
        return cls(unit, base, epipole, first, second, depth, heads / unit, ratio, owners)

    def draw(self, random: np.random.Generator) -> Floats:
        """Levels (S, 3) through triples of heads of different owners."""
        chosen = random.integers(len(self.depth), size=(TRIALS, 3))
        apart = np.ones(len(chosen), bool)
        for side in self.owners:
            group = side.group[chosen]
            apart &= (group != np.roll(group, 1, axis=1)).all(axis=1)
        sound = apart & (np.abs(np.linalg.det(self.first[chosen])) > 1e-5)
        return np.asarray(np.linalg.solve(self.first[chosen[sound]], self.depth[chosen[sound]][..., None])[..., 0])

    def fit(self, levels: Floats) -> Floats:
        """How well each pair (N,) fits each of `levels` (S, 3), in [0, 1]: by its place and by its heads' heights.

        The third coordinate of a point that the homography maps is, up to one factor, the depth in the second view
        over that in the first, which the heads' heights tell too.
        """
        depths, ahead = levels @ self.first.T, self.base @ self.first.T
        seen = [ahead[axis] + self.epipole[axis] * depths for axis in range(3)]
        planes = self.base + self.epipole[:, None] * levels[:, None, :]
        planes = np.where((np.abs(np.linalg.det(planes)) > 1e-12)[:, None, None], planes, np.eye(3))
        back = np.moveaxis(np.linalg.inv(planes) @ homogeneous(self.second).T, 1, 0)
        off = _away(seen, self.second) / self.heads[1] / 2
        off += _away(back, self.first[:, :2]) / self.heads[0] / 2
        place = 1 / (1 + (np.nan_to_num(off, nan=FARTHEST) / TOLERANCE) ** 2) ** 2
        in_front = np.sign((place * np.sign(seen[2])).sum(axis=-1, keepdims=True))
        depth = np.maximum(seen[2] * in_front, 1e-9)
        excess = self.ratio - np.log(depth)
        excess -= (place * excess).sum(axis=-1, keepdims=True) / np.maximum(place.sum(axis=-1, keepdims=True), 1e-9)
        return np.asarray(place / (1 + (excess / RATIO_TOLERANCE) ** 2))

    def scores(self, levels: Floats) -> Floats:
        """How many owners fit, each by its best partner."""
        parts = []
        for start in range(0, len(levels), AT_ONCE):
            fit = self.fit(levels[start : start + AT_ONCE])
            parts.append(sum((side.best(fit).sum(axis=1) for side in self.owners), start=np.zeros(len(fit))))
        return np.concatenate(parts)

    def improved(self, level: Floats) -> Floats:
        """One step of iteratively reweighted least squares over the owners' best partners."""
        fit = self.fit(level[None])
        best = np.minimum(*(side.best(fit)[0][side.group] for side in self.owners))
        depth = self.first @ level
        seen = _plain(self.first @ self.base.T + depth[:, None] * self.epipole)
        moved = (
            np.linalg.norm(seen - self.second, axis=1) / self.heads[1] / np.maximum(np.abs(depth - self.depth), 1e-9)
        )
        root = np.where(fit[0] >= best, np.sqrt(fit[0]), 0) * np.minimum(np.nan_to_num(moved), 1e6)
        return np.asarray(np.linalg.lstsq(self.first * root[:, None], self.depth * root, rcond=None)[0])

    def homography(self, level: Floats) -> Matrix:
        """In pixels."""
        scale = np.diag([self.unit, self.unit, 1])
        return np.asarray(scale @ (self.base + np.outer(self.epipole, level)) @ np.linalg.inv(scale))


@dataclass(frozen=True, eq=False)
class _Owners:
    group: NDArray[np.intp]
    order: NDArray[np.intp]
    begin: NDArray[np.intp]

    @classmethod
    def of(cls, owner: NDArray[Any]) -> _Owners:
        group = np.unique(owner, return_inverse=True)[1]
        order = np.argsort(group, kind="stable")
        return cls(group, order, np.flatnonzero(np.diff(group[order], prepend=-1)))

    def best(self, fit: Floats) -> Floats:
        """The largest value of each owner, (S, owners), from those of all pairs (S, N)."""
        return np.asarray(np.maximum.reduceat(fit[:, self.order], self.begin, axis=1))


def _away(seen: Sequence[Floats] | Floats, points: Floats) -> Floats:
    """Distances (S, N) of points, given by three homogeneous coordinates (S, N) each, from others (N, 2)."""
    third = np.where(np.abs(seen[2]) > 1e-12, seen[2], np.nan)
    x, y = (seen[axis] / third - points[:, axis] for axis in range(2))
    return np.asarray(np.sqrt(x * x + y * y))


def _plain(points: Floats) -> Floats:
    """Points (..., 2) of homogeneous ones (..., 3); those at infinity are not finite."""
    third = points[..., 2:]
    return np.asarray(points[..., :2] / np.where(np.abs(third) > 1e-12, third, np.nan))
