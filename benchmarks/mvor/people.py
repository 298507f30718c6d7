"""Everybody found in MVOR's pictures, described as one person must look alike in all views: place, size and points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.mvor import epipolar_baseline as epipolar
from benchmarks.mvor.association import NOTHING, Found, annotated, detected
from benchmarks.mvor.dataset import Mvor, MvorView
from benchmarks.mvor.epipolar_baseline import Bodies
from or_mv_anon.core.boxes import Boxes

SIZE = (640, 480)  # of MVOR's pictures
UPPER = slice(0, 4)  # head, neck and shoulders among MVOR's points
UPPER_DOWN = 0.12  # share of a box's height at which these lie on the whole, where no keypoints tell
POSE_POINTS = 10
LEAST_SIDE_PX, SIDE_PX = 4.0, 200.0  # of a box; the latter is the unit of places
MOST_PERCENT = 300.0
MIDLINE_TRUST = 1.5  # by how much a distance of middle lines counts more than one of keypoints
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Crowd:
    """The people of one picture.

    Attributes:
        bodies: points and sizes, as the baseline takes them.
        boxes: (N, 4) xyxy pixels.
        scores: (N,).
        identities: (N,) whom each shows, for judging only.
    """

    bodies: Bodies
    boxes: Boxes
    scores: Floats
    identities: NDArray[np.int64]

    @property
    def places(self) -> Floats:
        """(N, 4): x and y of the upper body, the picture spanning [-1, 1], logarithms of the box's width and height."""
        middle, sides = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2.0, self.boxes[:, 2:] - self.boxes[:, :2]
        upper = np.stack([middle[:, 0], self.boxes[:, 1] + UPPER_DOWN * sides[:, 1]], axis=1).astype(np.float64)
        if self.bodies.points.shape[1] == POSE_POINTS:
            points, there = self.bodies.points[:, UPPER, :2], self.bodies.points[:, UPPER, 2:] > 0
            mean = (points * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
            upper = np.where(there.any(axis=1), mean, upper)
        return np.concatenate([upper / SIZE * 2 - 1, np.log(np.maximum(sides, LEAST_SIDE_PX) / SIDE_PX)], axis=1)


def boxes_of(places: Floats) -> Boxes:
    """Boxes (N, 4) in pixels that have these places."""
    upper = (places[:, :2] + 1) / 2 * SIZE
    width, height = (np.exp(places[:, 2:]) * SIDE_PX).T
    top = upper[:, 1] - UPPER_DOWN * height
    return np.stack([upper[:, 0] - width / 2, top, upper[:, 0] + width / 2, top + height], axis=1).astype(np.float32)


def crowds(mvor: Mvor, found: Found | None, *, least_score: float = 0.0) -> dict[int, Crowd]:
    """Everybody by image number: what a detector found with at least `least_score`, or the annotated people."""
    views = [view for instant in mvor.instants for view in instant.views.values()]
    return {view.image: _crowd(view, found, least_score) for view in views}


def _crowd(view: MvorView, found: Found | None, least_score: float) -> Crowd:
    if found is None:
        return Crowd(annotated(view)[0], view.boxes, np.ones(len(view.boxes)), view.identities)
    rows = found.get(view.image, NOTHING)
    kept = rows.scores >= least_score
    bodies, identities = detected(view, found, least_score=least_score)
    return Crowd(bodies, rows.boxes[kept], rows.scores[kept], identities)


def epipolar_percent(matrix: Floats | None, first: Crowd, second: Crowd) -> Floats:
    """Epipolar distances (N, M) in percent of the people's size; by middle lines where too few points are common."""
    if matrix is None:
        return np.full((len(first.scores), len(second.scores)), MOST_PERCENT)
    distance = epipolar.distances(matrix, first.bodies, second.bodies)
    rough = epipolar.distances(
        matrix, *(epipolar.people_of(epipolar.midline(c.boxes), c.boxes) for c in (first, second))
    )
    return np.minimum(np.where(np.isfinite(distance), distance, MIDLINE_TRUST * rough), MOST_PERCENT)
