"""The geometry of two views over one stretch of time, from guesses to a verdict whether it can be trusted.

A guess is improved in turns: tracks are matched by it, it is fitted to the matched people's points, and again, more
strictly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.common_instants import CommonRows
from or_mv_anon.association.geometry import LEAST_TO_FIT, Matrix, epipolar_distance, homogeneous, polish, robust_fit
from or_mv_anon.association.pair_guesses import candidates, guess, margin
from or_mv_anon.association.progress import Progress
from or_mv_anon.core.rows import numbered

Sizes = tuple[tuple[int, int], tuple[int, int]]
PIECE_S = 30.0  # tracks are judged in pieces of this length, so that one mix-up does not spoil a long one
TRUSTED_WEIGHT = 0.35  # of a point, and ...
LEAST_POINTS = 4  # ... so many of them that both views see, for a pair of observations to teach geometry
CLOSE = 0.25  # head heights; a right geometry explains its pairs by less
MATCHED = 0.4  # head heights within which two tracks match
THIN_ROWS = 5000  # pairs of observations that are enough to sort out guesses
LEAST_CORRESPONDENCES = 60
LEAST_PAIRS = 4  # of matched pieces of tracks; fewer always fit somehow
INLIER_SHARE = 0.5  # of the matched people's points; half of them fit a wrong geometry too
RIVAL_SHARE = 0.9  # of the best geometry's score from which on a different one makes it doubtful
SAME_MATCHES = 0.5  # geometries that share more of their matches are not different
PLANE_SHARE = 0.85  # of what the geometry explains; a homography that explains more explains it all
PLANE_SAMPLES = 2000
LEAST_AREA = 0.02  # of either picture that the matched people's points must span
GUESSING = 0.6  # of the time that an estimate takes
LIMITS = (0.8, 0.6, 0.45, 0.4)  # head heights within which two tracks match, by round
SIGMA = 0.15  # head heights by which points of one person are off: keypoints differ between directions of view
CELLS = 12  # along each side of a picture; correspondences are balanced over pairs of cells
MOST_PER_CELL = 12
MOST_CORRESPONDENCES = 3000


@dataclass(frozen=True, eq=False)
class PairData:
    """What two views can teach about their geometry: rows of pairs that both see well, by pieces of tracks.

    Attributes:
        rows: of the two views.
        pieces: (P, 2) numbers of the pieces of tracks that occur together.
        pair: (R,) row of `pieces` of every row.
        instants: (P,) how many rows each has.
        prior: (P,) log-odds that the two are one person, from other evidence.
        sizes: width and height of both pictures.
    """

    rows: CommonRows
    pieces: NDArray[np.int64]
    pair: NDArray[np.int64]
    instants: NDArray[np.int64]
    prior: NDArray[np.float64]
    sizes: Sizes

    @classmethod
    def of(cls, rows: CommonRows, sizes: Sizes, prior: NDArray[np.floating] | None, *, instant_s: float) -> PairData:
        """From common rows and the log-odds (T1, T2) of every pair of tracks."""
        rows = rows.select((rows.weight >= TRUSTED_WEIGHT).sum(axis=1) >= LEAST_POINTS)
        part = rows.instant // max(round(PIECE_S / instant_s), 1)
        parts = part.max(initial=0) + 1
        named = np.stack([rows.first * parts + part, rows.second * parts + part], axis=1)
        pieces, pair, instants = np.unique(named, axis=0, return_inverse=True, return_counts=True)
        odds = np.zeros(len(pieces))
        if prior is not None:
            odds = np.asarray(prior, np.float64)[pieces[:, 0] // parts, pieces[:, 1] // parts]
        return cls(rows, pieces, pair, instants, np.nan_to_num(odds), sizes)

    def between(self, start: int, stop: int) -> PairData:
        """What is taught from instant `start` to before `stop`."""
        return self._only((self.rows.instant >= start) & (self.rows.instant < stop))

    def thinned(self) -> PairData:
        """The same with fewer instants, for telling good guesses from bad ones."""
        step = -(-len(self.rows) // THIN_ROWS)
        return self if step <= 1 else self._only(np.unique(self.rows.instant, return_inverse=True)[1] % step == 0)

    def with_prior(self, more: NDArray[np.float64]) -> PairData:
        """The same with additional log-odds (T1, T2) for pairs of tracks."""
        row = np.unique(self.pair, return_index=True)[1]
        return replace(self, prior=self.prior + more[self.rows.first[row], self.rows.second[row]])

    def _only(self, kept: NDArray[np.bool_]) -> PairData:
        pieces, pair, instants = np.unique(self.pair[kept], return_inverse=True, return_counts=True)
        rows = self.rows.select(kept)
        return PairData(rows, self.pieces[pieces], pair, instants, self.prior[pieces], self.sizes)

    def distances(self, matrix: Matrix) -> NDArray[np.float64]:
        """Median distance of every pair of pieces (P,) in head heights."""
        return pair_medians(self.rows.distances(matrix), self.pair)

    def matches(self, matrix: Matrix) -> NDArray[np.bool_]:
        """Rows whose pieces of tracks are matched, (R,)."""
        return mutually_best(self.rows, self.distances(matrix)[self.pair], limit=MATCHED)

    def score(self, matrix: Matrix) -> float:
        """See `margin`."""
        off = self.distances(matrix)[None]
        first, second = self.pieces.T
        return float(margin(off, first, second, self.instants, self.prior, tolerance=CLOSE)[0])


@dataclass(frozen=True, eq=False)
class Estimate:
    """A geometry, how well it fits, and what speaks against it.

    Attributes:
        matrix: None where it cannot be trusted.
        inliers, points, residual, problem: see `PairGeometry`.
        best: what explains most, trusted or not; None if nothing does.
    """

    matrix: Matrix | None
    inliers: int = 0
    points: int = 0
    residual: float = float("nan")
    problem: str = ""
    best: Matrix | None = None


def estimate(
    data: PairData, random: np.random.Generator, *, known: Sequence[Matrix] = (), progress: Progress | None = None
) -> Estimate:
    """The geometry of two views over the lesson's stretch of time.

    Args:
        lesson: what both views see.
        random: chooses guesses.
        known: geometries to try besides, of other stretches.
        progress: of this estimate.
    """
    if len(data.pieces) < LEAST_PAIRS:
        return Estimate(None, problem="too few people are seen by both cameras at once")
    sample = candidates(data.rows, data.pieces[data.pair], data.prior[data.pair], random)
    thin = data.thinned()
    progress = progress or Progress()
    with progress.part(GUESSING) as guessing:
        guesses = [*known, *guess(sample, random, progress=guessing)]
    found = []
    for matrix in guesses:
        found.append(alternate(matrix, thin.rows, thin.pair, data.sizes, random, robust=False))
        progress.advance((1 - GUESSING) / len(guesses))
    if not found:
        return Estimate(None, problem="too few people are seen by both cameras for long enough")
    scores = np.array([data.score(matrix) for matrix in found])
    best = found[int(scores.argmax())]
    for robust in (False, True):
        better = alternate(best, data.rows, data.pair, data.sizes, random, robust=robust)
        best = max(best, better, key=data.score)
    return _judged(data, best, _best_rival(data, best, found, scores) / max(data.score(best), 1e-9), random)


def _best_rival(data: PairData, best: Matrix, found: Sequence[Matrix], scores: NDArray[np.float64]) -> float:
    """The highest score of a geometry that matches other people."""
    matched = data.matches(best)
    for row in np.argsort(-scores, kind="stable"):
        other = data.matches(found[row])
        if (matched & other).sum() < SAME_MATCHES * max(other.sum(), 1):
            return float(scores[row])
    return 0.0


def _judged(data: PairData, matrix: Matrix, rival: float, random: np.random.Generator) -> Estimate:
    matched = data.matches(matrix)
    used = balanced(data.rows.select(matched), data.sizes, random)
    off = epipolar_distance(matrix, used.points[0], used.points[1]) / used.head
    inlier = off < CLOSE
    problem = ""
    if len(np.unique(data.pair[matched])) < LEAST_PAIRS or inlier.sum() < LEAST_CORRESPONDENCES:
        problem = "too few people match in both cameras"
    elif inlier.mean() < INLIER_SHARE:
        problem = "the people who match do not fit well"
    elif rival > RIVAL_SHARE:
        problem = "another geometry explains what is seen nearly as well; more movement is needed"
    elif min(_area(side[inlier], size) for side, size in zip(used.points, data.sizes, strict=True)) < LEAST_AREA:
        problem = "the people who match cover too small a part of the picture"
    elif _on_plane(used) > PLANE_SHARE * inlier.sum():
        problem = "everything that matches lies in one plane, or the cameras are almost at one place"
    residual = float(np.median(off[inlier])) if inlier.any() else float("nan")
    return Estimate(None if problem else matrix, int(inlier.sum()), len(used), residual, problem, matrix)


def _area(points: NDArray[np.float64], size: tuple[int, int]) -> float:
    """Share of the picture that the points' convex hull covers."""
    return cv2.contourArea(cv2.convexHull(points.astype(np.float32))) / (size[0] * size[1])


