"""Whether a place in a picture is covered already by what its own camera follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.views import BodyPoint, Observations

HEAD_REACH = 0.6  # head heights from the middle of a located head that its region reaches, at least
LOCATED_WEIGHT = 0.35  # of a head point from which on the region lies on the head alone
TOP_SHARE = 0.3  # of a person box that is covered where the head is not located


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
