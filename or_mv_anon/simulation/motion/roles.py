"""Roles: how often people of each do what, and what somebody does next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from or_mv_anon.simulation.motion.rehearsal import Actor, Rehearsal
from or_mv_anon.simulation.motion.scenes_around import care, fetch, monitor, sit, tend_device, tie, write
from or_mv_anon.simulation.motion.scenes_at_table import operate, prepare, rest_at_table, step_back
from or_mv_anon.simulation.motion.scenes_watching import STERILE, come_back, go_out, look_over_shoulder, wait, watch

__all__ = ["STERILE", "next_scene"]

Scene = Callable[[Rehearsal, Actor, float], float | None]  # None: it cannot be done now
SURGICAL = ((operate, 8.0), (step_back, 1.2), (rest_at_table, 1.0))
ONLOOKER: tuple[tuple[Scene, float], ...] = ((watch, 3.0), (look_over_shoulder, 4.0), (go_out, 1.0))
SCENES: dict[str, tuple[tuple[Scene, float], ...]] = {
    "surgeon": SURGICAL,
    "assistant": SURGICAL,
    "second_assistant": ((operate, 5.0), (step_back, 1.0), (rest_at_table, 2.0), (go_out, 0.3)),
    "scrub_nurse": ((prepare, 8.0), (rest_at_table, 1.0), (step_back, 0.7)),
    "anaesthetist": ((monitor, 3.0), (care, 4.0), (sit, 1.5), (watch, 2.0), (go_out, 0.5)),
    "circulating_nurse": ((fetch, 4.0), (write, 2.5), (tie, 1.5), (watch, 1.5), (go_out, 2.0)),
    "technician": ((tend_device, 4.0), (watch, 2.0), (look_over_shoulder, 1.0), (go_out, 1.0)),
}


def next_scene(stage: Rehearsal, actor: Actor, time: float) -> float:
    """Give an actor something to do from `time` on; returns when they are free again, seconds."""
    if not actor.score.present[actor.score.tick(time)]:
        return come_back(stage, actor, time)
    if actor.errand is not None:
        return actor.errand(stage, actor, time)
    scenes = SCENES.get(actor.role, ONLOOKER)
    weights = np.array([weight for _, weight in scenes])
    for number in actor.rng.choice(len(scenes), size=len(scenes), replace=False, p=weights / weights.sum()):
        done = scenes[int(number)][0](stage, actor, time)
        if done is not None:
            return done
    return wait(stage, actor, time)
