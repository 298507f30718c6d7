"""Builds what association sees of a camera: its tracked people, with body points, at the session's common instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.views import BodyPoint, Observations, View
from or_mv_anon.core.boxes import Boxes, longer_side
from or_mv_anon.core.records import Column, Detections, Keypoints, Tracks
from or_mv_anon.core.rows import ranges
from or_mv_anon.models.pose import Halpe26

Seconds = NDArray[np.float64]
Rows = NDArray[np.int64]
TRUSTED_SCORE = 0.35  # of keypoints; the default of [pose] trusted_score
REACH_S = 0.5  # seconds from a pose sample within which its points are carried along with the box
BOX_WEIGHT = 0.1  # of points that only the box tells
SMOOTHED = 4  # observations on either side whose median gives a head height
ROWS_AT_ONCE = 100_000
FARTHEST_S = 0.5  # seconds from an instant to the picture that stands for it; later, people have moved
Floats = NDArray[np.float32]
SOURCE = {
    BodyPoint.NECK: Halpe26.NECK,
    BodyPoint.LEFT_SHOULDER: Halpe26.LEFT_SHOULDER,
    BodyPoint.RIGHT_SHOULDER: Halpe26.RIGHT_SHOULDER,
    BodyPoint.LEFT_HIP: Halpe26.LEFT_HIP,
    BodyPoint.RIGHT_HIP: Halpe26.RIGHT_HIP,
    BodyPoint.LEFT_ELBOW: Halpe26.LEFT_ELBOW,
    BodyPoint.RIGHT_ELBOW: Halpe26.RIGHT_ELBOW,
    BodyPoint.LEFT_WRIST: Halpe26.LEFT_WRIST,
    BodyPoint.RIGHT_WRIST: Halpe26.RIGHT_WRIST,
}
HEAD_POINTS = [Halpe26.NOSE, Halpe26.LEFT_EYE, Halpe26.RIGHT_EYE, Halpe26.LEFT_EAR, Halpe26.RIGHT_EAR]
MOST_WEIGHT = 1.0
# Proportions of adults (Drillis and Contini 1964), as in `or_mv_anon.regions.heads`
HEIGHT_OVER_SHOULDERS = 0.62  # head height ÷ shoulder to shoulder
HEIGHT_OVER_EARS = 1.55  # ÷ ear to ear
HEIGHT_OVER_TOP_NECK = 0.9  # ÷ top of head to neck
USUAL_SHARE = 0.15  # head height ÷ longer side of the person box
SMALLEST_SHARE, LARGEST_SHARE = 0.06, 0.5
MIDDLE_LINE = {BodyPoint.HEAD: 0.07, BodyPoint.NECK: 0.17}  # share of a standing person's box from its top


def common_instants(times: Sequence[Seconds], *, step_s: float) -> Seconds:
    """Session seconds (I,), ascending, of the moments at an even step at which any camera took a picture.

    Between pictures that are far apart there are no instants: nothing is seen there, and a picture counts once.

    Args:
        times: per camera the session seconds of its frames, never falling.
        step_s: seconds from one instant to the next while cameras run.
    """
    recorded = [each for each in times if len(each)]
    if not recorded:
        return np.zeros(0)
    start = min(float(each[0]) for each in recorded)
    steps = np.unique(np.concatenate([np.round((each - start) / step_s) for each in recorded]))
    return np.asarray(start + step_s * steps, np.float64)


def build_view(
    name: str,
    size: tuple[int, int],
    *,
    times: Seconds,
    instants: Seconds,
    tracks: Tracks,
    persons: Detections,
    keypoints: Keypoints,
    appearance: Column | None = None,
    turned: Seconds | None = None,
    trusted_score: float = TRUSTED_SCORE,
) -> View:
    """One camera's part in association.

    At each instant the nearest frame counts, if one is within half a step or half a frame interval, and never one that
    is more than half a second away. People whose pose was not estimated in that frame carry the points of their track's
    neighbouring samples along with their box. The prolonged ends of tracks, where nothing was detected any more, are
    left out.

    Args:
        name: the camera's.
        size: width and height of the upright picture in pixels.
        times: session seconds of every frame (F,), never falling; `tracks.frame` counts them.
        instants: session seconds (I,), see `common_instants`.
        tracks: all of the camera's.
        persons: the detections that `tracks.detection` and `keypoints.detection` count.
        keypoints: of some of them.
        appearance: mean embedding per track (T, 512), in ascending order of tracks; zeros where unknown.
        turned: session seconds at which the camera was turned; None where that is not known.
        trusted_score: least score of keypoints that count.

    Raises:
        ValueError: `keypoints` are of other detections.
    """
    if len(keypoints) and keypoints.detection.max() >= len(persons):
        raise ValueError(f"keypoints of detection {keypoints.detection.max()}, but there are only {len(persons)}")
    pose = _pose_rows(tracks, keypoints, len(persons))
    row, instant = _rows_at(tracks, _nearest_frames(times, instants))
    kept = _between_detections(tracks)[row]
    row, instant = row[kept], instant[kept]
    order = np.lexsort((tracks.track[row], instant))
    row, instant = row[order], instant[order]
    parts = [
        _bodies(row[start : start + ROWS_AT_ONCE], tracks, times, pose, keypoints, trusted_score=trusted_score)
        for start in range(0, len(row), ROWS_AT_ONCE)
    ] or [middle_line(np.zeros((0, 4), np.float32), weight=BOX_WEIGHT)]
    box, track = tracks.box[row], tracks.track[row]
    head = plausible_head(np.concatenate([part.head for part in parts]), box)
    observations = Observations(
        instant=instant,
        track=track,
        box=box,
        score=tracks.score[row],
        points=np.concatenate([part.points for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        head=_smooth(head, track),
    )
    return View(
        name=name,
        size=size,
        observations=observations,
        tracks=np.unique(tracks.track),
        appearance=appearance,
        turns=None if turned is None else np.searchsorted(instants, turned),
    )


def _nearest_frames(times: Seconds, instants: Seconds) -> Rows:
    """The frame of each instant, -1 where none is near."""
    if not len(times) or not len(instants):
        return np.full(len(instants), -1)
    after = np.clip(np.searchsorted(times, instants), 1, max(len(times) - 1, 1))
    after = np.minimum(after, len(times) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(times[before] - instants) <= np.abs(times[after] - instants), before, after)
    intervals = [float(np.median(np.diff(clock))) for clock in (times, instants) if len(clock) > 1]
    reach = min(max(intervals, default=0.0) / 2, FARTHEST_S) + 1e-6
    return np.where(np.abs(times[nearest] - instants) <= reach, nearest, -1)


def _rows_at(tracks: Tracks, frames: Rows) -> tuple[Rows, Rows]:
    """Rows of `tracks` at each of `frames`, and the number of the frame in that list."""
    order = np.argsort(tracks.frame, kind="stable")
    ordered = tracks.frame[order]
    begin, end = np.searchsorted(ordered, frames), np.searchsorted(ordered, frames, side="right")
    count = np.where(frames >= 0, end - begin, 0)
    return order[ranges(begin, count)], np.repeat(np.arange(len(frames)), count)


def _between_detections(tracks: Tracks) -> NDArray[np.bool_]:
    """Rows that are no earlier than their track's first detection and no later than its last."""
    detected = np.flatnonzero(tracks.detection >= 0)  # ordered by track, like the rows of a track
    if not len(detected):
        return np.zeros(len(tracks), bool)
    row = np.arange(len(tracks))
    after = np.searchsorted(detected, row)
    before = np.searchsorted(detected, row, side="right") - 1
    same_before, same_after = (
        tracks.track[detected[np.clip(near, 0, len(detected) - 1)]] == tracks.track for near in (before, after)
    )
    return np.asarray((before >= 0) & same_before & (after < len(detected)) & same_after)


