"""Boxes of heads as labels: which detected heads are believed, where a head was overlooked, and where nobody knows.

The detector is the only one of the networks that boxes heads, so its own boxes count only as far as something else
agrees: the pose network, which training does not change, or the same person's heads shortly before and after. Where the
detector saw none, a head that the pose network is sure of is labelled as large as this camera's heads are about such
keypoints, and one between two others is labelled where they place it. In the boxes of everybody else, and where there
is a candidate that nothing confirms, nothing is taught.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.results import CameraResults
from or_mv_anon.adaptation.settings import HeadBoxConfig
from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Column, Columns, Detections, Frames, Tracks
from or_mv_anon.core.rows import equal_pairs, pair_key, rows_around, rows_of
from or_mv_anon.regions.carrying import carried
from or_mv_anon.regions.heads import Heads, locate_heads
from or_mv_anon.regions.own_heads import distinct_heads, own_heads

NONE = -1
LEAST_PAIRS = 20  # heads that both networks saw, to learn from how their boxes lie
SAME_HEAD = 0.3  # overlap from which a candidate is the head that is labelled
INSIDE = 0.6  # share of a labelled head in a person's box from which on it may be that person's
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class HeadBoxes(Columns):
    """Heads of one camera, ordered by frame."""

    frame: Column
    box: Column  # pixels of the upright frame
    weight: Column  # [0, 1] in the loss; 0 for a region in which nothing is taught

    columns = {"frame": (np.int32, ()), "box": (np.float32, (4,)), "weight": (np.float32, ())}

    @property
    def trusted(self) -> Mask:
        """Mask of the heads; the others are ignored regions."""
        trusted: Mask = self.weight > 0
        return trusted


@dataclass(frozen=True)
class _Seen:
    """What both networks say about the head of every track row; -1 where one says nothing.

    Attributes:
        heads: that the detector found.
        own: ``(R,)`` rows of `heads`.
        posed: heads by the keypoints.
        pose: ``(R,)`` rows of `posed`.
    """

    heads: Detections
    own: Rows
    posed: Heads
    pose: Rows

    @classmethod
    def of(cls, findings: CameraResults, config: HeadBoxConfig, pipeline: PipelineConfig) -> _Seen:
        tracks, heads = findings.tracks, distinct_heads(findings.heads or Detections.empty())
        rows = np.flatnonzero(tracks.detection >= 0)
        own = np.full(len(tracks), NONE, np.intp)
        own[rows] = own_heads(tracks[rows], heads, pipeline.heads, lying_aspect=pipeline.regions.lying_aspect)
        posed = locate_heads(findings.keypoints, findings.persons, trusted_score=config.least_point_score)
        wanted = rows_of(posed.detection.astype(np.int64), tracks.detection.astype(np.int64))
        return cls(heads, own, posed, np.where(tracks.detection >= 0, wanted, NONE))

    def believed(self, config: HeadBoxConfig) -> Mask:
        """Rows ``(R,)`` whose detected head is where the keypoints say, or is sure while nothing says otherwise."""
        rows = np.flatnonzero(self.own != NONE)
        score = self.heads.score[self.own[rows]]
        posed = np.flatnonzero(self.pose[rows] != NONE)
        agrees, denied = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
        box, there = self.heads.box[self.own[rows[posed]]], self.posed[self.pose[rows[posed]]]
        away = np.linalg.norm((box[:, :2] + box[:, 2:]) / 2 - there.center, axis=1)
        agrees[posed] = away <= config.most_deviation * there.size
        denied[posed] = ~agrees[posed] & (there.uncertainty <= config.sure_uncertainty)
        return self._rows(rows[~denied & ((agrees & (score >= config.weak_score)) | (score >= config.sure_score))])

    def overlooked(self, config: HeadBoxConfig) -> Mask:
        """Rows ``(R,)`` whose keypoints are sure of a head where the detector found none."""
        rows = np.flatnonzero((self.own == NONE) & (self.pose != NONE))
        return self._rows(rows[self.posed.uncertainty[self.pose[rows]] <= config.sure_uncertainty])

    def usual_shape(self, believed: Mask) -> NDArray[np.float32] | None:
        """How a head's box lies about the head of the keypoints, in its heights: left, top, right, bottom ``(4,)``."""
        rows = np.flatnonzero(believed & (self.pose != NONE))
        if len(rows) < LEAST_PAIRS:
            return None
        there = self.posed[self.pose[rows]]
        relative = (self.heads.box[self.own[rows]] - np.tile(there.center, 2)) / there.size[:, None]
        return np.asarray(np.median(relative, axis=0), np.float32)

    def placed(self, rows: Mask, shape: NDArray[np.float32]) -> Boxes:
        """Boxes of heads ``(N, 4)`` by their keypoints alone."""
        there = self.posed[self.pose[rows]]
        return np.asarray(np.tile(there.center, 2) + shape * there.size[:, None], np.float32)

    def _rows(self, rows: Rows) -> Mask:
        mask = np.zeros(len(self.own), bool)
        mask[rows] = True
        return mask


