"""Heads as one camera knows them: where it sees each person's, how high they look where, and which places they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.views import BodyPoint, Observations, View
from or_mv_anon.core.records import Column, Columns, Identities

SURE_SPREAD = 0.15  # head heights by which a head point of full weight is off (standard deviation)
LEAST_WEIGHT = 0.2  # a point at the top of a box, with no keypoint near, is off by a head height at most
Floats = NDArray[np.float64]
CLEAR_WEIGHT = 0.5  # of a head point from which on its person's head height is believed
CLEAR_SCORE = 0.5  # of the detection
MOST_SAMPLES = 20_000
LEAST_SAMPLES = 30  # for anything but one height for the whole picture
RIDGE = 1.0  # samples' worth of doubt about any dependence on the place
ROUNDS = 5  # of reweighting
OUTLIER = 0.2  # of the logarithm of the height, from which on a sample counts less (Huber 1964)
WIDEST = 3.0  # heights stay within this factor of the usual one
HEAD_REACH = 0.6  # head heights from the middle of a located head that its region reaches, at least
LOCATED_WEIGHT = 0.35  # of a head point from which on the region lies on the head alone
TOP_SHARE = 0.3  # of a person box that is covered where the head is not located


@dataclass(frozen=True)
class HeadObservations(Columns):
    """Heads in one camera: one row per identity and instant, ordered by both."""

    instant: Column
    identity: Column
    point: Column  # middle of the head, pixels
    spread: Column  # standard deviation of the point in head heights
    head: Column  # head height in pixels
    confidence: Column  # [0, 1] that the identity's tracks belong together

    columns = {
        "instant": (np.int32, ()),
        "identity": (np.int32, ()),
        "point": (np.float32, (2,)),
        "spread": (np.float32, ()),
        "head": (np.float32, ()),
        "confidence": (np.float32, ()),
    }


def observe_heads(view: View, identities: Identities) -> HeadObservations:
    """The heads that a camera sees; of several tracks of one identity at an instant the clearest counts."""
    seen = view.observations
    weight = seen.weight[:, BodyPoint.HEAD]
    row_of_track = np.full(max(view.tracks.max(initial=-1), identities.track.max(initial=-1)) + 1, -1)
    row_of_track[identities.track] = np.arange(len(identities))
    row = row_of_track[seen.track]
    kept = np.flatnonzero((weight > 0) & (row >= 0))
    heads = HeadObservations(
        instant=seen.instant[kept],
        identity=identities.identity[row[kept]],
        point=seen.points[kept, BodyPoint.HEAD],
        spread=SURE_SPREAD / np.maximum(weight[kept], LEAST_WEIGHT),
        head=seen.head[kept],
        confidence=identities.confidence[row[kept]],
    )
    heads = heads[np.lexsort((heads.spread, heads.identity, heads.instant))]
    first = np.r_[True, (np.diff(heads.instant) != 0) | (np.diff(heads.identity) != 0)]
    return heads[first[: len(heads)]]


@dataclass(frozen=True, eq=False)
class HeadHeights:
    """The logarithm of the head height as a quadratic function of the place.

    Perspective makes it a linear function of the place for people who stand on one floor; bent and sitting people and
    lens distortion ask for a little more.
    """

    size: tuple[int, int]
    usual: float
    coefficients: Floats

    @classmethod
    def learn(cls, view: View) -> HeadHeights | None:
        """From a camera's clear observations; None if there is none."""
        seen = view.observations
        clear = np.flatnonzero(
            (seen.weight[:, BodyPoint.HEAD] >= CLEAR_WEIGHT) & (seen.score >= CLEAR_SCORE) & (seen.head > 0)
        )
        if not len(clear):
            return None
        clear = clear[:: -(-len(clear) // MOST_SAMPLES)]
        heights = np.log(seen.head[clear].astype(np.float64))
        usual = float(np.median(heights))
        terms = _terms(seen.points[clear, BodyPoint.HEAD], view.size)
        coefficients: Floats = np.zeros(terms.shape[1])
        if len(clear) >= LEAST_SAMPLES:
            for _ in range(ROUNDS):
                error = np.abs(heights - usual - terms @ coefficients)
                weight = np.minimum(1, OUTLIER / np.maximum(error, 1e-9))
                normal = terms.T @ (weight[:, None] * terms) + RIDGE * np.eye(terms.shape[1])
                coefficients = np.asarray(np.linalg.solve(normal, terms.T @ (weight * (heights - usual))), np.float64)
        return cls(view.size, usual, coefficients)

    def at(self, points: NDArray[np.floating]) -> Floats:
        """Head heights ``(N,)`` in pixels at points ``(N, 2)``."""
        deviation = _terms(points, self.size) @ self.coefficients
        return np.asarray(np.exp(self.usual + np.clip(deviation, -np.log(WIDEST), np.log(WIDEST))))


def _terms(points: NDArray[np.floating], size: tuple[int, int]) -> Floats:
    x, y = (np.clip(points.astype(np.float64) / size, -0.1, 1.1) * 2 - 1).T  # no extrapolation far outside
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def held_by_tracks(
    instant: NDArray[np.int32], centre: NDArray[np.floating], observations: Observations
) -> NDArray[np.bool_]:
    """Which places lie on a head that this camera follows, or where it would cover one.

    Args:
        instant: of every place (N,).
        centre: of every place (N, 2), pixels.
        observations: this camera's, ordered by instant.
    """
    located = observations.weight[:, BodyPoint.HEAD] >= LOCATED_WEIGHT
    reach = HEAD_REACH * observations.head[:, None]
    middle = observations.points[:, BodyPoint.HEAD]
    top = observations.box.copy()
    top[:, 3] = top[:, 1] + TOP_SHARE * (top[:, 3] - top[:, 1])
    zone = np.where(located[:, None], np.concatenate([middle - reach, middle + reach], axis=1), top)
    held = np.zeros(len(instant), bool)
    candidate = np.searchsorted(observations.instant, instant, side="left")
    stop = np.searchsorted(observations.instant, instant, side="right")
    while (rows := np.flatnonzero((candidate < stop) & ~held)).size:
        box, point = zone[candidate[rows]], centre[rows]
        held[rows] = ((box[:, :2] <= point) & (point <= box[:, 2:])).all(axis=1)
        candidate += 1
    return held
