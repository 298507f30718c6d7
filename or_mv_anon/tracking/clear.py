"""Which tracks count as people wherever a person is told of tracks: those that somebody saw clearly at least once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import Provenance, Tracks


def ever_clear(tracks: Tracks, score: float) -> NDArray[np.bool_]:
    """For every track number ``(T,)`` whether it reaches `score` somewhere, or other cameras confirm it."""
    best = np.zeros(tracks.track.max(initial=-1) + 1, np.float32)
    confirmed = np.isin(tracks.provenance, [Provenance.CROSS_VIEW, Provenance.TRANSFERRED])
    np.maximum.at(best, tracks.track, np.where(confirmed, 1, tracks.score))
    return best >= score
