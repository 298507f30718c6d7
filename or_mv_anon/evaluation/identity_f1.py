"""IDF1: how much of everybody's time is explained when each person may have only one track.

Ristani et al. 2016, "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking". The same numbers as
TrackEval. Over several cameras with identities in place of tracks it is the multi-camera IDF1 of that paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from or_mv_anon.core.figures import Figures, share
from or_mv_anon.evaluation.tracking_data import TrackedSequence


@dataclass(frozen=True)
class IdentityScores(Figures):
    """Identity F1, recall and precision with the counts that they come from."""

    idf1: float
    recall: float
    precision: float
    hits: int
    misses: int
    false_alarms: int


def identity_f1(sequences: Sequence[TrackedSequence], *, iou: float = 0.5) -> IdentityScores:
    """IDF1 of several sequences, each with people and tracks of its own, counts added."""
    hits = misses = false_alarms = 0
    for sequence in sequences:
        person_length, track_length = sequence.lengths()
        shared = np.zeros((sequence.people, sequence.tracks))
        for moment in sequence.moments:
            shared[np.ix_(moment.people, moment.tracks)] += moment.overlap >= iou
        # one-to-one with the most shared frames leaves the fewest misses and false alarms
        row, column = linear_sum_assignment(shared, maximize=True)
        found = int(shared[row, column].sum())
        hits += found
        misses += int(person_length.sum()) - found
        false_alarms += int(track_length.sum()) - found
    return IdentityScores(
        idf1=share(2 * hits, 2 * hits + misses + false_alarms),
        recall=share(hits, hits + misses),
        precision=share(hits, hits + false_alarms),
        hits=hits,
        misses=misses,
        false_alarms=false_alarms,
    )
