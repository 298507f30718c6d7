"""Where a person's head is, from body keypoints: centre, size and how much to trust them.

Proportions are those of adults (Drillis and Contini 1964; head height about 23 cm, biacromial breadth about 38 cm,
interpupillary distance about 6.3 cm, ear to ear about 15 cm); estimates are combined by their maximum, so a turned
head, whose eyes or ears come close together in the picture, is not taken for a small one. The eyes are the exception:
on a head seen from behind the pose model places them at its two sides, three times as far apart as eyes are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import Column, Columns, Detections, Keypoints
from or_mv_anon.models.pose import Halpe26

FACE_POINTS = [Halpe26.NOSE, Halpe26.LEFT_EYE, Halpe26.RIGHT_EYE, Halpe26.LEFT_EAR, Halpe26.RIGHT_EAR]
HEAD_POINTS = [*FACE_POINTS, Halpe26.HEAD_TOP]
HEIGHT_OVER_EYES = 3.6  # head height ÷ interpupillary distance
EYES_BOUND = 1.25  # the estimate from the eyes is at most this many times the largest of the others ...
EYES_SPREAD = 1.6  # ... or this many times the extent of all trusted head points, whichever is more
HEIGHT_OVER_EARS = 1.55  # ÷ ear to ear
HEIGHT_OVER_SHOULDERS = 0.62  # ÷ shoulder to shoulder
HEIGHT_OVER_TOP_NECK = 0.9  # ÷ top of head to neck (the neck point lies at the collar)
USUAL_SHARE = 0.15  # head height ÷ longer side of the person box, where no distance between keypoints is known
SMALLEST_SHARE, LARGEST_SHARE = 0.06, 0.5  # plausible head height ÷ longer side of the person box
BOX_REACH = 0.25  # a head centre may lie this share of the box's longer side outside of its box


@dataclass(frozen=True)
class Heads(Columns):
    """Head estimates, one row per detection whose keypoints allow one."""

    detection: Column  # row of the camera's Detections
    center: Column  # pixels
    size: Column  # head height in pixels
    extent: Column  # box around the trusted head points; a point at the centre where there are none
    uncertainty: Column  # about 0 for a head seen clearly, 0.5 for one inferred from the shoulders

    columns = {
        "detection": (np.int32, ()),
        "center": (np.float32, (2,)),
        "size": (np.float32, ()),
        "extent": (np.float32, (4,)),
        "uncertainty": (np.float32, ()),
    }


def locate_heads(keypoints: Keypoints, detections: Detections, *, trusted_score: float) -> Heads:
    """Heads of the people whose keypoints allow it; the others are left out.

    Args:
        keypoints: of some of the detections.
        detections: persons.
        trusted_score: least score of a keypoint that is used.
    """
    points, scores, person = keypoints.points, keypoints.score, detections.box[keypoints.detection]
    trusted = scores >= trusted_score
    longer = np.maximum(person[:, 2] - person[:, 0], person[:, 3] - person[:, 1])

    def distance(a: int, b: int) -> NDArray[np.float32]:
        both = trusted[:, a] & trusted[:, b]
        return np.where(both, np.linalg.norm(points[:, a] - points[:, b], axis=1), 0.0)

    visible = trusted[:, HEAD_POINTS]
    seen = visible.any(axis=1)
    weight = visible[..., None].astype(np.float32)
    head = points[:, HEAD_POINTS]
    low = np.where(weight > 0, head, np.inf).min(axis=1)
    high = np.where(weight > 0, head, -np.inf).max(axis=1)
    from_eyes = HEIGHT_OVER_EYES * distance(Halpe26.LEFT_EYE, Halpe26.RIGHT_EYE)
    from_others = np.max(
        [
            HEIGHT_OVER_EARS * distance(Halpe26.LEFT_EAR, Halpe26.RIGHT_EAR),
            HEIGHT_OVER_SHOULDERS * distance(Halpe26.LEFT_SHOULDER, Halpe26.RIGHT_SHOULDER),
            HEIGHT_OVER_TOP_NECK * distance(Halpe26.HEAD_TOP, Halpe26.NECK),
        ],
        axis=0,
    )
    with np.errstate(invalid="ignore"):
        center_seen = (low + high) / 2
        spread = np.where(seen, (high - low).max(axis=1), 0.0)
    bound = np.where(from_others > 0, np.maximum(EYES_BOUND * from_others, EYES_SPREAD * spread), np.inf)
    size = np.maximum(from_others, np.minimum(from_eyes, bound))
    size = np.where(size > 0, size, USUAL_SHARE * longer)
    size = np.clip(size, SMALLEST_SHARE * longer, LARGEST_SHARE * longer)

    # Two or more head points, or one that is very sure, place a head; a single weak one does not.
    top_two = np.sort(np.where(visible, scores[:, HEAD_POINTS], 0), axis=1)[:, -2:]
    place = seen & (top_two.sum(axis=1) >= 2 * trusted_score)

    neck, hip = points[:, Halpe26.NECK], points[:, Halpe26.MID_HIP]
    upright = np.array([0.0, -1.0], np.float32)
    spine = neck - hip
    length = np.linalg.norm(spine, axis=1, keepdims=True)
    along = np.where(trusted[:, [Halpe26.MID_HIP]] & (length > 1), spine / np.maximum(length, 1), upright)
    center_neck = neck + 0.55 * size[:, None] * along
    from_neck = ~place & trusted[:, Halpe26.NECK]

    center = np.where(place[:, None], center_seen, center_neck).astype(np.float32)
    extent = np.where(place[:, None], np.concatenate([low, high], axis=1), np.tile(center, 2)).astype(np.float32)
    reach = BOX_REACH * longer
    near = (
        (center[:, 0] > person[:, 0] - reach)
        & (center[:, 0] < person[:, 2] + reach)
        & (center[:, 1] > person[:, 1] - reach)
        & (center[:, 1] < person[:, 3] + reach)
    )
    clear = np.clip(1 - top_two.mean(axis=1), 0, 0.4)
    uncertainty = np.where(place, clear, 0.5)
    heads = Heads(detection=keypoints.detection, center=center, size=size, extent=extent, uncertainty=uncertainty)
    return heads[near & (place | from_neck)]
