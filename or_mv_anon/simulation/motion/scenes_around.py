"""What everybody else does: anaesthesia, devices, shelves, the computer, gowns that need tying."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.motion.encounters import (
    HANDING_REACH,
    HANDING_SECONDS,
    TYING_SECONDS,
    distance,
    hand_over,
    place_behind,
    tie_gown,
)
from or_mv_anon.simulation.motion.gestures import above, bend_down, look_around, near_side, rest_hands, touch, work
from or_mv_anon.simulation.motion.rehearsal import Actor, Rehearsal
from or_mv_anon.simulation.motion.scenes_watching import STERILE, go_home, go_to, wait, watch
from or_mv_anon.simulation.motion.sights import in_front, patient_head, sights
from or_mv_anon.simulation.scene import Placement

Array = NDArray[np.float64]
Scene = Callable[[Rehearsal, Actor, float], float]
Encounter = Callable[[Actor, Actor, float], float]
PATIENCE = 12.0  # seconds that somebody waits for another to have time
SEAT_BEHIND = 0.34  # metres from the feet of somebody who sits to the middle of the stool


def monitor(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """At the anaesthesia machine: turning knobs, reading the screen."""
    here = go_to(stage, actor, time, stage.station("anaesthesia_machine"))
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(6, 13))
    spot = in_front(stage, actor, here, "machine", 0.42, 1.15)
    screen = above(spot, 0.35)
    look_around(score, rng, here, end, [(screen, 2.5), (spot, 1.5), (patient_head(stage), 2)])
    start = here + float(rng.uniform(0.2, 1))
    while start < end - 1.5:
        until = start + float(rng.uniform(1, 3))
        point = spot + rng.normal(0, 0.07, 3)
        touch(score, near_side(score, start, point), start, min(until, end), point)
        start = until + float(rng.uniform(0.8, 2.5))
    score.act(here, end, "monitor")
    return end


def care(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """At the patient's head: bending over it, or watching the operation over the drape."""
    here = go_home(stage, actor, time)
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(5, 11))
    head = patient_head(stage)
    if rng.random() < 0.6:
        score.bend(here, end, lean=0.3)
        work(score, rng, here, end, centre=above(head, 0.06), apart=0.1, pace=(0.8, 2.5), pronation=0.3)
        score.look(here, end, head)
        score.act(here, end, "reach")
    else:
        rest_hands(score, rng, here, end, sterile=False)
        look_around(score, rng, here, end, sights(stage, actor, here))
        score.act(here, end, "watch")
    return end


def sit(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """On a stool, where the room has one to sit on."""
    stool = stage.plan.surfaces.get("stool")
    heading = None if stool is None else math.atan2(stage.plan.table.y - stool.y, stage.plan.table.x - stool.x)
    if stool is None or heading is None:
        return care(stage, actor, time)
    feet = Placement(stool.x + SEAT_BEHIND * math.cos(heading), stool.y + SEAT_BEHIND * math.sin(heading), heading)
    here = go_to(stage, actor, time, feet) if stage.is_free(actor, time, feet) else None
    if here is None:
        return care(stage, actor, time)
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(8, 18))
    drop = score.build.sitting_drop(stool.height, SEAT_BEHIND)
    score.bend(here, end, drop=drop, back=SEAT_BEHIND, lean=float(rng.uniform(0, 0.2)))
    for side, outward in ((0, 1), (1, -1)):
        lap = np.array([outward * 0.12, -0.02, stool.height + 0.17])
        score.hand(side, here + 0.4, end, lap, world=False, pronation=1.2)
    look_around(score, rng, here, end, sights(stage, actor, here))
    score.act(here, end, "sit")
    return end + 0.8