def _on_plane(used: Correspondences) -> int:
    """How many correspondences a homography explains (Hartley and Zisserman 2004, section 11.9.2)."""
    sigma = 2 * CLOSE * float(np.median(used.head))
    cv2.setRNGSeed(0)
    plane, _ = cv2.findHomography(used.points[0], used.points[1], cv2.RANSAC, sigma, maxIters=PLANE_SAMPLES)
    if plane is None:
        return 0
    seen = homogeneous(used.points[0]) @ plane.T
    depth = np.where(np.abs(seen[:, 2:]) > 1e-9, seen[:, 2:], 1e-9)
    off = np.linalg.norm(seen[:, :2] / depth - used.points[1], axis=1)
    return int((off < 2 * CLOSE * used.head).sum())


@dataclass(frozen=True, eq=False)
class Correspondences:
    """Points of matched people, balanced over both pictures.

    Attributes:
        points: (2, N, 2) pixels in either view.
        head: (N,) head heights in pixels.
        weight: (N,) how far each is trusted.
    """

    points: NDArray[np.float64]
    head: NDArray[np.float64]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.head)


def pair_medians(distance: NDArray[np.float64], pair: NDArray[np.int64]) -> NDArray[np.float64]:
    """Median distance of the rows of each pair, (pairs,); `pair` numbers them from 0 without gaps."""
    order = np.argsort(distance)
    size = np.bincount(pair)
    number = pair.astype(np.uint16 if len(size) <= 1 << 16 else np.int64)  # short integers are sorted without comparing
    order = order[np.argsort(number[order], kind="stable")]
    return np.asarray(distance[order[np.cumsum(size) - size + (size - 1) // 2]])


def mutually_best(rows: CommonRows, distance: NDArray[np.float64], *, limit: float) -> NDArray[np.bool_]:
    """Rows of an instant that are each other's nearest and nearer than `limit`.

    Args:
        rows: of two views.
        distance: (R,) of the rows' pairs of tracks.
        limit: in the unit of `distance`.
    """
    best = distance < limit
    for group in rows.people:
        least = np.full(group.max(initial=-1) + 1, np.inf)
        np.minimum.at(least, group, distance)
        best &= distance <= least[group]
    return np.asarray(best)


def balanced(
    rows: CommonRows, sizes: tuple[tuple[int, int], tuple[int, int]], random: np.random.Generator
) -> Correspondences:
    """The rows' common points, few from each pair of cells of the two pictures: people who stand do not dominate."""
    row, point = np.nonzero(rows.weight > 0)
    points = rows.points[:, row, point].astype(np.float64)
    cell = np.zeros(len(row), np.int64)
    for side, size in zip(points, sizes, strict=True):
        place = np.clip((side / size * CELLS).astype(np.int64), 0, CELLS - 1)
        cell = (cell * CELLS + place[:, 0]) * CELLS + place[:, 1]
    order = random.permutation(len(cell))
    order = order[np.argsort(cell[order], kind="stable")]
    fresh = np.r_[True, np.diff(cell[order]) != 0][: len(order)]
    count = np.diff(np.append(np.flatnonzero(fresh), len(order)))
    kept = order[numbered(count) < MOST_PER_CELL]
    if len(kept) > MOST_CORRESPONDENCES:
        kept = random.choice(kept, MOST_CORRESPONDENCES, replace=False)
    kept.sort()
    return Correspondences(
        points[:, kept], rows.head[row[kept]], rows.weight[row[kept], point[kept]].astype(np.float64)
    )


def alternate(
    matrix: Matrix,
    rows: CommonRows,
    pair: NDArray[np.int64],
    sizes: tuple[tuple[int, int], tuple[int, int]],
    random: np.random.Generator,
    *,
    robust: bool,
) -> Matrix:
    """The geometry that `matrix` leads to.

    Args:
        matrix: to begin with.
        rows: of the two views.
        pair: (R,) number of each row's pair of (pieces of) tracks.
        sizes: width and height of both pictures.
        random: thins out correspondences.
        robust: fit by MAGSAC++ from scratch in each round, instead of moving the matrix a little.
    """
    for limit in LIMITS:
        distance = pair_medians(rows.distances(matrix), pair)[pair]
        found = balanced(rows.select(mutually_best(rows, distance, limit=limit)), sizes, random)
        sigma = 2 * SIGMA * float(np.median(found.head)) if len(found) else 0.0
        fitted = robust_fit(found.points[0], found.points[1], sigma=sigma)[0] if robust else matrix
        if fitted is None or len(found) < LEAST_TO_FIT:
            return matrix
        matrix = polish(fitted, found.points[0], found.points[1], found.head, found.weight, sigma=SIGMA)
    return matrix
