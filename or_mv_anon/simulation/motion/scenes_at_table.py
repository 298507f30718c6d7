"""What the sterile team does at the table: operate, hold, prepare and pass instruments, step back."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.motion.encounters import PASS_REACH, PASSING_SECONDS, distance, pass_instrument
from or_mv_anon.simulation.motion.gestures import above, glance, look_around, rest_hands, work
from or_mv_anon.simulation.motion.rehearsal import Actor, Rehearsal
from or_mv_anon.simulation.motion.scenes_watching import go_home
from or_mv_anon.simulation.motion.sights import colleagues, sights, tray_of, wrists_in_field
from or_mv_anon.simulation.scene import Placement

Array = NDArray[np.float64]


def operate(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """At the table with both hands in the field."""
    here = go_home(stage, actor, time)
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(12, 28))
    leading = actor.role == "surgeon"
    score.rest(here)
    score.act(here, end, "operate" if leading else "assist")
    score.bend(here, end, lean=0.1 + (0.08 if leading else 0.04))
    centre = wrists_in_field(stage, actor, here)
    if leading:
        work(score, rng, here, end, centre=centre, apart=0.07)
    else:
        holding = int(rng.integers(2))
        work(score, rng, here, end, centre=centre, apart=0.1, spread=0.008, pace=(2, 5), sides=[holding])
        work(score, rng, here, end, centre=centre, apart=0.09, sides=[1 - holding])
    score.look(here, end, above(centre, -0.08))
    for other in colleagues(stage, actor, here):
        if rng.random() < 0.5:
            glance(score, rng, here, end, other.score.eyes(here))
    actor.steady = end
    return end


def step_back(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """A step away from the table, hands high, looking at somebody or at a screen."""
    score, rng = actor.score, actor.rng
    here = score.placement(time)
    length = float(rng.uniform(0.18, 0.3))
    back = Placement(here.x - length * math.cos(here.heading), here.y - length * math.sin(here.heading), here.heading)
    if not stage.is_free(actor, time, back) or stage.floor.room_at((back.x, back.y)) < 0.3:
        return rest_at_table(stage, actor, time)
    end = time + float(rng.uniform(4, 8))
    score.rest(time)
    score.stand(time, here.heading + float(rng.normal(0, 0.5)), at=np.array([back.x, back.y]))
    rest_hands(score, rng, time, end, sterile=True)
    look_around(score, rng, time, end, sights(stage, actor, time))
    score.act(time, end, "stand")
    return end


def rest_at_table(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    here = go_home(stage, actor, time)
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(4, 9))
    score.rest(here)
    rest_hands(score, rng, here, end, sterile=True)
    look_around(score, rng, here, end, sights(stage, actor, here))
    score.act(here, end, "watch")
    actor.steady = end
    return end


def prepare(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """The scrub nurse sorts instruments, and gives what is asked for."""
    here = go_home(stage, actor, time)
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(7, 14))
    tray = tray_of(stage, actor, here)
    score.rest(here)
    work(score, rng, here, end, centre=tray, apart=0.1, spread=0.06, pace=(0.7, 2.2))
    look_around(score, rng, here, end, [(tray, 3), (tray, 3), (stage.field, 1.5)])
    score.act(here, end, "prepare")
    actor.steady = end
    partners = [
        other
        for other in stage.with_role("surgeon", "assistant", "second_assistant")
        if other.steady > here + 1 + PASSING_SECONDS and distance(actor, other, here) < PASS_REACH
    ]
    time = here + 0.8
    while partners and time + PASSING_SECONDS + 1 < end:
        partner = partners[int(rng.integers(len(partners)))]
        both_free = all(one.has_time(time, time + PASSING_SECONDS) for one in (actor, partner))
        if both_free and rng.random() < 0.9:
            source = tray + rng.normal(0, 0.06, 3) * [1, 1, 0]
            pass_instrument(actor, partner, time, source, float(stage.field[2]) + 0.13)
        time += PASSING_SECONDS + float(rng.uniform(0.8, 3))
    return end
