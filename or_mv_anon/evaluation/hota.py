"""HOTA: detection, association and localization in one figure per overlap threshold.

Luiten et al. 2021, "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking"; the same numbers as the
authors' TrackEval, to which the tests compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from or_mv_anon.core.figures import Figures
from or_mv_anon.evaluation.tracking_data import TrackedSequence

THRESHOLDS = np.arange(0.05, 0.99, 0.05)  # of the IoU
ROUNDING = np.finfo(float).eps


@dataclass(frozen=True)
class Hota(Figures):
    """Means over the thresholds; all in [0, 1], 1 is perfect."""

    hota: float
    det_a: float
    ass_a: float
    loc_a: float


@dataclass(frozen=True, eq=False)
class HotaSums:
    """What sequences are joined by, one entry per threshold.

    Attributes:
        hits, misses, false_alarms: counts.
        association: sum over the hits of how well the hit's person and track agree over the whole sequence.
        overlap: sum over the hits of their IoU.
    """

    hits: NDArray[np.float64]
    misses: NDArray[np.float64]
    false_alarms: NDArray[np.float64]
    association: NDArray[np.float64]
    overlap: NDArray[np.float64]


def hota(sequences: Sequence[TrackedSequence]) -> Hota:
    """HOTA of several cameras or recordings: counts are added, association is weighted by hits."""
    sums = [hota_sums(sequence) for sequence in sequences]
    hits, misses, false_alarms, association, overlap = (
        np.sum([getattr(part, name) for part in sums], axis=0)
        for name in ("hits", "misses", "false_alarms", "association", "overlap")
    )
    det_a = hits / np.maximum(1, hits + misses + false_alarms)
    ass_a = association / np.maximum(1, hits)
    loc_a = np.where(hits > 0, overlap / np.maximum(1, hits), 1.0)
    return Hota(float(np.sqrt(det_a * ass_a).mean()), float(det_a.mean()), float(ass_a.mean()), float(loc_a.mean()))


def hota_sums(sequence: TrackedSequence) -> HotaSums:
    """The counts of one sequence."""
    person_length, track_length = sequence.lengths()
    likely = _alignment(sequence, person_length, track_length)
    matches = np.zeros((len(THRESHOLDS), sequence.people, sequence.tracks))
    overlap_sum = np.zeros(len(THRESHOLDS))
    for moment in sequence.moments:
        worth = likely[np.ix_(moment.people, moment.tracks)] * moment.overlap
        row, column = linear_sum_assignment(worth, maximize=True)
        overlap = moment.overlap[row, column]
        hit = overlap[None, :] >= THRESHOLDS[:, None] - ROUNDING
        matches[:, moment.people[row], moment.tracks[column]] += hit
        overlap_sum += (hit * overlap).sum(axis=1)
    hits = matches.sum(axis=(1, 2))
    together = person_length[:, None] + track_length[None, :] - matches
    return HotaSums(
        hits=hits,
        misses=person_length.sum() - hits,
        false_alarms=track_length.sum() - hits,
        association=(matches * matches / np.maximum(1, together)).sum(axis=(1, 2)),
        overlap=overlap_sum,
    )


def _alignment(
    sequence: TrackedSequence, person_length: NDArray[np.int64], track_length: NDArray[np.int64]
) -> NDArray[np.float64]:
    """How well each person and track go together over the whole sequence, before they are matched in frames."""
    together = np.zeros((sequence.people, sequence.tracks))
    for moment in sequence.moments:
        overlap = moment.overlap
        rivals = overlap.sum(axis=0)[None, :] + overlap.sum(axis=1)[:, None] - overlap
        together[np.ix_(moment.people, moment.tracks)] += np.divide(
            overlap, rivals, out=np.zeros_like(overlap), where=rivals > ROUNDING
        )
    return together / np.maximum(person_length[:, None] + track_length[None, :] - together, ROUNDING)
