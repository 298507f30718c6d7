"""Two-bone inverse kinematics, solved in closed form: an arm whose wrist, a leg whose ankle is to be at a point.

The elbow (knee) is placed by the law of cosines in the plane through the two ends and a hint of where it points. The
bend there stays within what the joint can do: a target out of reach is approached as far as the limb allows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.rotations import about, cross, frame, length, twist_about, unit
from or_mv_anon.simulation.bodies.skeleton import Skeleton

Array = NDArray[np.float64]
STRAIGHTEST = 0.995  # share of the limb's full length that it stretches to
ELBOW_MOST_BENT = math.radians(145)
KNEE_MOST_BENT = math.radians(150)
SHARE_OF_LOWER_TWIST = 0.6  # of the upper arm's turn about itself that happens below the shoulder


@dataclass(frozen=True)
class Limb:
    """An arm or a leg at rest: its three joints in the body frame and what its hinge allows."""

    first: str  # bone at the shoulder or hip
    second: str  # bone at the elbow or knee
    ends: tuple[Array, Array, Array]  # shoulder, elbow, wrist
    most_bent: float  # radians between the straight limb and the most bent one

    @cached_property
    def lengths(self) -> tuple[float, float]:
        """Metres of the upper and of the lower part."""
        start, middle, end = self.ends
        return length(middle - start), length(end - middle)

    @property
    def reach(self) -> float:
        """The farthest that the end gets from the start, metres."""
        return STRAIGHTEST * sum(self.lengths)

    @property
    def nearest(self) -> float:
        """The nearest that the end gets to the start, metres."""
        upper, lower = self.lengths
        return math.sqrt(upper**2 + lower**2 + 2 * upper * lower * math.cos(self.most_bent))


def arm(skeleton: Skeleton, side: str) -> Limb:
    """The arm of side 'L' or 'R', from shoulder to wrist."""
    return _limb(skeleton, f"upperarm01.{side}", f"lowerarm01.{side}", f"wrist.{side}", ELBOW_MOST_BENT)


def leg(skeleton: Skeleton, side: str) -> Limb:
    """The leg of side 'L' or 'R', from hip to ankle."""
    return _limb(skeleton, f"upperleg01.{side}", f"lowerleg01.{side}", f"foot.{side}", KNEE_MOST_BENT)


def reach_for(limb: Limb, start: Array, target: Array, hint: Array) -> tuple[Array, Array]:
    """Turn a limb so that its end comes to `target`, or as near as it gets.

    Args:
        limb: the limb at rest.
        start: (3,) where its first joint is now, in the frame in which the answer is wanted.
        target: (3,) where its end shall be.
        hint: (3,) direction in which the middle joint points away from the line between the ends.

    Returns:
        Global rotations (3, 3) of the upper and of the lower part, from their rest directions.
    """
    upper, lower = limb.lengths
    to_target = target - start
    distance = min(max(length(to_target), limb.nearest), limb.reach)
    axes = frame(to_target, hint)
    along = (distance**2 + upper**2 - lower**2) / (2 * distance)
    aside = math.sqrt(max(upper**2 - along**2, 0.0))
    middle = axes @ np.array([along, aside, 0.0])
    end = axes[:, 0] * distance
    rest_start, rest_middle, rest_end = limb.ends
    rest_hinge = unit(cross(rest_middle - rest_start, rest_end - rest_middle))
    hinge = -axes[:, 2]  # of the bend: from upper part to lower part, as `rest_hinge`
    first = frame(middle, hinge) @ frame(rest_middle - rest_start, rest_hinge).T
    second = frame(end - middle, hinge) @ frame(rest_end - rest_middle, rest_hinge).T
    return first, second


def spread_twist(skeleton: Skeleton, side: str, shoulder: Array) -> dict[str, Array]:
    """Let the upper arm's turn about itself happen partly below the shoulder, as skin does; keeps the elbow's place.

    Args:
        skeleton: whose arm.
        side: 'L' or 'R'.
        shoulder: (3, 3) rotation of the whole upper arm within its parent's frame.
    """
    along = skeleton.rest_joint(f"lowerarm01.{side}") - skeleton.rest_joint(f"upperarm02.{side}")
    lower = about(along, SHARE_OF_LOWER_TWIST * twist_about(shoulder, along))
    return {f"upperarm01.{side}": shoulder @ lower.T, f"upperarm02.{side}": lower}


def _limb(skeleton: Skeleton, first: str, second: str, end: str, most_bent: float) -> Limb:
    ends = (skeleton.rest_joint(first), skeleton.rest_joint(second), skeleton.rest_joint(end))
    return Limb(first, second, ends, most_bent)
