"""Runs a detector over some frames of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from or_mv_anon.core.records import Detections
from or_mv_anon.models.detectors.people_and_heads import PeopleAndHeadsDetector
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
    detector: Detector,
    frames: Sequence[Frame],
    pictures: Sequence[Picture],
    number: Callable[[Frame], int],
    *,
    weakest: float | None = None,
) -> tuple[Detections, Detections | None]:
    """The people and, where the detector knows them, the heads that it finds in one pass; see `detect_frames`.

    Heads come from the score `weakest` on, if it is given.
    """
    found = people_and_heads(detector, pictures, size=frames[0].upright_size, weakest=weakest) if frames else []
    heads = [each for _, each in found if each is not None]
    people = _recorded([each for each, _ in found], frames, number)
    return people, _recorded(heads, frames, number) if heads else None


def people_and_heads(
    detector: Detector, pictures: Sequence[Picture], *, size: tuple[int, int], weakest: float | None = None
) -> list[tuple[Found, Found | None]]:
    """As `Detector.detect`, but for each picture the people and the heads; None by a detector that knows none.

    Heads come from the score `weakest` on, if it is given.
    """
    if isinstance(detector, PeopleAndHeadsDetector):
        return list(detector.detect_classes(pictures, size=size, weakest=weakest))
    return [(people, None) for people in detector.detect(pictures, size=size)]


def _recorded(found: Sequence[Found], frames: Sequence[Frame], number: Callable[[Frame], int]) -> Detections:
    return Detections.concat(
        [
            Detections(frame=np.full(len(boxes), number(frame)), box=boxes, score=scores)
            for frame, (boxes, scores) in zip(frames, found, strict=True)
        ]
    )


def detect_together(
    detector: Detector, looks: Sequence[tuple[Frame, Picture]], *, at_once: int
) -> list[tuple[Detections, Detections | None]]:
    """What `detector` finds in one frame of each of several cameras; their pictures are supplied together.

    Args:
        detector: to run.
        looks: frames, and how the detector sees each of them (see `pictures_for`).
        at_once: pictures that are supplied together at most.

    Returns:
        Per frame its people and, where the detector knows them, its heads, both as of frame 0.
    """
    by_size: dict[tuple[int, int], list[int]] = {}
    for row, (frame, _) in enumerate(looks):
        by_size.setdefault(frame.upright_size, []).append(row)
    found: dict[int, tuple[Detections, Detections | None]] = {}
    parts = [(size, rows[i : i + at_once]) for size, rows in by_size.items() for i in range(0, len(rows), at_once)]
    for size, rows in parts:
        pictures = [looks[row][1] for row in rows]
        for row, (people, heads) in zip(rows, people_and_heads(detector, pictures, size=size), strict=True):
            found[row] = of_first_frame(people), None if heads is None else of_first_frame(heads)
    return [found[row] for row in range(len(looks))]


def of_first_frame(found: Found) -> Detections:
    """What was found in one picture, as a record of frame 0."""
    boxes, scores = found
    return Detections(frame=np.zeros(len(boxes)), box=boxes, score=scores)
