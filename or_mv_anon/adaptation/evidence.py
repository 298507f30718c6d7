"""What speaks for a person and cannot be changed by training the detector.

A detector that is taught its own mistakes repeats them, tracking follows them, and identities across cameras form
around them. Two witnesses stay as they were: the built-in pose network, which finds no body in a piece of equipment,
and the starting detector.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.findings import CameraFindings
from or_mv_anon.adaptation.settings import LabelConfig
from or_mv_anon.adaptation.trust import rows_around
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Detections, Keypoints, Tracks
from or_mv_anon.models.pose import Halpe26

BODY = slice(Halpe26.NOSE, Halpe26.RIGHT_ANKLE + 1)  # the 17 keypoints that are seen from all sides
SEEN = 8  # of them: half a body may be hidden

Scores = NDArray[np.float32]


def posture(keypoints: Keypoints, persons: int) -> Scores:
    """Mean SimCC score of a detection's surest body keypoints, (persons,); NaN where no pose was estimated.

    Args:
        keypoints: of some detections.
        persons: how many detections there are.
    """
    found = np.full(persons, np.nan, np.float32)
    found[keypoints.detection] = np.sort(keypoints.score[:, BODY], axis=1)[:, -SEEN:].mean(axis=1)
    return found


def evidence_of_detections(findings: CameraFindings, config: LabelConfig) -> Scores:
    """How far a person is confirmed where something was detected, (detections,).

    Returns:
        0 where a person is denied, up to 1 where one is sure, NaN where no witness looked: weak boxes have no pose.
    """
    persons = findings.persons
    seen = posture(findings.keypoints, len(persons))
    return _evidence(seen, persons.frame, persons.box, findings, config)


def evidence_of_tracks(findings: CameraFindings, config: LabelConfig) -> Scores:
    """The same for every row of the tracks; without a pose of its own, a row has the lower of its neighbours'."""
    tracks = findings.tracks
    seen = _along(tracks, posture(findings.keypoints, len(findings.persons)))
    return _evidence(seen, tracks.frame, tracks.box, findings, config)


def _evidence(
    seen: Scores, frame: NDArray[np.int32], box: Boxes, findings: CameraFindings, config: LabelConfig
) -> Scores:
    by_pose = np.where(seen < config.least_posture, 0, np.minimum(1, seen / max(config.sure_posture, 1e-6)))
    original = scores_at(findings.original, frame, box, least_iou=config.original_iou)
    return np.where(original >= config.original_score, 1, by_pose).astype(np.float32)


def scores_at(detections: Detections, frame: NDArray[np.int32], box: Boxes, *, least_iou: float) -> Scores:
    """The best score among the `detections` that lie on each box in its frame, 0 for none.

    Args:
        detections: of one camera.
        frame: of the boxes, (N,).
        box: (N, 4), in the camera's pixels.
        least_iou: overlap from which a detection lies on a box.
    """
    best = np.zeros(len(box), np.float32)
    order = np.argsort(detections.frame, kind="stable")
    starts = np.searchsorted(detections.frame[order], frame, side="left")
    stops = np.searchsorted(detections.frame[order], frame, side="right")
    rows = np.argsort(frame, kind="stable")
    bounds = np.flatnonzero(np.diff(frame[rows], prepend=-1, append=-1))
    for first, stop in pairwise(bounds.tolist()):
        here = rows[first:stop]
        there = order[starts[here[0]] : stops[here[0]]]
        same = geometry.iou(box[here], detections.box[there]) >= least_iou
        best[here] = np.where(same, detections.score[there], 0).max(axis=1, initial=0)
    return best


def _along(tracks: Tracks, of_detections: Scores) -> Scores:
    """The value of every row's detection, or the lower one of the nearest rows of its track that have one."""
    own = np.append(of_detections, np.nan)[tracks.detection]
    padded, track = np.append(own, np.nan), np.append(tracks.track, -1)
    sides = [np.where(track[side] == tracks.track, padded[side], np.nan) for side in rows_around(~np.isnan(own))]
    return np.fmin(*sides).astype(np.float32)
