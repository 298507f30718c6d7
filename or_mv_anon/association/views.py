"""What association sees of a session: every camera's tracked people at the session's common instants.

Cameras have clocks and frame rates of their own. Association therefore works on instants, moments of session time at an
even step, without those at which nobody took a picture; each camera contributes what it shows at the nearest frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from or_mv_anon.core.records import Column, Columns


class BodyPoint(IntEnum):
    """Points of a body that different cameras can find, whichever way the person turns."""

    HEAD = 0  # middle of the head
    NECK = 1
    LEFT_SHOULDER = 2
    RIGHT_SHOULDER = 3
    LEFT_HIP = 4
    RIGHT_HIP = 5
    LEFT_ELBOW = 6
    RIGHT_ELBOW = 7
    LEFT_WRIST = 8
    RIGHT_WRIST = 9


@dataclass(frozen=True)
class Observations(Columns):
    """One row per tracked person and instant of one camera, ordered by instant, then track.

    A person whose keypoints are not known has the points of the box's middle line at a low weight.
    """

    instant: Column  # number of the instant
    track: Column
    box: Column  # pixels of the upright frame
    score: Column  # of the detection
    points: Column  # pixels; meaningless where the weight is 0
    weight: Column  # [0, 1] how far each point is trusted, 0 for a point that is not there
    head: Column  # estimated head height in pixels, the unit in which distances are judged

    columns = {
        "instant": (np.int32, ()),
        "track": (np.int32, ()),
        "box": (np.float32, (4,)),
        "score": (np.float32, ()),
        "points": (np.float32, (len(BodyPoint), 2)),
        "weight": (np.float32, (len(BodyPoint),)),
        "head": (np.float32, ()),
    }


@dataclass(frozen=True, kw_only=True)
class View:
    """One camera of a session.

    Attributes:
        name: the camera's.
        size: width and height of the upright picture in pixels.
        observations: tracked people at the session's instants.
        tracks: ids of the camera's tracks, ascending (T,), those without any observation too.
        appearance: mean unit embedding per row of `tracks` (T, 512), zeros where it is not known; None without
            appearance.
    """

    name: str
    size: tuple[int, int]
    observations: Observations
    tracks: Column
    appearance: Column | None = None
