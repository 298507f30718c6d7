"""What people do who have nothing to do: watch, wait, pull the mask down, go out and come back."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.motion.gestures import adjust_mask, look_around, rest_hands
from or_mv_anon.simulation.motion.rehearsal import Actor, Rehearsal
from or_mv_anon.simulation.motion.sights import sights
from or_mv_anon.simulation.scene import MaskState, Placement

Array = NDArray[np.float64]
STERILE = frozenset({"surgeon", "assistant", "second_assistant", "scrub_nurse"})


def watch(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """Stand somewhere near home and look on, at times with the mask down."""
    near = Placement(
        actor.home.x + float(actor.rng.normal(0, 0.25)), actor.home.y + float(actor.rng.normal(0, 0.25)), 0.0
    )
    table = stage.plan.table
    here = stage.go(actor, time, stage.spot(actor, time, near, faces=(table.x, table.y)))
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(5, 12))
    rest_hands(score, rng, here, end, sterile=False)
    score.bend(here, end, lean=float(rng.uniform(0, 0.18)), side=float(rng.normal(0, 0.07)))
    look_around(score, rng, here, end, sights(stage, actor, here))
    score.act(here, end, "watch")
    if score.mask[score.tick(here)] == MaskState.PULLED_DOWN:
        adjust_mask(score, rng, end - 2, MaskState.WORN)
    elif rng.random() < 0.35:
        _mask_break(actor, here + 0.5, end)
    return end


def look_over_shoulder(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """Look over the shoulder of somebody who operates."""
    leaders = stage.with_role("surgeon", "assistant", "second_assistant")
    if not leaders:
        return watch(stage, actor, time)
    leader = leaders[int(actor.rng.integers(len(leaders)))]
    angle = leader.home.heading + float(actor.rng.choice([-1, 1])) * float(actor.rng.uniform(0.3, 0.8))
    near = Placement(leader.home.x - 0.7 * math.cos(angle), leader.home.y - 0.7 * math.sin(angle), 0.0)
    here = stage.go(actor, time, stage.spot(actor, time, near, faces=stage.field[:2]))
    if here is None:
        return None
    score, rng = actor.score, actor.rng
    end = here + float(rng.uniform(6, 14))
    rest_hands(score, rng, here, end, sterile=False)
    score.bend(here, end, lean=float(rng.uniform(0.1, 0.3)), side=float(rng.normal(0, 0.12)))
    look_around(score, rng, here, end, [(stage.field, 4), *sights(stage, actor, here)])
    score.act(here, end, "watch")
    return end


def wait(stage: Rehearsal, actor: Actor, time: float) -> float:
    """Nothing can be done now: stand and look around."""
    end = time + float(actor.rng.uniform(1.5, 3.5))
    actor.score.rest(time)
    rest_hands(actor.score, actor.rng, time, end, sterile=actor.role in STERILE)
    look_around(actor.score, actor.rng, time, end, sights(stage, actor, time))
    return end


def go_out(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    """Leave the room for a while; some pull the mask down on their way."""
    if actor.rng.random() < 0.5 and actor.role not in STERILE:
        time = adjust_mask(actor.score, actor.rng, time, MaskState.PULLED_DOWN) + 0.2
    out = stage.leave(actor, time)
    if out is None:
        return wait(stage, actor, time)
    return out + float(actor.rng.uniform(4, 18))


def come_back(stage: Rehearsal, actor: Actor, time: float) -> float:
    actor.score.wear(time, MaskState.WORN)
    actor.carrying = actor.role == "circulating_nurse" and actor.rng.random() < 0.6
    table = stage.plan.table
    place = actor.home
    if not stage.can_get_to(actor, time, place):
        place = stage.spot(actor, time, place, faces=(table.x, table.y))
    arrived = stage.come(actor, time, place)
    actor.carrying = False
    return time + 1.5 if arrived is None else arrived


def go_to(stage: Rehearsal, actor: Actor, time: float, place: Placement | None) -> float | None:
    if place is None:
        return None
    here = actor.score.placement(time)
    if math.hypot(here.x - place.x, here.y - place.y) > 0.1 and not stage.is_free(actor, time, place):
        return None
    return stage.go(actor, time, place)


def go_home(stage: Rehearsal, actor: Actor, time: float) -> float | None:
    return go_to(stage, actor, time, actor.home)


def _mask_break(actor: Actor, start: float, end: float) -> None:
    if end - start < 5:
        return
    down = adjust_mask(actor.score, actor.rng, start, MaskState.PULLED_DOWN)
    back = min(down + float(actor.rng.uniform(2, 8)), end - 2)
    adjust_mask(actor.score, actor.rng, back, MaskState.WORN)
