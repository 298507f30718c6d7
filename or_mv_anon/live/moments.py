"""Frames of a camera and what was found in them, without their pictures: what processes beside a run are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import Columns, Detections


@dataclass(eq=False)
class Moment:
    """A frame.

    Attributes:
        number: counted from the camera's first.
        time: in seconds on the line's clock.
        size: width and height of the upright frame.
        corrupt: damage reaches it.
        decided: whether it was decided about.
    """

    number: int
    time: float
    size: tuple[int, int]
    corrupt: bool
    decided: bool = False


@dataclass(frozen=True)
class Sight:
    """What a look at a frame found.

    Attributes:
        number, time, size: of the frame, see `Moment`.
        tables: records by source; their frame is 0.
        flags: `FrameFlag`, which sources looked.
        believed: whether the picture shows the room as it is.
        grey: the picture, small and grey ``(h, w)``.
    """

    number: int
    time: float
    size: tuple[int, int]
    tables: Mapping[str, Columns]
    flags: int
    believed: bool
    grey: NDArray[np.uint8] | None


@dataclass(frozen=True)
class Searched:
    """What was found in the turned pictures of a frame taken at `time` seconds."""

    candidates: Detections
    time: float
