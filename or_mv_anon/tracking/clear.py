"""Which tracks count as people wherever a person is told of tracks: those that somebody saw clearly at least once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import Provenance, Tracks


def ever_clear(tracks: Tracks, score: float | NDArray[np.floating]) -> NDArray[np.bool_]:
    """For every track number ``(T,)`` whether it reaches `score` somewhere, or other cameras confirm it.

    Args:
        tracks: of one camera.
        score: of all rows, or one for each row ``(R,)``.
    """
    confirmed = np.isin(tracks.provenance, [Provenance.CROSS_VIEW, Provenance.TRANSFERRED])
    clear = np.zeros(tracks.track.max(initial=-1) + 1, bool)
    clear[tracks.track[confirmed | (tracks.score >= score)]] = True
    return clear
