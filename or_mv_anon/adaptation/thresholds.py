"""Tracking thresholds for the room: lower where the adapted detector is cleaner than the one it started from.

The shipped thresholds come with a certain number of unsupported boxes per picture when the starting detector runs in
this room. An adapted detector may be used at lower scores until it has as many; a threshold is never raised.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from or_mv_anon.adaptation.criterion import SCORES, DetectorCurves, at_score
from or_mv_anon.adaptation.settings import ThresholdConfig
from or_mv_anon.core.config import TrackingConfig
from or_mv_anon.models.site_thresholds import ADJUSTED

STEP = 0.01


def room_thresholds(
    start: DetectorCurves, adapted: DetectorCurves, tracking: TrackingConfig, config: ThresholdConfig
) -> Mapping[str, float]:
    """The keys of [tracking] that change, with their values.

    Args:
        start, adapted: curves of the detector before and after.
        tracking: the shipped thresholds.
        config: how far they may be lowered.
    """
    if not config.adjust or adapted.pictures < config.least_pictures:
        return {}
    changed = {}
    for name in ADJUSTED:
        shipped = getattr(tracking, name)
        lowest = max(config.lowest_share * shipped, tracking.low_score, float(SCORES[0]))
        bearable = at_score(start.unconfirmed, shipped)
        tried = np.arange(lowest, shipped, STEP)
        good = [score for score in tried if at_score(adapted.unconfirmed, score) <= bearable]
        if good:
            changed[name] = round(float(min(good)), 2)
    return changed
