"""Epipolar association of MVOR's people, annotated or detected, in single instants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.mvor import epipolar_baseline as epipolar
from benchmarks.mvor.dataset import Mvor, MvorDetections, MvorView
from benchmarks.mvor.epipolar_baseline import Bodies
from or_mv_anon.association.geometry import fundamental_matrix
from or_mv_anon.evaluation.association import ViewPair, label

Geometry = Literal["calibration", "true_pairs", "estimated"]
Found = Mapping[int, MvorDetections]

MATCH_LIMIT = 12.0  # percent of a person's size; pairs that agree less are not matched
SAME_PERSON_IOU = 0.3  # a detection shows the person whose box it overlaps by this; estimators' boxes are narrow
NOTHING = MvorDetections(np.zeros((0, 4), np.float32), np.zeros(0), np.zeros((0, 10, 3)))


def annotated(view: MvorView) -> tuple[Bodies, NDArray[np.int64]]:
    """The annotated people of a picture and their identities."""
    return epipolar.people_of(view.points, view.boxes), view.identities


def detected(view: MvorView, found: Found, *, least_score: float) -> tuple[Bodies, NDArray[np.int64]]:
    """A picture's detections of at least `least_score`, and whom each shows."""
    rows = found.get(view.image, NOTHING)
    kept = rows.scores >= least_score
    identities = label(rows.boxes[kept], view.boxes, view.identities, iou=SAME_PERSON_IOU)
    return epipolar.people_of(rows.points[kept], rows.boxes[kept]), identities


def geometries(
    mvor: Mvor, people: Mapping[int, tuple[Bodies, NDArray[np.int64]]], kind: Geometry
) -> dict[tuple[int, int, int], NDArray[np.float64]]:
    """Fundamental matrices by day, first and second camera; those that cannot be fitted are left out.

    Args:
        mvor: the annotated instants.
        people: by image number.
        kind: from the published calibration, fitted to people of one identity, or estimated without identities.
    """
    matrices = {}
    for day in sorted({instant.day for instant in mvor.instants}):
        views = [instant.views for instant in mvor.instants if instant.day == day]
        for first, second in combinations(sorted(mvor.cameras), 2):
            pairs = [(people[view[first].image], people[view[second].image]) for view in views]
            bodies = [(a[0], b[0]) for a, b in pairs]
            matrix: NDArray[np.float64] | None
            if kind == "calibration":
                one, other = mvor.cameras[first], mvor.cameras[second]
                matrix = fundamental_matrix((one.matrix, one.pose), (other.matrix, other.pose))
            elif kind == "true_pairs":
                same = [np.argwhere((a[1][:, None] == b[1][None, :]) & (a[1] >= 0)[:, None]) for a, b in pairs]
                matrix, _ = epipolar.fit(*epipolar.correspondences(bodies, same))
            else:
                matrix = epipolar.estimate(bodies)
            if matrix is not None:
                matrices[day, first, second] = matrix
    return matrices


def associate(
    mvor: Mvor,
    people: Mapping[int, tuple[Bodies, NDArray[np.int64]]],
    matrices: Mapping[tuple[int, int, int], NDArray[np.float64]],
) -> Iterator[ViewPair]:
    """Match people of every instant in each pair of views by their epipolar distance alone."""
    for instant in mvor.instants:
        for first, second in combinations(sorted(instant.views), 2):
            left, left_names = people[instant.views[first].image]
            right, right_names = people[instant.views[second].image]
            matrix = matrices.get((instant.day, first, second))
            if matrix is None:
                distance = np.full((len(left_names), len(right_names)), np.inf)
            else:
                distance = epipolar.distances(matrix, left, right)
            matches = epipolar.assign(distance, limit=MATCH_LIMIT)
            yield ViewPair((f"cam{first}", f"cam{second}"), left_names, right_names, -distance, matches)
