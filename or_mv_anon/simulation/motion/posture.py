"""What a body does at a moment: where it stands, what its hands reach for, where it looks.

A posture is what choreography plans and interpolates; everything in it changes smoothly, so that the poses do. Angles
are radians. The upright frame of a person has its origin on the floor at (x, y), z up, and −y where the person faces.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Foot:
    """A foot on or above the floor.

    Attributes:
        place: (3,) the point of the sole below the ankle if the foot were flat, world metres.
        heading: where the toes point.
        pitch: positive with the heel raised (it turns about the ball), negative with the toes raised.
    """

    place: Array
    heading: float
    pitch: float = 0.0


@dataclass(frozen=True)
class Hand:
    """What a hand does.

    Attributes:
        point: (3,) where the wrist is wanted, in the person's upright frame.
        weight: 0 lets the arm hang, 1 brings the wrist to the point.
        pronation: turn of the forearm from thumb up (0) to palm down (about 1.4).
        grip: 0 relaxed fingers, 1 holding something thin.
        elbow: 0 elbow down, 1 elbow out to the side.
    """

    point: Array
    weight: float = 0.0
    pronation: float = 0.0
    grip: float = 0.0
    elbow: float = 0.2


@dataclass(frozen=True)
class Posture:
    """All that a standing, walking or sitting body does at a moment; left before right."""

    x: float
    y: float
    heading: float
    feet: tuple[Foot, Foot]
    hands: tuple[Hand, Hand]
    lean: float = 0.0  # of the trunk, forward
    side: float = 0.0  # of the trunk, to the left
    twist: float = 0.0  # of the shoulders against the hips, to the left
    drop: float = 0.0  # metres by which bent knees lower the hips
    shift: float = 0.0  # metres of the hips to the left
    back: float = 0.0  # metres of the hips behind the feet, when sitting
    gaze: Array = field(default_factory=lambda: np.array([0.0, -3.0, 1.4]))  # (3,) what is looked at, upright frame
    breath: float = 0.0  # -1..1
    swing: float = 0.0  # of hanging arms: the left arm forward and the right arm back
