"""Which head keypoints a recording itself confirms, so that the pose model can learn from them.

A point is believed where the model is sure of it, it lies in its person's box, and it sits where the same person's sure
points shortly before and after say that it must. Where the model is not sure, those neighbours fill the gap: the same
head, hidden or blurred for a moment, becomes a lesson. Only points of the head are labelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.settings import PoseAdaptationConfig
from or_mv_anon.core.boxes import longer_side
from or_mv_anon.core.pictures import Picture
from or_mv_anon.core.records import Column, Columns, Detections, Keypoints, Tracks
from or_mv_anon.core.rows import rows_around
from or_mv_anon.models.pose import Halpe26
from or_mv_anon.regions.heads import HEAD_POINTS, USUAL_SHARE

LABELLED_POINTS = [*HEAD_POINTS, Halpe26.NECK]
ReadFrames = Callable[[str, Sequence[int]], Iterator[tuple[int, Picture]]]
"""Reads frames of a camera by ascending number, as (number, upright full-size BGR picture)."""


@dataclass(frozen=True, kw_only=True)
class PosedCamera:
    """What is known of one camera's people before the pose model is adapted.

    Attributes:
        name: the camera's.
        size: width and height of the upright picture in pixels.
        times: seconds of every frame (F,).
        detections: persons.
        keypoints: of some of the detections.
        tracks: who is who in this camera.
        contradicted: per row of `keypoints`, whether other cameras see that head elsewhere; None where nobody looked.
    """

    name: str
    size: tuple[int, int]
    times: NDArray[np.float64]
    detections: Detections
    keypoints: Keypoints
    tracks: Tracks
    contradicted: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class HeadLabels(Columns):
    """Labelled people of one camera, one row per person and frame, ordered by track, then time."""

    frame: Column
    time: Column  # seconds
    track: Column
    box: Column  # of the person, pixels
    points: Column  # Halpe-26 in pixels; only those with a weight mean anything
    weight: Column  # [0, 1] how far each point is believed, 0 for points that are not labelled
    filled: Column  # how many of the points come from neighbouring frames

    columns = {
        "frame": (np.int32, ()),
        "time": (np.float64, ()),
        "track": (np.int32, ()),
        "box": (np.float32, (4,)),
        "points": (np.float32, (len(Halpe26), 2)),
        "weight": (np.float32, (len(Halpe26),)),
        "filled": (np.int32, ()),
    }


def label_heads(camera: PosedCamera, settings: PoseAdaptationConfig) -> HeadLabels:
    """The people of one camera whose head keypoints can be believed; people without any are left out."""
    rows = _tracked(camera)
    sure, unit = _sure(rows, settings), USUAL_SHARE * longer_side(rows.box)
    points, weight = rows.points.copy(), np.zeros_like(rows.weight)
    filled = np.zeros(len(rows), np.int32)
    for point in LABELLED_POINTS:
        expected, known = _expected(rows, sure[:, point], rows.points[:, point], settings.reach_s)
        apart = np.linalg.norm(rows.points[:, point] - expected, axis=1)
        confirmed = sure[:, point] & known & (apart <= settings.most_deviation * unit)
        fill = ~sure[:, point] & known & _inside(expected, rows.box)
        weight[confirmed, point] = 1.0
        weight[fill, point] = settings.filled_weight
        points[fill, point] = expected[fill]
        filled += fill
    labels = HeadLabels(rows.frame, rows.time, rows.track, rows.box, points, weight, filled)
    return labels[(weight > 0).sum(axis=1) >= settings.least_points]


def _tracked(camera: PosedCamera) -> HeadLabels:
    """Detections with keypoints and a track, the scores in place of weights, none contradicted by another camera."""
    track_of = np.full(len(camera.detections), -1, np.int32)
    observed = camera.tracks.detection >= 0
    track_of[camera.tracks.detection[observed]] = camera.tracks.track[observed]
    keypoints = camera.keypoints
    keep = track_of[keypoints.detection] >= 0
    if camera.contradicted is not None:
        keep &= ~camera.contradicted
    keypoints = keypoints[keep]
    frame = camera.detections.frame[keypoints.detection]
    track, time = track_of[keypoints.detection], camera.times[frame]
    box = camera.detections.box[keypoints.detection]
    rows = HeadLabels(frame, time, track, box, keypoints.points, keypoints.score, np.zeros(len(frame), np.int32))
    return rows[np.lexsort((time, track))]


def _sure(rows: HeadLabels, settings: PoseAdaptationConfig) -> NDArray[np.bool_]:
    return (rows.weight >= settings.least_score) & _inside(rows.points, rows.box[:, None])


def _expected(
    rows: HeadLabels, sure: NDArray[np.bool_], points: NDArray[np.float32], reach_s: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where the nearest sure points before and after place one keypoint (N, 2), and whether there are both."""
    count = len(rows)
    before, after = rows_around(sure)
    before, after = np.append(-1, before)[:-1], np.append(after, count)[1:]  # beside a row, not at it
    first, last = np.maximum(before, 0), np.minimum(after, count - 1)
    known = (before >= 0) & (after < count) & (rows.track[first] == rows.track) & (rows.track[last] == rows.track)
    span = rows.time[last] - rows.time[first]
    known &= (rows.time - rows.time[first] <= reach_s) & (rows.time[last] - rows.time <= reach_s)
    share = np.divide(rows.time - rows.time[first], span, out=np.zeros(count), where=span > 0)[:, None]
    return (points[first] * (1 - share) + points[last] * share).astype(np.float32), known


def _inside(points: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(((points >= boxes[..., :2]) & (points <= boxes[..., 2:])).all(axis=-1))
