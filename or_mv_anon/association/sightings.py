"""Where each camera sees each person's head: what one camera can tell the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from or_mv_anon.association.views import BodyPoint, View
from or_mv_anon.core.records import Column, Columns, Identities

SURE_SPREAD = 0.15  # head heights by which a head point of full weight is off (standard deviation)
LEAST_WEIGHT = 0.2  # a point at the top of a box, with no keypoint near, is off by a head height at most


@dataclass(frozen=True)
class Sightings(Columns):
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


def see_heads(view: View, identities: Identities) -> Sightings:
    """The heads that a camera sees; of several tracks of one identity at an instant the clearest counts."""
    seen = view.observations
    weight = seen.weight[:, BodyPoint.HEAD]
    row_of_track = np.full(max(view.tracks.max(initial=-1), identities.track.max(initial=-1)) + 1, -1)
    row_of_track[identities.track] = np.arange(len(identities))
    row = row_of_track[seen.track]
    kept = np.flatnonzero((weight > 0) & (row >= 0))
    heads = Sightings(
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
