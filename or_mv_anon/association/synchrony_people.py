"""A view's people as the learned associator takes them: a table of moments and people, in shares of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.views import BodyPoint, View
from or_mv_anon.core.rows import numbered

HEAD_DOWN = 0.07  # share of a box's height at which a head's middle is put that no keypoint tells


@dataclass(frozen=True, eq=False)
class People:
    """Everybody in a view, by instant.

    Attributes:
        points: (T, N, 3, 2) upper left and lower right corner of the box and the head, the picture spanning [-1, 1].
        present: (T, N) which places are taken.
        track: (T, N) row of the view's `tracks`.
    """

    points: NDArray[np.float32]
    present: NDArray[np.bool_]
    track: NDArray[np.int64]


def people_of(view: View, instants: int) -> People:
    """The people of a view at the instants from 0 to `instants`, exclusive."""
    seen = view.observations
    count = np.bincount(seen.instant, minlength=instants)
    place = numbered(count)
    shape = (instants, int(count.max(initial=0)))
    points, present, track = np.zeros((*shape, 3, 2), np.float32), np.zeros(shape, bool), np.zeros(shape, np.int64)
    where = (seen.instant, place)
    points[where] = points_of(view)
    present[where] = True
    track[where] = np.searchsorted(view.tracks, seen.track)
    return People(points, present, track)


def points_of(view: View) -> NDArray[np.float32]:
    """Corners and head of every observation (N, 3, 2), the picture spanning [-1, 1]."""
    seen = view.observations
    points = np.stack([seen.box[:, :2], seen.box[:, 2:], _heads(view)], axis=1)
    return np.asarray(points / np.array(view.size, np.float32) * 2 - 1)


def _heads(view: View) -> NDArray[np.float32]:
    seen = view.observations
    top = np.stack([(seen.box[:, 0] + seen.box[:, 2]) / 2, seen.box[:, 1]], axis=1)
    top[:, 1] += HEAD_DOWN * (seen.box[:, 3] - seen.box[:, 1])
    known = seen.weight[:, BodyPoint.HEAD, None] > 0
    return np.asarray(np.where(known, seen.points[:, BodyPoint.HEAD], top), np.float32)
