"""Runs a detector over some frames of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from or_mv_anon.core.records import Detections
from or_mv_anon.models.detectors.people_and_heads import HEAD, PERSON, PeopleAndHeadsDetector
from or_mv_anon.models.detectors.protocol import Detector, Found, Picture
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
    return _recorded(found, frames, number)


def detect_both(
    detector: PeopleAndHeadsDetector,
    frames: Sequence[Frame],
    pictures: Sequence[Picture],
    number: Callable[[Frame], int],
) -> tuple[Detections, Detections]:
    """The people and the heads that `detector` finds in one pass; see `detect_frames`."""
    found = detector.detect_classes(pictures, size=frames[0].upright_size) if frames else []
    people, heads = ([each[kind] for each in found] for kind in (PERSON, HEAD))
    return _recorded(people, frames, number), _recorded(heads, frames, number)


def _recorded(found: Sequence[Found], frames: Sequence[Frame], number: Callable[[Frame], int]) -> Detections:
    return Detections.concat(
        [
            Detections(frame=np.full(len(boxes), number(frame)), box=boxes, score=scores)
            for frame, (boxes, scores) in zip(frames, found, strict=True)
        ]
    )
