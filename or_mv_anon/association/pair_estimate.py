"""The geometry of two views over one stretch of time, from guesses to a verdict whether it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.alternation import Correspondences, alternate, balanced, mutually_best, pair_medians
from or_mv_anon.association.bootstrap import candidates, guess, margin
from or_mv_anon.association.common_instants import CommonRows
from or_mv_anon.association.geometry import Matrix, epipolar_distance, homogeneous
from or_mv_anon.association.progress import Progress

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


@dataclass(frozen=True, eq=False)
class Lesson:
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
    def of(cls, rows: CommonRows, sizes: Sizes, prior: NDArray[np.floating] | None, *, instant_s: float) -> Lesson:
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

    def between(self, start: int, stop: int) -> Lesson:
        """What is taught from instant `start` to before `stop`."""
        return self._only((self.rows.instant >= start) & (self.rows.instant < stop))

    def thinned(self) -> Lesson:
        """The same with fewer instants, for telling good guesses from bad ones."""
        step = -(-len(self.rows) // THIN_ROWS)
        return self if step <= 1 else self._only(np.unique(self.rows.instant, return_inverse=True)[1] % step == 0)

    def with_prior(self, more: NDArray[np.float64]) -> Lesson:
        """The same with additional log-odds (T1, T2) for pairs of tracks."""
        row = np.unique(self.pair, return_index=True)[1]
        return replace(self, prior=self.prior + more[self.rows.first[row], self.rows.second[row]])

    def _only(self, kept: NDArray[np.bool_]) -> Lesson:
        pieces, pair, instants = np.unique(self.pair[kept], return_inverse=True, return_counts=True)
        rows = self.rows.select(kept)
        return Lesson(rows, self.pieces[pieces], pair, instants, self.prior[pieces], self.sizes)

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
    lesson: Lesson, random: np.random.Generator, *, known: Sequence[Matrix] = (), progress: Progress | None = None
) -> Estimate:
    """The geometry of two views over the lesson's stretch of time.

    Args:
        lesson: what both views see.
        random: chooses guesses.
        known: geometries to try besides, of other stretches.
        progress: of this estimate.
    """
    if len(lesson.pieces) < LEAST_PAIRS:
        return Estimate(None, problem="too few people are seen by both cameras at once")
    sample = candidates(lesson.rows, lesson.pieces[lesson.pair], lesson.prior[lesson.pair], random)
    thin = lesson.thinned()
    progress = progress or Progress()
    with progress.part(GUESSING) as guessing:
        guesses = [*known, *guess(sample, random, progress=guessing)]
    found = []
    for matrix in guesses:
        found.append(alternate(matrix, thin.rows, thin.pair, lesson.sizes, random, robust=False))
        progress.advance((1 - GUESSING) / len(guesses))
    if not found:
        return Estimate(None, problem="too few people are seen by both cameras for long enough")
    scores = np.array([lesson.score(matrix) for matrix in found])
    best = found[int(scores.argmax())]
    for robust in (False, True):
        better = alternate(best, lesson.rows, lesson.pair, lesson.sizes, random, robust=robust)
        best = max(best, better, key=lesson.score)
    return _judged(lesson, best, _best_rival(lesson, best, found, scores) / max(lesson.score(best), 1e-9), random)


def _best_rival(lesson: Lesson, best: Matrix, found: Sequence[Matrix], scores: NDArray[np.float64]) -> float:
    """The highest score of a geometry that matches other people."""
    matched = lesson.matches(best)
    for row in np.argsort(-scores, kind="stable"):
        other = lesson.matches(found[row])
        if (matched & other).sum() < SAME_MATCHES * max(other.sum(), 1):
            return float(scores[row])
    return 0.0


def _judged(lesson: Lesson, matrix: Matrix, rival: float, random: np.random.Generator) -> Estimate:
    matched = lesson.matches(matrix)
    used = balanced(lesson.rows.select(matched), lesson.sizes, random)
    off = epipolar_distance(matrix, used.points[0], used.points[1]) / used.head
    inlier = off < CLOSE
    problem = ""
    if len(np.unique(lesson.pair[matched])) < LEAST_PAIRS or inlier.sum() < LEAST_CORRESPONDENCES:
        problem = "too few people match in both cameras"
    elif inlier.mean() < INLIER_SHARE:
        problem = "the people who match do not fit well"
    elif rival > RIVAL_SHARE:
        problem = "another geometry explains what is seen nearly as well; more movement is needed"
    elif min(_area(side[inlier], size) for side, size in zip(used.points, lesson.sizes, strict=True)) < LEAST_AREA:
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
