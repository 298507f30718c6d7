"""Everybody's movements during a recording, written once when it is made and then asked for at any time.

The parts are written in the order of time: whoever is free next gets something to do (see `roles`), knowing where all
others have settled to be. A few seconds before the recording are written too, so that it starts in the midst of work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.hands import pinch_hand, relaxed_hand
from or_mv_anon.simulation.bodies.skeleton import Skeleton
from or_mv_anon.simulation.motion.lying import Lying
from or_mv_anon.simulation.motion.motion import Motion
from or_mv_anon.simulation.motion.poser import Poser
from or_mv_anon.simulation.motion.rehearsal import Actor, Rehearsal
from or_mv_anon.simulation.motion.roles import STERILE, next_scene
from or_mv_anon.simulation.motion.score import ACTIONS, TICKS_PER_SECOND, Build, Score
from or_mv_anon.simulation.scene import MaskState, Placement, Pose, RoomPlan

__all__ = ["ACTIONS", "CastMember", "Choreography", "Moment"]

PATIENT = "patient"
WARM_UP = 15.0  # seconds written before the recording starts
WIND_DOWN = 2.0  # seconds written after its end
PRESENT_AT_FIRST = {"circulating_nurse": 0.6, "student": 0.7, "technician": 0.75}  # chances; all others are there
STATIONS = {
    "surgeon": ("surgeon",),
    "assistant": ("assistant",),
    "second_assistant": ("second_assistant", "student"),
    "scrub_nurse": ("scrub_nurse",),
    "anaesthetist": ("anaesthetist", "anaesthesia_machine"),
    "circulating_nurse": ("computer", "supplies", "shelf"),
    "technician": ("technician",),
    "student": ("student",),
}


@dataclass(frozen=True)
class CastMember:
    """Somebody who takes part: person number (from 1), role, and the bones of their body."""

    person: int
    role: str
    skeleton: Skeleton


@dataclass(frozen=True)
class Moment:
    """What somebody does at a time; without a pose they are not in the room."""

    person: int
    pose: Pose | None
    action: str  # one of ACTIONS
    mask: MaskState


class Choreography:
    """The movements of a team in a room. The same plan, cast, seed and duration give the same movements."""

    def __init__(
        self, plan: RoomPlan, cast: Sequence[CastMember], *, seed: int, duration: float, position: str = "supine"
    ) -> None:
        """Write everybody's part for `duration` seconds; `position` is the patient's (see `lying`)."""
        self.actions = ACTIONS
        self._cast = tuple(cast)
        self._posers: dict[int, Poser] = {}
        self._motions: dict[int, Motion] = {}
        self._patients: dict[int, Lying] = {}
        times = np.arange(-WARM_UP, duration + WIND_DOWN, 1 / TICKS_PER_SECOND)
        stage = Rehearsal(plan)
        for member in cast:
            rng = np.random.default_rng([seed, member.person])
            if member.role == PATIENT:
                self._patients[member.person] = Lying(member.skeleton, plan.table, rng, position=position)
                continue
            poser = Poser(member.skeleton, _fingers(member.skeleton))
            self._posers[member.person] = poser
            stage.actors.append(_actor(stage, member, poser, times, rng))
        for actor in stage.actors:
            if actor.role not in STERILE and not stage.can_get_to(actor, float(times[0]), actor.home):
                _move_home(stage, actor, float(times[0]))
        while stage.actors:
            actor = min(stage.actors, key=lambda one: (one.free, one.person))
            if actor.free >= float(times[-1]):
                break
            actor.free = max(next_scene(stage, actor, actor.free), actor.free + 0.5)
        for actor in stage.actors:
            self._motions[actor.person] = Motion(actor.score, self._posers[actor.person], actor.rng)

    def at(self, time: float) -> list[Moment]:
        """What everybody does at a time in seconds, in the order of the cast."""
        return [self._moment(member, time) for member in self._cast]

    def _moment(self, member: CastMember, time: float) -> Moment:
        if member.person in self._patients:
            return Moment(member.person, self._patients[member.person].pose(time), "lie", MaskState.NONE)
        motion = self._motions[member.person]
        pose = self._posers[member.person].pose(motion.posture(time)) if motion.present(time) else None
        return Moment(member.person, pose, ACTIONS[motion.action(time)], MaskState(motion.mask(time)))


def _actor(
    stage: Rehearsal, member: CastMember, poser: Poser, times: NDArray[np.float64], rng: np.random.Generator
) -> Actor:
    """Somebody at their place, or still outside the door."""
    begin = float(times[0])
    table = stage.plan.table
    home = stage.station(*STATIONS.get(member.role, ("student",)))
    if home is None or any(math.hypot(home.x - one.home.x, home.y - one.home.y) < 0.58 for one in stage.actors):
        near = home or Placement(table.x, table.y, 0.0)
        home = stage.spot(None, begin, near, faces=(table.x, table.y))
    mask = MaskState.WORN
    if member.role not in STERILE and rng.random() < 0.15:
        mask = MaskState.PULLED_DOWN
    actor = Actor(member.person, member.role, Score(times, Build.of(poser), home, mask=mask), home, rng, free=begin)
    if rng.random() > PRESENT_AT_FIRST.get(member.role, 1.0):
        actor.score.stand(begin, stage.plan.door.heading, at=stage.outside)
        actor.score.leave(begin)
        actor.free = begin + float(rng.uniform(8, 25))
    return actor


def _move_home(stage: Rehearsal, actor: Actor, begin: float) -> None:
    """Give somebody whom the others wall in another place."""
    table = stage.plan.table
    actor.home = stage.spot(None, begin, actor.home, faces=(table.x, table.y))
    if actor.score.present[0]:
        actor.score.stand(begin, actor.home.heading, at=np.array([actor.home.x, actor.home.y]))


def _fingers(skeleton: Skeleton) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Per finger bone its rotation in a relaxed hand and in one that holds an instrument; none without fingers."""
    found: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for side in "LR":
        if f"finger5-3.{side}" not in skeleton:
            continue
        relaxed = relaxed_hand(skeleton.labels, skeleton.rest_joints, side)
        holding = pinch_hand(skeleton.labels, skeleton.rest_joints, side)
        found |= {label: (relaxed[label], holding[label]) for label in relaxed}
    return found
