"""From the pose model's keypoints to the body points that cameras compare, and the head height that is their unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.views import BodyPoint
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.models.pose import Halpe26

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
    longer = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0), 1)
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
