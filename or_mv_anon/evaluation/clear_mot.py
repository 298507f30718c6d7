"""CLEAR MOT: misses, false alarms and identity switches, and how much of each person's time is tracked.

Bernardin and Stiefelhagen 2008, "Evaluating Multiple Object Tracking Performance"; mostly tracked and mostly lost are
Li et al. 2009, "Learning to Associate: HybridBoosted Multi-Target Tracker". The same numbers as TrackEval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from or_mv_anon.core.figures import Figures, share
from or_mv_anon.evaluation.tracking_data import TrackedSequence

NOBODY = -1
CONTINUED = 1000.0  # keeping last frame's track is worth more than any overlap
ROUNDING = np.finfo(float).eps
MOSTLY_TRACKED = 0.8  # of a person's frames, more than this
MOSTLY_LOST = 0.2  # less than this


@dataclass(frozen=True)
class Clear(Figures):
    """Counts, and what follows from them.

    Attributes:
        mota: 1 − (misses + false alarms + switches) / person-frames; can be negative.
        motp: mean IoU of the hits.
        mostly_tracked, partly_tracked, mostly_lost: people, by the share of their frames in which they are hits.
        fragmentations: how often tracking of a person resumes after a break.
    """

    mota: float
    motp: float
    hits: int
    misses: int
    false_alarms: int
    switches: int
    mostly_tracked: int
    partly_tracked: int
    mostly_lost: int
    fragmentations: int


def clear(sequences: Sequence[TrackedSequence], *, iou: float = 0.5) -> Clear:
    """CLEAR MOT of several cameras or recordings, counts added."""
    total = np.sum([_counts(sequence, iou) for sequence in sequences], axis=0)
    hits, misses, false_alarms, switches, most, part, lost, breaks = (int(value) for value in total[:8])
    return Clear(
        mota=share(hits - false_alarms - switches, hits + misses),
        motp=share(float(total[8]), hits),
        hits=hits,
        misses=misses,
        false_alarms=false_alarms,
        switches=switches,
        mostly_tracked=most,
        partly_tracked=part,
        mostly_lost=lost,
        fragmentations=breaks,
    )


def _counts(sequence: TrackedSequence, iou: float) -> tuple[float, ...]:
    """The integer fields of `Clear` from `hits` on, then the sum of the hits' IoU."""
    person_length, track_length = sequence.lengths()
    tracked = np.zeros(sequence.people, np.int64)
    starts = np.zeros(sequence.people, np.int64)
    last = np.full(sequence.people, NOBODY)  # the track that each person had when last tracked
    previous = np.full(sequence.people, NOBODY)  # the one in the last frame that had people and tracks
    switches, overlap_sum = 0, 0.0
    for moment in sequence.moments:
        if not len(moment.people) or not len(moment.tracks):
            continue  # such frames break no continuity, as in TrackEval
        worth = moment.overlap + CONTINUED * (previous[moment.people][:, None] == moment.tracks[None, :])
        worth[moment.overlap < iou - ROUNDING] = 0.0
        row, column = linear_sum_assignment(worth, maximize=True)
        hit = worth[row, column] > ROUNDING
        people, tracks = moment.people[row[hit]], moment.tracks[column[hit]]
        switches += int(((last[people] != NOBODY) & (last[people] != tracks)).sum())
        starts[people] += previous[people] == NOBODY
        tracked[people] += 1
        last[people] = tracks
        previous[:] = NOBODY
        previous[people] = tracks
        overlap_sum += float(moment.overlap[row[hit], column[hit]].sum())
    ratio = tracked / np.maximum(1, person_length)
    most, some = int((ratio > MOSTLY_TRACKED).sum()), int((ratio >= MOSTLY_LOST).sum())
    hits = int(tracked.sum())
    return (
        hits,
        int(person_length.sum()) - hits,
        int(track_length.sum()) - hits,
        switches,
        most,
        some - most,
        sequence.people - some,
        int((starts[starts > 0] - 1).sum()),
        overlap_sum,
    )
