"""Where the things are that people look at and reach for, seen from where they stand."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.motion.gestures import above
from or_mv_anon.simulation.motion.rehearsal import Actor, Rehearsal
from or_mv_anon.simulation.scene import Footprint, Placement

Array = NDArray[np.float64]
ARM_LENGTH = 0.58  # metres over the floor that somebody reaches who leans a little


def colleagues(stage: Rehearsal, actor: Actor, time: float) -> list[Actor]:
    return [other for other in stage.actors if other is not actor and other.score.present[other.score.tick(time)]]


def sights(stage: Rehearsal, actor: Actor, time: float) -> list[tuple[Array, float]]:
    """What is worth looking at: the field, people's faces, the machine."""
    sights = [(stage.field, 3.0), (stage.field, 2.0)]
    sights += [(other.score.eyes(time), 1.5) for other in colleagues(stage, actor, time)[:5]]
    machine = stage.plan.surfaces.get("machine")
    if machine is not None:
        sights.append((np.array([machine.x, machine.y, 1.5]), 1.5))
    return sights


def wrists_in_field(stage: Rehearsal, actor: Actor, time: float) -> Array:
    """Where an actor's wrists work: a little above the field, on the near side of it."""
    here = actor.score.placement(time)
    towards = np.array([stage.field[0] - here.x, stage.field[1] - here.y, 0.0])
    far = max(float(np.linalg.norm(towards)), 0.1)
    working = np.array([here.x, here.y, stage.field[2] + 0.05])
    return np.asarray(working + towards * min(far - 0.15, ARM_LENGTH) / far)


def tray_of(stage: Rehearsal, actor: Actor, time: float) -> Array:
    """The nearer one of the surfaces with instruments, where a hand reaches it."""
    here = actor.score.placement(time)
    trays = [stage.plan.surfaces[name] for name in ("mayo", "trolley") if name in stage.plan.surfaces]
    if not trays:
        return actor.score.to_world(time, np.array([0.0, -0.45, stage.field[2]]))
    tray = min(trays, key=lambda box: math.hypot(box.x - here.x, box.y - here.y))
    return above(_nearest_on(tray, here, 0.44), 0.06)


def in_front(stage: Rehearsal, actor: Actor, time: float, name: str, ahead: float, height: float) -> Array:
    """A point `ahead` metres in front of an actor who has just come somewhere, moved sideways onto a surface."""
    point = actor.score.to_world(time, np.array([float(actor.rng.normal(0, 0.05)), -ahead, height]))
    surface = stage.plan.surfaces.get(name)
    if surface is None:
        return point
    nearest = _nearest_on(surface, actor.score.placement(time), ahead)
    return np.array([*(point[:2] + nearest[:2]) / 2, height])


def patient_head(stage: Rehearsal) -> Array:
    table = stage.plan.table
    far = table.length / 2 - 0.17
    return np.array(
        [table.x + far * math.cos(table.heading), table.y + far * math.sin(table.heading), table.height + 0.17]
    )


def _nearest_on(box: Footprint, here: Placement, reach: float) -> Array:
    """The point on a surface, towards its middle from somebody, that is at most `reach` metres away from them."""
    towards = np.array([box.x - here.x, box.y - here.y])
    length = float(np.linalg.norm(towards))
    spot = np.array([here.x, here.y]) + towards * min(reach / max(length, 1e-6), 1.0)
    return np.array([*spot, box.height])