def fetch(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """Take something from a shelf, high or low, and bring it to somebody or home."""
    names = [name for name in ("shelf", "supplies") if name in stage.plan.stations]
    if not names:
        return watch(stage, actor, time)
    name = names[int(actor.rng.integers(len(names)))]
    here = go_to(stage, actor, time, stage.station(name))
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(3, 6))
    if rng.random() < 0.45:
        bend_down(score, rng, here, end, height=float(rng.uniform(0.2, 0.5)))
    else:
        spot = in_front(stage, actor, here, name, 0.45, float(rng.uniform(0.9, 1.5)))
        work(score, rng, here, end, centre=spot, apart=0.12, spread=0.06, pace=(0.6, 1.6), pronation=0.3)
        score.look(here, end, spot)
        score.act(here, end, "fetch")
    actor.carrying = True
    done = _bring(stage, actor, end)
    actor.carrying = False
    return done


def _bring(stage: Rehearsal, actor: Actor, time: float) -> float:
    """Carry something to the scrub nurse, or home."""
    takers = [other for other in stage.with_role("scrub_nurse") if other.score.present[other.score.tick(time)]]
    if takers and actor.rng.random() < 0.8:
        taker = takers[0]
        there = taker.score.placement(time)
        side = float(actor.rng.choice([-1, 1])) * 0.5
        near = Placement(
            there.x - 0.8 * math.cos(there.heading + side), there.y - 0.8 * math.sin(there.heading + side), 0.0
        )
        arrived = stage.go(actor, time, stage.spot(actor, time, near, faces=(there.x, there.y)))
        if arrived is not None:
            if distance(actor, taker, arrived) < HANDING_REACH:
                actor.errand = _until(arrived + PATIENCE, taker, HANDING_SECONDS, hand_over)
            return arrived
    arrived = stage.go(actor, time, actor.home)
    return time + 1 if arrived is None else arrived


def _until(deadline: float, other: Actor, seconds: float, encounter: Encounter) -> Scene:
    """Wait beside somebody until they have time for an encounter that takes so long, or give it up."""

    def errand(stage: Rehearsal, actor: Actor, time: float) -> float:
        if other.has_time(time, time + seconds):
            actor.errand = None
            return encounter(actor, other, time)
        if time > deadline:
            actor.errand = None
            return wait(stage, actor, time)
        actor.score.look(time, time + 1, other.score.eyes(time))
        return time + 0.7

    return errand


def write(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """At the computer."""
    here = go_to(stage, actor, time, stage.station("computer"))
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(7, 16))
    desk = stage.plan.surfaces.get("desk")
    keys = in_front(stage, actor, here, "desk", 0.4, (desk.height if desk else 0.9) + 0.07)
    screen = score.to_world(here, np.array([0.0, -0.65, keys[2] + 0.3]))
    work(score, rng, here, end, centre=keys, apart=0.1, spread=0.02, pace=(0.3, 0.9), pronation=1.2, grip=0.2)
    look_around(score, rng, here, end, [(screen, 3), (screen, 3), (keys, 1), (stage.field, 1.5)])
    score.act(here, end, "write")
    return end


def tie(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """Tie the gown of somebody at the table."""
    wearers = [other for other in stage.actors if other.role in STERILE and other.steady > time]
    if wearers:
        wearer = wearers[int(actor.rng.integers(len(wearers)))]
        place = place_behind(stage, actor, wearer, time)
        arrived = None if place is None else stage.go(actor, time, place)
        if arrived is not None:
            actor.errand = _until(arrived + PATIENCE, wearer, TYING_SECONDS, tie_gown)
            return arrived
    return watch(stage, actor, time)


def tend_device(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """At a device: pressing buttons, or bending to its cables."""
    here = go_to(stage, actor, time, stage.station("technician"))
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(6, 13))
    low = end - float(rng.uniform(2.5, 4)) if rng.random() < 0.5 else end
    spot = in_front(stage, actor, here, "", 0.42, float(rng.uniform(0.95, 1.25)))
    side = int(rng.integers(2))
    work(score, rng, here + 0.3, low, centre=spot, apart=0.08, spread=0.06, pace=(0.6, 2), sides=[side])
    look_around(score, rng, here, low, [(spot, 3), (stage.field, 2), (above(spot, 0.2), 2)])
    score.act(here, end, "reach")
    if low < end:
        bend_down(score, rng, low, end, height=float(rng.uniform(0.12, 0.4)))
    return end
