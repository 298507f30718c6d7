"""The patient on the table: as they are laid for an operation, breathing, the head a little to one side.

On the back with the arms at the sides (supine), face down (prone), on one side with drawn-up legs (lateral), or on the
back with the legs in stirrups (lithotomy).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.rotations import about, axis_angle, turn
from or_mv_anon.simulation.bodies.skeleton import Skeleton
from or_mv_anon.simulation.motion.limbs import arm, reach_for, spread_twist
from or_mv_anon.simulation.motion.poser import NECK
from or_mv_anon.simulation.scene import Footprint, Pose

Array = NDArray[np.float64]
CROWN = 1.1  # stature over the height of the head's joint
BACK = 0.075  # metres of flesh behind the spine
HEAD_MARGIN = 0.06  # metres of table beyond the crown
LEGS_TOGETHER = math.radians(4)  # that each leg comes in from the rest pose
POSITIONS = ("supine", "prone", "lateral", "lithotomy")
ANY = "any"  # one of them, by the seed
BELLY = 0.16  # metres from the spine to the table of somebody who lies face down
SHOULDER = 0.07  # metres from the shoulder's joint to the table of somebody who lies on it


class Lying:
    """Somebody who lies still on a table."""

    def __init__(
        self, skeleton: Skeleton, table: Footprint, rng: np.random.Generator, *, position: str = "supine"
    ) -> None:
        """Lay a body on a table, in one of `POSITIONS`: its head at the end to which the table's heading points."""
        self._rate = 1 / rng.uniform(3.8, 5.0)
        head = turn("z", float(rng.uniform(-0.35, 0.35))) @ turn("x", float(rng.uniform(-0.2, 0.05)))
        axis, angle = axis_angle(head)
        self._rotations = {label: about(axis, angle * share) for label, share in NECK.items()}
        hips = float(skeleton.rest_joint("upperleg01.L")[2])
        for side, outward in (("L", 1.0), ("R", -1.0)):
            limb = arm(skeleton, side)
            target = np.array([outward * 0.21, limb.ends[0][1] - 0.02, hips - 0.05])
            target[2] = max(target[2], limb.ends[0][2] - 0.985 * limb.reach)
            upper, lower = reach_for(limb, limb.ends[0], target, np.array([outward, 0.35, 0.0]))
            self._rotations |= spread_twist(skeleton, side, upper)
            self._rotations[f"lowerarm01.{side}"] = upper.T @ lower
            self._rotations[f"upperleg01.{side}"] = turn("y", outward * LEGS_TOGETHER)
            self._rotations[f"foot.{side}"] = turn("x", 0.35)
        ahead = np.array([math.cos(table.heading), math.sin(table.heading), 0.0])
        up = np.array([0.0, 0.0, 1.0])
        self._root = np.eye(4)
        self._root[:3, :3] = np.stack([np.cross(-up, ahead), -up, ahead], axis=1)
        stature = CROWN * float(skeleton.rest_joint("head")[2])
        back = max(float(skeleton.rest_joint(f"spine0{k}")[1]) for k in range(1, 6)) + BACK
        crown = np.array([table.x, table.y, table.height]) + (table.length / 2 - HEAD_MARGIN) * ahead
        self._root[:3, 3] = crown - self._root[:3, :3] @ np.array([0.0, back, stature])
        towards = 1.0 if rng.random() < 0.5 else -1.0
        if position == "lithotomy":
            self._bend_legs(hip=1.5, knee=1.5, apart=float(rng.uniform(0.35, 0.6)))
        elif position == "prone":
            self._roll(math.pi, crown, np.array([0.0, back - BACK, stature]), BELLY)
            self._look_aside(towards * float(rng.uniform(0.8, 1.2)))
        elif position == "lateral":
            self._bend_legs(hip=float(rng.uniform(0.4, 0.9)), knee=float(rng.uniform(0.6, 1.2)), apart=0.0)
            shoulder = abs(float(skeleton.rest_joint("upperarm01.L")[0]))
            self._roll(towards * math.radians(80), crown, np.array([0.0, back - BACK, stature]), shoulder + SHOULDER)

    def _bend_legs(self, *, hip: float, knee: float, apart: float) -> None:
        """Flexes both legs and spreads them; radians."""
        for side, outward in (("L", 1.0), ("R", -1.0)):
            self._rotations[f"upperleg01.{side}"] = turn("y", outward * (LEGS_TOGETHER - apart)) @ turn("x", -hip)
            self._rotations[f"lowerleg01.{side}"] = turn("x", knee)

    def _roll(self, angle: float, crown: Array, axis: Array, rest: float) -> None:
        """Turns the body about its length through `axis`, a point of it, which then lies `rest` metres over `crown`."""
        self._root[:3, :3] = self._root[:3, :3] @ turn("z", angle)
        self._root[:3, 3] = crown + np.array([0.0, 0.0, rest]) - self._root[:3, :3] @ axis

    def _look_aside(self, angle: float) -> None:
        """Turns the head to one side, so that the face is not in the pillow."""
        axis, whole = axis_angle(turn("z", angle))
        self._rotations |= {label: about(axis, whole * share) for label, share in NECK.items()}

    def pose(self, time: float) -> Pose:
        """The pose at a time: only the breath changes."""
        breath = math.sin(2 * math.pi * self._rate * time)
        return Pose({**self._rotations, "spine02": turn("x", -0.008 * breath)}, self._root)
