"""One person's part, written down: what they do at every tick, painted over time, later strokes over earlier ones.

Ticks are a twentieth of a second. A score is made of abrupt values; `motion` smooths them into movement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.rotations import facing
from or_mv_anon.simulation.motion.paths import Walk
from or_mv_anon.simulation.motion.poser import KNEE_EASE, Poser
from or_mv_anon.simulation.scene import MaskState, Placement

Array = NDArray[np.float64]
TICKS_PER_SECOND = 20
LEFT, RIGHT = 0, 1
ACTIONS = (
    "out",
    "stand",
    "walk",
    "operate",
    "assist",
    "prepare",
    "pass_instrument",
    "watch",
    "monitor",
    "reach",
    "fetch",
    "write",
    "bend",
    "sit",
    "tie_gown",
    "hand_over",
    "adjust_mask",
    "lie",
)


@dataclass(frozen=True)
class Build:
    """What gestures need to know of a body, metres."""

    shoulder_height: float
    hip_height: float
    eye_height: float
    arm: float  # from shoulder to wrist
    leg: float  # from hip to ankle
    ankle_height: float

    @classmethod
    def of(cls, poser: Poser) -> Build:
        """The build of a skeleton."""
        return cls(
            poser.shoulder_height,
            poser.hip_height,
            poser.eye_height,
            poser.arms[0].reach,
            poser.legs[0].reach,
            poser.ankle_height,
        )

    def sitting_drop(self, seat: float, back: float) -> float:
        """How far the hips go down to sit on a seat of that height that far behind the feet."""
        standing = self.ankle_height + math.sqrt((KNEE_EASE * self.leg) ** 2 - back**2)
        return max(standing - (seat + 0.09), 0.0)


class Score:
    """Arrays over ticks of everything that one person does."""

    def __init__(self, times: Array, build: Build, place: Placement, *, mask: MaskState) -> None:
        """Somebody who stands at a place for the whole time and looks ahead with hanging arms."""
        count = len(times)
        self.times = times
        self._begin = float(times[0])
        self.build = build
        self.place = np.tile(np.array([place.x, place.y]), (count, 1))
        self.heading = np.full(count, place.heading)
        self.present = np.ones(count, bool)
        self.action = np.full(count, ACTIONS.index("stand"), np.int16)
        self.mask = np.full(count, mask, np.uint8)
        self.points = np.zeros((count, 2, 3))
        self.world = np.zeros((count, 2), bool)  # points in the world, not in the person's upright frame
        self.weights = np.zeros((count, 2))
        self.pronation = np.zeros((count, 2))
        self.grip = np.zeros((count, 2))
        self.elbow = np.full((count, 2), 0.2)
        self.gaze = np.full((count, 3), np.nan)  # world; NaN looks ahead
        self.trunk = np.zeros((count, 6))  # lean, side, twist, drop, shift, back

    def ticks(self, start: float, end: float = math.inf) -> slice:
        """The ticks from `start` up to `end` seconds."""
        most = len(self.times)
        first, last = (
            most if time == math.inf else min(max(math.ceil((time - self._begin) * TICKS_PER_SECOND - 1e-6), 0), most)
            for time in (start, end)
        )
        return slice(first, max(first, last))

    def tick(self, time: float) -> int:
        """The tick at a time, within the score."""
        return min(max(round((time - self._begin) * TICKS_PER_SECOND), 0), len(self.times) - 1)

    def placement(self, time: float) -> Placement:
        """Where the person is and faces."""
        tick = self.tick(time)
        return Placement(float(self.place[tick, 0]), float(self.place[tick, 1]), float(self.heading[tick]))

    def rest(self, start: float) -> None:
        """From then on stand with hanging arms and look ahead."""
        span = self.ticks(start)
        self.action[span] = ACTIONS.index("stand")
        self.weights[span] = 0
        self.gaze[span] = np.nan
        self.trunk[span] = 0

    def act(self, start: float, end: float, action: str) -> None:
        """Name what is done."""
        self.action[self.ticks(start, end)] = ACTIONS.index(action)

    def stand(self, start: float, heading: float, *, at: NDArray[Any] | None = None) -> None:
        """From then on face a direction and, if given, be at (x, y)."""
        span = self.ticks(start)
        self.heading[span] = heading
        if at is not None:
            self.place[span] = at

    def walk(self, walk: Walk) -> None:
        """Go along a way and stay at its end."""
        span = self.ticks(walk.start)
        self.place[span], self.heading[span] = walk.at(self.times[span])
        self.act(walk.start, walk.end, "walk")

    def hand(
        self,
        side: int,
        start: float,
        end: float,
        point: NDArray[Any],
        *,
        world: bool,
        pronation: float = 0.5,
        grip: float = 0.3,
        elbow: float = 0.2,
    ) -> None:
        """Bring a wrist to a point, in the world or in the person's upright frame (see `posture.Hand`)."""
        span = self.ticks(start, end)
        self.points[span, side] = point
        self.world[span, side] = world
        self.weights[span, side] = 1
        self.pronation[span, side] = pronation
        self.grip[span, side] = grip
        self.elbow[span, side] = elbow

    def look(self, start: float, end: float, point: NDArray[Any]) -> None:
        """Look at a point of the world."""
        self.gaze[self.ticks(start, end)] = point

    def bend(
        self, start: float, end: float, *, lean: float = 0.0, side: float = 0.0, drop: float = 0.0, back: float = 0.0
    ) -> None:
        """Lean the trunk, bend the knees."""
        span = self.ticks(start, end)
        self.trunk[span, 0], self.trunk[span, 1], self.trunk[span, 3], self.trunk[span, 5] = lean, side, drop, back

    def wear(self, start: float, mask: MaskState) -> None:
        """Wear the mask so from then on."""
        self.mask[self.ticks(start)] = mask

    def leave(self, start: float) -> None:
        """Be out of the room from then on."""
        span = self.ticks(start)
        self.present[span] = False
        self.action[span] = ACTIONS.index("out")

    def come(self, start: float) -> None:
        """Be in the room from then on."""
        self.present[self.ticks(start)] = True
        self.rest(start)

    def to_world(self, time: float, local: NDArray[Any]) -> Array:
        """A point of the person's upright frame at a time, in the world."""
        here = self.placement(time)
        return np.array([here.x, here.y, 0.0]) + facing(here.heading) @ np.asarray(local, np.float64)

    def eyes(self, time: float) -> Array:
        """About where the person's eyes are, (3,) world."""
        return self.to_world(time, np.array([0.0, -0.12, self.build.eye_height - 0.03]))
