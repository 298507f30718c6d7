"""What association sees of a session, every camera's tracked people at common instants, and what it concludes.

Cameras have clocks and frame rates of their own. Association therefore works on instants, moments of session time at an
even step, without those at which nobody took a picture; each camera contributes what it shows at the nearest frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import scipy  # loads its parts when they are used
from numpy.typing import NDArray

from or_mv_anon.core.records import Column, Columns, Identities

ViewNames = tuple[str, str]


class BodyPoint(IntEnum):
    """Points of a body that different cameras can find, whichever way the person turns."""

    HEAD = 0  # middle of the head
    NECK = 1
    LEFT_SHOULDER = 2
    RIGHT_SHOULDER = 3
    LEFT_HIP = 4
    RIGHT_HIP = 5
    LEFT_ELBOW = 6
    RIGHT_ELBOW = 7
    LEFT_WRIST = 8
    RIGHT_WRIST = 9


@dataclass(frozen=True)
class Observations(Columns):
    """One row per tracked person and instant of one camera, ordered by instant, then track.

    A person whose keypoints are not known has the points of the box's middle line at a low weight.
    """

    instant: Column  # number of the instant
    track: Column
    box: Column  # pixels of the upright frame
    score: Column  # of the detection
    points: Column  # pixels; meaningless where the weight is 0
    weight: Column  # [0, 1] how far each point is trusted, 0 for a point that is not there
    head: Column  # estimated head height in pixels, the unit in which distances are judged

    columns = {
        "instant": (np.int32, ()),
        "track": (np.int32, ()),
        "box": (np.float32, (4,)),
        "score": (np.float32, ()),
        "points": (np.float32, (len(BodyPoint), 2)),
        "weight": (np.float32, (len(BodyPoint),)),
        "head": (np.float32, ()),
    }


@dataclass(frozen=True, kw_only=True)
class View:
    """One camera of a session.

    Attributes:
        name: the camera's.
        size: width and height of the upright picture in pixels.
        observations: tracked people at the session's instants.
        tracks: ids of the camera's tracks, ascending (T,), those without any observation too.
        appearance: mean unit embedding per row of `tracks` (T, 512), zeros where it is not known; None without
            appearance.
        turns: instants about which what stands still in the picture changed; None where that is not known.
    """

    name: str
    size: tuple[int, int]
    observations: Observations
    tracks: Column
    appearance: Column | None = None
    turns: NDArray[np.int64] | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Tracks ``(T,)`` whose appearance is known."""
        if self.appearance is None:
            return np.zeros(len(self.tracks), bool)
        return np.asarray(self.appearance.any(axis=1))

    def presence(self, stop: int, *, counted: NDArray[np.bool_] | None = None) -> scipy.sparse.csr_array:
        """A matrix ``(T, stop)`` with 1 where a track is seen at an instant, of those that are `counted` ``(T,)``."""
        seen = self.observations
        rows, instants = np.searchsorted(self.tracks, seen.track), seen.instant
        if counted is not None:
            rows, instants = rows[counted[rows]], instants[counted[rows]]
        return scipy.sparse.csr_array((np.ones(len(rows), np.int32), (rows, instants)), shape=(len(self.tracks), stop))


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
