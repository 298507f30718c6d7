"""What speaks for a labelled person: where the box comes from, witnesses that training cannot change, and memory.

A detector that is taught its own mistakes repeats them, tracking follows them, and identities across cameras form
around them. Two witnesses stay as they were: the built-in pose network, which finds no body in a piece of equipment,
and the starting detector. And people in an operating room keep their places for minutes and are hidden in between:
around the ends of a clear track its last place is undecided for some seconds: nobody is taught that it is empty.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.results import CameraResults
from or_mv_anon.adaptation.settings import LabelConfig
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Detections, Keypoints, Provenance, Tracks
from or_mv_anon.core.rows import ranges, rows_around
from or_mv_anon.models.pose import Halpe26

BODY = slice(Halpe26.NOSE, Halpe26.RIGHT_ANKLE + 1)  # the 17 keypoints that are seen from all sides
SEEN = 8  # of them: half a body may be hidden
Scores = NDArray[np.float32]
Rows = NDArray[np.intp]


def label_weights(findings: CameraResults, config: LabelConfig) -> NDArray[np.float32]:
    """The weight in [0, 1] of every row of the tracks, whoever else confirms it or not."""
    tracks = findings.tracks
    by_provenance = np.zeros(len(Provenance), np.float32)
    for provenance in Provenance:
        by_provenance[provenance] = getattr(config, provenance.name.lower())
    weight = by_provenance[tracks.provenance]
    kind = tracks.provenance
    sure = kind == Provenance.DETECTED
    weight[sure] *= np.minimum(1, tracks.score[sure] / max(config.uncertain_score, 1e-6))
    weak = (kind == Provenance.TRACKED) | (kind == Provenance.CROSS_VIEW)
    weight[weak & (tracks.score < config.least_score)] = 0
    weight[(kind == Provenance.INTERPOLATED) & (_gap_seconds(findings) > config.most_gap_s)] = 0
    weight[~clear_tracks(tracks, config)[tracks.track] & (kind <= Provenance.INTERPOLATED)] = 0
    return weight


def clear_tracks(tracks: Tracks, config: LabelConfig) -> NDArray[np.bool_]:
    """For every track id whether the person was ever seen beyond doubt, (largest id + 1,)."""
    size = int(tracks.track.max(initial=-1)) + 1
    best = np.zeros(size, np.float32)
    np.maximum.at(best, tracks.track, tracks.score)
    detections = np.bincount(tracks.track[tracks.detection >= 0], minlength=size)
    return (best >= config.clear_score) & (detections >= config.clear_detections)


def _gap_seconds(findings: CameraResults) -> NDArray[np.float64]:
    """For every row the time between the track's detections on either side; infinite beyond its first and last."""
    tracks, seconds = findings.tracks, findings.seconds[findings.tracks.frame]
    before, after = rows_around(tracks.detection >= 0)
    inside = (before >= 0) & (after < len(tracks))
    before, after = np.maximum(before, 0), np.minimum(after, len(tracks) - 1)
    inside &= (tracks.track[before] == tracks.track) & (tracks.track[after] == tracks.track)
    return np.where(inside, seconds[after] - seconds[before], np.inf)


def posture(keypoints: Keypoints, persons: int) -> Scores:
    """Mean SimCC score of a detection's surest body keypoints, (persons,); NaN where no pose was estimated.

    Args:
        keypoints: of some detections.
        persons: how many detections there are.
    """
    found = np.full(persons, np.nan, np.float32)
    found[keypoints.detection] = np.sort(keypoints.score[:, BODY], axis=1)[:, -SEEN:].mean(axis=1)
    return found


def evidence_of_detections(findings: CameraResults, config: LabelConfig) -> Scores:
    """How far a person is confirmed where something was detected, (detections,).

    Returns:
        0 where a person is denied, up to 1 where one is sure, NaN where no witness looked: weak boxes have no pose.
    """
    persons = findings.persons
    seen = posture(findings.keypoints, len(persons))
    return _evidence(seen, persons.frame, persons.box, findings, config)


def evidence_of_tracks(findings: CameraResults, config: LabelConfig) -> Scores:
    """The same for every row of the tracks; without a pose of its own, a row has the lower of its neighbours'."""
    tracks = findings.tracks
    seen = _along(tracks, posture(findings.keypoints, len(findings.persons)))
    return _evidence(seen, tracks.frame, tracks.box, findings, config)


def _evidence(
    seen: Scores, frame: NDArray[np.int32], box: Boxes, findings: CameraResults, config: LabelConfig
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


def occluded_places(
    tracks: Tracks, seconds: NDArray[np.float64], clear: NDArray[np.bool_], *, remember_s: float
) -> tuple[NDArray[np.int64], Boxes, Rows]:
    """Boxes that a clear track had last, in the frames before its first and after its last detection.

    Args:
        tracks: of one camera, ordered by track, then frame.
        seconds: time of every frame (F,).
        clear: by track id, whether the person was ever seen beyond doubt.
        remember_s: how long a place is remembered.

    Returns:
        The frame (N,), the box (N, 4), and the row of `tracks` that it comes from (N,).
    """
    seen = np.flatnonzero((tracks.detection >= 0) & clear[tracks.track])
    first = seen[np.flatnonzero(np.diff(tracks.track[seen], prepend=-1))]
    last = seen[np.flatnonzero(np.diff(tracks.track[seen], append=-1))]
    start = np.searchsorted(seconds, seconds[tracks.frame[first]] - remember_s)
    stop = np.searchsorted(seconds, seconds[tracks.frame[last]] + remember_s, side="right")
    before, before_rows = _spans(start, tracks.frame[first].astype(np.int64), first)
    after, after_rows = _spans(tracks.frame[last].astype(np.int64) + 1, stop, last)
    rows = np.concatenate([before_rows, after_rows])
    return np.concatenate([before, after]), tracks.box[rows], rows


def _spans(start: NDArray[np.int64], stop: NDArray[np.int64], rows: Rows) -> tuple[NDArray[np.int64], Rows]:
    """The numbers from every `start` to before its `stop`, each with its row."""
    counts = np.maximum(stop - start, 0)
    return ranges(start, counts), np.repeat(rows, counts)
