"""What two people do together, written into both their parts: passing instruments, handing over, tying a gown."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.rotations import facing
from or_mv_anon.simulation.motion.gestures import near_side, touch, work
from or_mv_anon.simulation.motion.rehearsal import Actor, Rehearsal
from or_mv_anon.simulation.scene import Placement

Array = NDArray[np.float64]
PASS_REACH = 1.7  # metres over which two people who lean forward can pass something
WRIST_TO_MIDDLE = 0.1  # metres from a wrist to what two hands hold together
BEHIND = 0.57  # metres behind somebody whose gown is tied
PASSING_SECONDS = 3.2
TYING_SECONDS = 5.0
HANDING_SECONDS = 3.4
HANDING_HEIGHT = 1.08  # metres
HANDING_REACH = 1.35  # metres over which two people who face each other hand something over


def distance(first: Actor, second: Actor, time: float) -> float:
    """Metres between two people."""
    here, there = first.score.placement(time), second.score.placement(time)
    return math.hypot(here.x - there.x, here.y - there.y)


def pass_instrument(nurse: Actor, surgeon: Actor, time: float, source: Array, height: float) -> float:
    """The nurse takes something from `source`, (3,) world, and gives it into the other's hand; returns when done.

    The hands meet at `time` + 2.6 s, `height` metres above the floor.
    """
    giver, taker = nurse.score, surgeon.score
    here, there = giver.placement(time), taker.placement(time)
    forward = np.array(
        [math.cos(here.heading) + math.cos(there.heading), math.sin(here.heading) + math.sin(there.heading)]
    )
    middle = np.array([here.x + there.x, here.y + there.y]) / 2 + 0.19 * forward
    meeting = np.array([*middle, height])
    between = np.array([there.x - here.x, there.y - here.y, 0.0])
    offset = WRIST_TO_MIDDLE * between / max(float(np.linalg.norm(between)), 0.1)
    end = time + PASSING_SECONDS
    touch(giver, near_side(giver, time, source), time, time + 1.2, source)
    giving, taking = near_side(giver, time, meeting), near_side(taker, time, meeting)
    giver.hand(giving, time + 1.6, end, meeting - offset, world=True, pronation=0.2, grip=1.0)
    taker.hand(taking, time + 1.8, end, meeting + offset, world=True, pronation=-0.2, grip=0.6)
    giver.look(time + 1.4, end - 0.5, meeting)
    giver.look(end - 0.5, end + 0.6, taker.eyes(time))
    taker.look(time + 1.9, end - 0.3, meeting)
    giver.act(time, end, "pass_instrument")
    taker.act(time + 1.6, end, "pass_instrument")
    for actor in (nurse, surgeon):
        actor.booked.append((time, end + 0.6))
    return end


def hand_over(giver: Actor, taker: Actor, time: float) -> float:
    """Both turn to each other, one holds something out and the other takes it; returns when done."""
    end = time + HANDING_SECONDS
    taker.booked.append((time, end + 1))
    back = taker.score.placement(time).heading
    turned = []
    for actor, other in ((giver, taker), (taker, giver)):
        here, there = actor.score.placement(time), other.score.placement(time)
        actor.score.stand(time, math.atan2(there.y - here.y, there.x - here.x))
        turned.append(np.array([here.x, here.y]))
        actor.score.act(time, end, "hand_over")
    middle = np.array([*(turned[0] + turned[1]) / 2, HANDING_HEIGHT])
    along = np.array([*(turned[1] - turned[0]), 0.0])
    offset = (WRIST_TO_MIDDLE + 0.02) * along / max(float(np.linalg.norm(along)), 0.1)
    for side in (0, 1):
        giver.score.hand(side, time + 0.5, end - 0.4, middle - offset, world=True, pronation=-0.2, grip=0.6)
    taker.score.hand(1, time + 1.1, end, middle + offset, world=True, pronation=0.4, grip=0.6)
    idle = np.array([0.12, -0.28, 0.78 * taker.score.build.shoulder_height])
    taker.score.hand(0, time, end, idle, world=False)
    giver.score.look(time, end - 0.8, middle)
    giver.score.look(end - 0.8, end, taker.score.eyes(time))
    taker.score.look(time, end - 0.4, middle)
    taker.score.stand(end, back)
    return end


def place_behind(stage: Rehearsal, helper: Actor, person: Actor, time: float) -> Placement | None:
    """Where somebody stands who ties a gown at the other's back; None when that place is not free."""
    there = person.score.placement(time)
    place = Placement(
        there.x - BEHIND * math.cos(there.heading), there.y - BEHIND * math.sin(there.heading), there.heading
    )
    return place if stage.is_free(helper, time, place) else None


def tie_gown(helper: Actor, person: Actor, time: float) -> float:
    """Hands busy at somebody's back, from `place_behind`; returns when done."""
    end = time + TYING_SECONDS
    person.booked.append((time, end))
    there = person.score.placement(time)
    backward = -(facing(there.heading) @ np.array([0.0, -1.0, 0.0]))
    for start, height in ((time, 0.93), (time + (end - time) / 2, 0.68)):  # at the neck, then at the waist
        spot = np.array([there.x, there.y, height * person.score.build.shoulder_height]) + 0.24 * backward
        until = min(start + (end - time) / 2, end)
        work(helper.score, helper.rng, start, until, centre=spot, apart=0.06, spread=0.015, pronation=0.4)
        helper.score.look(start, until, spot)
    helper.score.act(time, end, "tie_gown")
    return end
