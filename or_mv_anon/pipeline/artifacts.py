"""What the analysis of one camera left in the store, its segments joined."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import Columns, Detections, Embeddings, Frames, Keypoints
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline.media import CameraPlan, open_camera

Record = TypeVar("Record", bound=Columns)
OfDetections = TypeVar("OfDetections", Keypoints, Embeddings)


def read_joined(plan: CameraPlan, name: str, kind: type[Record]) -> Record:
    """All segments of a stage output.

    Raises:
        UserError: a file is missing or damaged.
    """
    store = RunStore(plan.store)
    return kind.concat(
        [store.read(plan.file(name, segment), kind, frames=plan.numbers(segment)) for segment in plan.segments]
    )


def read_of_persons(plan: CameraPlan, name: str, kind: type[OfDetections]) -> OfDetections:
    """The same for records about person detections, whose numbers then count the rows of all segments together.

    Raises:
        UserError: a file is missing or damaged.
    """
    store = RunStore(plan.store)
    parts, before = [], 0
    for segment in plan.segments:
        part = store.read(plan.file(name, segment), kind)
        parts.append(part.replace(detection=part.detection + before))
        before += len(store.read(plan.file("persons", segment), Detections))
    return kind.concat(parts)


def session_seconds(plan: CameraPlan, frames: Frames) -> NDArray[np.float64]:
    """Time of every frame ``(F,)`` on the session's clock, never falling."""
    time_base = float(open_camera(plan.camera, plan.store).time_base)
    seconds: NDArray[np.float64] = np.maximum.accumulate(frames.time)
    return seconds + plan.shift * time_base + plan.camera.offset