def _pose_rows(tracks: Tracks, keypoints: Keypoints, persons: int) -> Rows:
    """Per row of `tracks` the row of its keypoints, -1 without."""
    of_detection = np.full(persons + 1, -1)  # the last one is for rows without a detection
    of_detection[keypoints.detection] = np.arange(len(keypoints))
    return of_detection[tracks.detection]


def _bodies(
    row: Rows, tracks: Tracks, times: Seconds, pose: Rows, keypoints: Keypoints, *, trusted_score: float
) -> Bodies:
    """Body points of some rows of `tracks`, carried over from the nearest samples before and after them."""
    box = tracks.box[row]
    sampled = np.flatnonzero(pose >= 0)  # rows of tracks, which are ordered by track, then time
    found = middle_line(box, weight=BOX_WEIGHT)
    if not len(sampled):
        return found
    later = np.searchsorted(sampled, row)
    sides = [sampled[np.clip(near, 0, len(sampled) - 1)] for near in (later, later - 1)]
    now = times[tracks.frame[row]]
    points, weight, head = np.zeros_like(found.points), np.zeros_like(found.weight), np.zeros(len(row), np.float32)
    trust, heads = np.zeros_like(weight), np.zeros(len(row), np.float32)
    for side in sides:
        away = np.abs(times[tracks.frame[side]] - now)
        near = np.where((tracks.track[side] == tracks.track[row]) & (away < REACH_S), 1 - away / REACH_S, 0)
        sample = from_keypoints(keypoints.points[pose[side]], keypoints.score[pose[side]], trusted_score=trusted_score)
        share = (near / np.maximum(away, 1e-6))[:, None].astype(np.float32) * (sample.weight > 0)
        points += share[..., None] * _moved(sample.points, tracks.box[side], box)
        weight += share * sample.weight * near[:, None].astype(np.float32)
        trust += share
        known = np.isfinite(sample.head) & (near > 0)
        head += np.where(known, near * sample.head, 0).astype(np.float32)
        heads += np.where(known, near, 0).astype(np.float32)
    points /= np.maximum(trust, 1e-9)[..., None]
    weight = np.where(trust > 0, weight / np.maximum(trust, 1e-9), 0)
    none = ~(weight > 0).any(axis=1)
    points[none], weight[none] = found.points[none], found.weight[none]
    return Bodies(points, weight, np.where(heads > 0, head / np.maximum(heads, 1e-9), np.nan).astype(np.float32))


