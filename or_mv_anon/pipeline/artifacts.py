"""What the analysis of one camera left in the store, its segments joined."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import Columns, Frames
from or_mv_anon.core.run_layout import FRAMES, PERSONS, Table
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.regions.source import Observed

Record = TypeVar("Record", bound=Columns)


def read_joined(plan: CameraPlan, table: Table[Record]) -> Record:
    """All segments of a table; in records about person detections these are numbered through all segments.

    Raises:
        UserError: a file is missing or damaged.
    """
    parts, before = [], 0
    for segment in plan.segments:
        part = plan.read(table, segment)
        if "detection" in table.record.columns:
            part = part.replace(detection=part.detection + before)  # type: ignore[attr-defined]
            before += len(plan.read(PERSONS, segment))
        parts.append(part)
    return table.record.concat(parts)


def observed_of(plan: CameraPlan) -> Observed:
    """What the analysis of a camera noted, for the sources that follow it."""

    size = open_camera(plan.camera, plan.store).upright_size
    return Observed(read_joined(plan, FRAMES), size, partial(read_joined, plan))


def session_offset(plan: CameraPlan) -> float:
    """Seconds from a camera's timestamps, as `Frames` has them, to the session's clock."""
    return plan.shift * float(open_camera(plan.camera, plan.store).time_base) + plan.camera.offset


def session_seconds(plan: CameraPlan, frames: Frames) -> NDArray[np.float64]:
    """Time of every frame ``(F,)`` on the session's clock, never falling."""
    seconds: NDArray[np.float64] = np.maximum.accumulate(frames.time)
    return seconds + session_offset(plan)
