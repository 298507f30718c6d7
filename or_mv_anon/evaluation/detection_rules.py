"""Which people of the ground truth count for detection and tracking, and which of them are hard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.truth import CameraTruth, TruthPeople


@dataclass(frozen=True, kw_only=True)
class DetectionRules:
    """Who counts, and what counts as found.

    Attributes:
        box: what detections are compared with. `visible` because the person detectors in use are trained on COCO and
            Human-Art, whose boxes hold what shows; `amodal` suits detectors trained on CrowdHuman's full boxes.
        iou: least overlap.
        min_visible_fraction: people of whom less shows are ignored.
        min_side: px; people whose visible box is smaller than this either way are ignored: slivers at the border.
        hard_visible_fraction, hard_height_share, border: a person is hard when less than this fraction shows, or the
            amodal box is lower than this share of the picture's height, or it comes within `border` px of an edge
            (cut off).
        bands: edges of the visible-fraction groups; each holds its lower edge, the last one both.
        scores: thresholds at which recall and precision are told.
    """

    box: Literal["visible", "amodal"] = "visible"
    iou: float = 0.5
    min_visible_fraction: float = 0.1
    min_side: float = 8.0
    hard_visible_fraction: float = 0.5
    hard_height_share: float = 0.1
    border: float = 1.0
    bands: Sequence[float] = (0.1, 0.3, 0.5, 0.8, 1.0)
    scores: Sequence[float] = (0.1, 0.2, 0.3, 0.5, 0.7)


def counts(people: TruthPeople, rules: DetectionRules) -> NDArray[np.bool_]:
    """Which rows of ground truth count, (len(people),)."""
    sides = people.visible_box[:, 2:] - people.visible_box[:, :2]
    return np.asarray((people.visible_fraction >= rules.min_visible_fraction) & (sides.min(axis=1) >= rules.min_side))


def is_hard(people: TruthPeople, camera: CameraTruth, rules: DetectionRules) -> NDArray[np.bool_]:
    """Which rows are mostly hidden, small in the picture or cut off by its edge, (len(people),)."""
    box = people.amodal_box
    limit = np.array([camera.width, camera.height], np.float32) - rules.border
    cut = (box[:, :2] <= rules.border).any(axis=1) | (box[:, 2:] >= limit).any(axis=1)
    small = box[:, 3] - box[:, 1] < rules.hard_height_share * camera.height
    return np.asarray((people.visible_fraction < rules.hard_visible_fraction) | small | cut)