def _moved(points: NDArray[np.float32], old: NDArray[np.float32], new: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points (N, K, 2) at the same places of the boxes `new` (N, 4) as they have in `old`."""
    scale = (new[:, 2:] - new[:, :2]) / np.maximum(old[:, 2:] - old[:, :2], 1)
    return np.asarray(new[:, None, :2] + (points - old[:, None, :2]) * scale[:, None], np.float32)


def _smooth(head: NDArray[np.float32], track: NDArray[np.int32]) -> NDArray[np.float32]:
    """Head heights (N,), ordered by instant, as the median over neighbouring observations of the same track."""
    order = np.argsort(track, kind="stable")
    begin = np.searchsorted(track[order], track[order])
    end = np.searchsorted(track[order], track[order], side="right") - 1
    around = np.arange(len(head))[:, None] + np.arange(-SMOOTHED, SMOOTHED + 1)
    result = np.empty_like(head)
    result[order] = np.median(head[order][np.clip(around, begin[:, None], end[:, None])], axis=1)
    return result


@dataclass(frozen=True, eq=False)
class Bodies:
    """Body points of people.

    Attributes:
        points: (N, 10, 2) pixels, by `BodyPoint`.
        weight: (N, 10) in [0, 1], 0 for a point that is not there.
        head: (N,) head height in pixels, NaN where no distance between keypoints tells it.
    """

    points: Floats
    weight: Floats
    head: Floats


def from_keypoints(points: Floats, score: Floats, *, trusted_score: float) -> Bodies:
    """Body points from keypoints in Halpe-26 order.

    Args:
        points: (N, 26, 2) pixels.
        score: (N, 26) on the pose model's scale.
        trusted_score: least score of a point that counts.
    """
    trusted = np.where(score >= trusted_score, np.clip(score, 0, MOST_WEIGHT), 0).astype(np.float32)
    body = np.zeros((len(points), len(BodyPoint), 2), np.float32)
    weight = np.zeros((len(points), len(BodyPoint)), np.float32)
    for point, source in SOURCE.items():
        body[:, point], weight[:, point] = points[:, source], trusted[:, source]
    head = trusted[:, HEAD_POINTS]
    weight[:, BodyPoint.HEAD] = head.max(axis=1, initial=0)
    total = np.maximum(head.sum(axis=1, keepdims=True), 1e-9)
    body[:, BodyPoint.HEAD] = (points[:, HEAD_POINTS] * head[..., None]).sum(axis=1) / total
    return Bodies(body, weight, _head_height(points, trusted > 0))


def middle_line(boxes: Boxes, *, weight: float) -> Bodies:
    """Points that stand for the keypoints of people of whom only the box (N, 4) is known."""
    middle, height = (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3] - boxes[:, 1]
    points = np.zeros((len(boxes), len(BodyPoint), 2), np.float32)
    weights = np.zeros((len(boxes), len(BodyPoint)), np.float32)
    for point, share in MIDDLE_LINE.items():
        points[:, point] = np.stack([middle, boxes[:, 1] + share * height], axis=1)
        weights[:, point] = weight
    return Bodies(points, weights, np.full(len(boxes), np.nan, np.float32))


def plausible_head(head: Floats, boxes: Boxes) -> Floats:
    """Head heights (N,) within what the boxes (N, 4) allow; the usual one where it is NaN."""
    longer = np.maximum(longer_side(boxes), 1)
    known = np.where(np.isfinite(head), head, USUAL_SHARE * longer)
    return np.clip(known, SMALLEST_SHARE * longer, LARGEST_SHARE * longer).astype(np.float32)


def _head_height(points: Floats, trusted: NDArray[np.bool_]) -> Floats:
    """The largest estimate, because a turned head or body seems smaller, never larger."""

    def distance(a: Halpe26, b: Halpe26) -> Floats:
        both = trusted[:, a] & trusted[:, b]
        return np.where(both, np.linalg.norm(points[:, a] - points[:, b], axis=1), np.nan).astype(np.float32)

    estimates = [
        HEIGHT_OVER_SHOULDERS * distance(Halpe26.LEFT_SHOULDER, Halpe26.RIGHT_SHOULDER),
        HEIGHT_OVER_EARS * distance(Halpe26.LEFT_EAR, Halpe26.RIGHT_EAR),
        HEIGHT_OVER_TOP_NECK * distance(Halpe26.HEAD_TOP, Halpe26.NECK),
    ]
    return np.asarray(np.fmax.reduce(estimates), np.float32)
