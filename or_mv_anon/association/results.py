"""What association concludes: the geometry of two views, how likely two tracks are one person, and who is who."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import Column, Columns, Identities

ViewNames = tuple[str, str]


@dataclass(frozen=True, eq=False, kw_only=True)
class PairGeometry:
    """The fundamental matrix of two views over a stretch of the session: second.T @ matrix @ first = 0.

    Points are homogeneous pixels of the upright frames (Hartley and Zisserman 2004, "Multiple View Geometry", 9.2).

    Attributes:
        views: names of the first and the second view.
        matrix: (3, 3) float64, or None where no geometry can be trusted; `problem` then says why.
        start, stop: instants for which it holds, the latter exclusive.
        inliers: correspondences that fit.
        points: correspondences that were used.
        residual: median symmetric epipolar distance of the inliers, in head heights.
        problem: a sentence for the report, "" when all is well.
    """

    views: ViewNames
    matrix: NDArray[np.float64] | None
    start: int
    stop: int
    inliers: int = 0
    points: int = 0
    residual: float = float("nan")
    problem: str = ""


@dataclass(frozen=True)
class TrackPairs(Columns):
    """Evidence that a track of one view and a track of another are the same person; one row per pair that was judged.

    Kinds of evidence that are not there are NaN.
    """

    first: Column  # track of the first view
    second: Column  # track of the second view
    instants: Column  # instants at which both are seen
    distance: Column  # robust symmetric epipolar distance over all common instants, in head heights
    appearance: Column  # cosine of the tracks' mean embeddings
    synchrony: Column  # distance in the embedding that was learned from synchrony
    probability: Column  # [0, 1] that they are one person, all evidence together

    columns = {
        "first": (np.int32, ()),
        "second": (np.int32, ()),
        "instants": (np.int32, ()),
        "distance": (np.float32, ()),
        "appearance": (np.float32, ()),
        "synchrony": (np.float32, ()),
        "probability": (np.float32, ()),
    }


@dataclass(frozen=True, kw_only=True)
class Association:
    """The outcome for a session.

    Attributes:
        identities: by camera, a row for every track.
        pairs: by ordered names of two views (in the session's order of cameras).
        geometry: the same, one entry per stretch in which the cameras stood still, in order of time.
        notes: sentences for the report.
    """

    identities: Mapping[str, Identities]
    pairs: Mapping[ViewNames, TrackPairs]
    geometry: Mapping[ViewNames, tuple[PairGeometry, ...]]
    notes: tuple[str, ...] = field(default=())