def label_head_boxes(
    findings: CameraResults, people: PseudoLabels, config: HeadBoxConfig, pipeline: PipelineConfig
) -> HeadBoxes:
    """Trusted heads and regions in which nothing is taught, in every frame that was looked at.

    Args:
        findings: of one camera.
        people: what is labelled there; only heads of trusted people are labels.
        config: how far each kind of head is trusted.
        pipeline: how heads are told apart and given to people.
    """
    tracks, seen = findings.tracks, _Seen.of(findings, config, pipeline)
    believed = seen.believed(config)
    box, weight = np.zeros((len(tracks), 4), np.float32), np.zeros(len(tracks), np.float32)
    box[believed], weight[believed] = seen.heads.box[seen.own[believed]], config.detected
    if (shape := seen.usual_shape(believed)) is not None:
        overlooked = seen.overlooked(config)
        box[overlooked], weight[overlooked] = seen.placed(overlooked, shape), config.posed
    between = _between(findings, weight > 0, config.most_gap_s)
    box[between], weight[between] = _carried(findings, box, weight > 0)[between], config.between

    kept = (weight > 0) & findings.looked[tracks.frame] & _trusted(tracks, people)
    labels = HeadBoxes(frame=tracks.frame[kept], box=box[kept], weight=weight[kept])
    labels = labels[np.argsort(labels.frame, kind="stable")]
    every = HeadBoxes.concat([labels, _undecided(findings, people, labels, seen.heads, config)])
    return every[np.argsort(every.frame, kind="stable")]


def _trusted(tracks: Tracks, people: PseudoLabels) -> Mask:
    """Which track rows ``(R,)`` are labelled people."""
    sure = people[people.trusted & (people.track >= 0)]
    return rows_of(pair_key(sure.track, sure.frame), pair_key(tracks.track, tracks.frame)) >= 0


def _between(findings: CameraResults, known: Mask, most_s: float) -> Mask:
    """Track rows ``(R,)`` without a head of their own that lie between two of their track, not far apart in time."""
    tracks, seconds = findings.tracks, findings.seconds[findings.tracks.frame]
    before, after = rows_around(known)
    inside = ~known & (before >= 0) & (after < len(tracks))
    before, after = np.maximum(before, 0), np.minimum(after, max(len(tracks) - 1, 0))
    inside &= (tracks.track[before] == tracks.track) & (tracks.track[after] == tracks.track)
    return np.asarray(inside & (seconds[after] - seconds[before] <= most_s))


def _carried(findings: CameraResults, box: Boxes, known: Mask) -> Boxes:
    """Boxes of heads ``(R, 4)`` as the known ones of their track place them."""
    count = len(findings.seconds)
    frames = Frames(frame=np.arange(count), pts=np.zeros(count), time=findings.seconds, flags=np.zeros(count))
    sample = np.where(known, np.cumsum(known) - 1, NONE)
    return carried(frames, findings.tracks, box[known], np.zeros(int(known.sum()), np.float32), sample, reach_s=1.0)[0]


def _undecided(
    findings: CameraResults, people: PseudoLabels, labels: HeadBoxes, heads: Detections, config: HeadBoxConfig
) -> HeadBoxes:
    """Boxes of people in which no head is labelled, and candidates that are nobody's label; labels come by frame."""
    loose = heads[(heads.score >= config.candidate_score) & findings.looked[heads.frame]]
    row, label = equal_pairs(loose.frame, labels.frame)
    known = row[bx.paired_iou(loose.box[row], labels.box[label]) >= SAME_HEAD]
    loose = loose[~np.isin(np.arange(len(loose)), known)]
    row, label = equal_pairs(people.frame, labels.frame)
    head = labels.box[label]
    holding = row[bx.paired_intersection(people.box[row], head) >= INSIDE * bx.area(head)]
    headless = people[~np.isin(np.arange(len(people)), holding)]
    frame = np.concatenate([loose.frame, headless.frame])
    return HeadBoxes(frame=frame, box=np.concatenate([loose.box, headless.box]), weight=np.zeros(len(frame)))
