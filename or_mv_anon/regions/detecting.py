"""Runs a detector over some frames of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from or_mv_anon.core.records import Detections
from or_mv_anon.models.detectors.protocol import Detector, Picture
from or_mv_anon.video.frame import Frame


def pictures_for(detector: Detector, frames: Sequence[Frame]) -> list[Picture]:
    """Frames of one camera as the detector sees them."""
    if not frames:
        return []
    size = detector.input_size(*frames[0].upright_size)
    return [frame.bgr(*size) for frame in frames]


def detect_frames(
    detector: Detector, frames: Sequence[Frame], pictures: Sequence[Picture], number: Callable[[Frame], int]
) -> Detections:
    """What `detector` finds in frames of one camera, called `number` in the records."""
    found = detector.detect(pictures, size=frames[0].upright_size) if frames else []
    return Detections.concat(
        [
            Detections(frame=np.full(len(boxes), number(frame)), box=boxes, score=scores)
            for frame, (boxes, scores) in zip(frames, found, strict=True)
        ]
    )
