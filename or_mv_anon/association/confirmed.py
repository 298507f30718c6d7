"""Whether other cameras agree that a weak track shows somebody: where they place the head, there is the track's box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.transfer import Places
from or_mv_anon.association.views import Observations
from or_mv_anon.core.records import Identities, Provenance, Tracks

UPPER_SHARE = 0.5  # of a person box in which the head must lie
LEAST_AGREEING = 0.5  # share of the instants at which others place the head


def agreement(places: Places, observations: Observations, identities: Identities) -> NDArray[np.int64]:
    """How often others placed the head of a track's person, and how often in the upper part of its box.

    Args:
        places: of heads in this camera, ordered by instant, then identity.
        observations: this camera's.
        identities: of its tracks.

    Returns:
        ``(2, T + 1)`` counts by track number: placed, and placed in the box.
    """
    count = int(max(identities.track.max(initial=-1), observations.track.max(initial=-1))) + 1
    person = np.full(count, -1, np.int64)
    person[identities.track] = identities.identity
    keys = (places.instant.astype(np.int64) << 32) + places.identity
    wanted = (observations.instant.astype(np.int64) << 32) + person[observations.track]
    if not len(keys):
        return np.zeros((2, count), np.int64)
    row = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    told = keys[row] == wanted
    upper = observations.box.copy()
    upper[:, 3] = upper[:, 1] + UPPER_SHARE * (upper[:, 3] - upper[:, 1])
    centre = places.centre[row]
    inside = ((upper[:, :2] <= centre) & (centre <= upper[:, 2:])).all(axis=1)
    return np.stack([np.bincount(observations.track, hits, minlength=count) for hits in (told, told & inside)]).astype(
        np.int64
    )


def with_confirmed(tracks: Tracks, votes: NDArray[np.int64], *, least: int) -> Tracks:
    """The tracks, with the boxes of those that were never clear here but that others confirm marked so.

    Args:
        tracks: of one camera.
        votes: see `agreement`.
        least: instants at which others must agree.
    """
    count = max(int(tracks.track.max(initial=-1)) + 1, votes.shape[1])
    placed, agreed = np.pad(votes, ((0, 0), (0, count - votes.shape[1])))
    clear = np.bincount(tracks.track[tracks.provenance == Provenance.DETECTED], minlength=count) > 0
    confirmed = ~clear & (agreed >= least) & (agreed >= LEAST_AGREEING * placed)
    weak = (tracks.provenance == Provenance.TRACKED) & confirmed[tracks.track]
    return tracks.replace(provenance=np.where(weak, Provenance.CROSS_VIEW, tracks.provenance))
