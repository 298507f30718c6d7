"""What hands, eyes and trunk do for a while: the vocabulary from which roles make their parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.rotations import facing
from or_mv_anon.simulation.motion.score import LEFT, RIGHT, Score
from or_mv_anon.simulation.scene import MaskState

Array = NDArray[np.float64]
OUTWARD = {LEFT: 1.0, RIGHT: -1.0}


def above(point: NDArray[Any], metres: float) -> Array:
    """The point (3,) so far above another."""
    return np.asarray(point + np.array([0.0, 0.0, metres]))


def work(
    score: Score,
    rng: np.random.Generator,
    start: float,
    end: float,
    *,
    centre: Array,
    apart: float = 0.08,
    spread: float = 0.035,
    pace: tuple[float, float] = (0.4, 1.4),
    sides: Sequence[int] = (LEFT, RIGHT),
    pronation: float = 0.7,
    grip: float = 0.8,
    elbow: float = 0.35,
) -> None:
    """Hands busy around a point of the world, (3,), each on its side of it, moving a little all the time."""
    left = facing(score.placement(start).heading) @ np.array([1.0, 0.0, 0.0])
    for side in sides:
        time = start
        while time < end:
            until = min(time + float(rng.uniform(*pace)), end)
            point = centre + OUTWARD[side] * apart * left + rng.normal(0, spread, 3) * [1, 1, 0.6]
            score.hand(side, time, until, point, world=True, pronation=pronation, grip=grip, elbow=elbow)
            time = until


def look_around(
    score: Score, rng: np.random.Generator, start: float, end: float, targets: Sequence[tuple[Array, float]]
) -> None:
    """Look at one target after another: points (3,) of the world, each with about how long in seconds."""
    time = start
    while time < end:
        point, seconds = targets[int(rng.integers(len(targets)))]
        until = min(time + seconds * float(rng.uniform(0.6, 1.6)), end)
        score.look(time, until, point + rng.normal(0, 0.03, 3))
        time = until


def glance(score: Score, rng: np.random.Generator, start: float, end: float, point: Array) -> None:
    """One or two seconds at a point somewhere in between."""
    length = float(rng.uniform(0.9, 2.0))
    if end - start > length + 1:
        time = float(rng.uniform(start, end - length))
        score.look(time, time + length, point)


def rest_hands(score: Score, rng: np.random.Generator, start: float, end: float, *, sterile: bool) -> None:
    """What hands do that have nothing to do: sterile ones stay high in front, others hang, cross, meet or hide."""
    high = score.build.shoulder_height
    styles = ("clasped", "raised") if sterile else ("hang", "hang", "clasped", "crossed", "behind", "hips")
    style = styles[int(rng.integers(len(styles)))]
    if style == "hang":
        return
    for side, outward in OUTWARD.items():
        local, pronation, elbow = {
            "clasped": ([outward * 0.06, -0.27, 0.78 * high], 0.5, 0.3),
            "raised": ([outward * 0.13, -0.3, 0.86 * high], 0.3, 0.2),
            "crossed": ([-outward * 0.09, -0.21 - 0.03 * side, 0.83 * high], 0.9, 0.6),
            "behind": ([outward * 0.05, 0.17, 0.66 * high], -0.6, 0.8),
            "hips": ([outward * 0.21, -0.02, 0.73 * high], 1.2, 1.2),
        }[style]
        score.hand(side, start, end, np.array(local), world=False, pronation=pronation, elbow=elbow)


def touch(score: Score, side: int, start: float, end: float, point: Array, *, grip: float = 0.7) -> None:
    """One hand at a point of the world, with the eyes on it."""
    score.hand(side, start, end, point, world=True, pronation=0.7, grip=grip)
    score.look(start - 0.3, end, point)


def near_side(score: Score, time: float, point: Array) -> int:
    """The hand that is nearer to a point of the world."""
    here = score.placement(time)
    offset = np.array([point[0] - here.x, point[1] - here.y, 0.0])
    return LEFT if float((facing(here.heading).T @ offset)[0]) > 0 else RIGHT


def bend_down(score: Score, rng: np.random.Generator, start: float, end: float, *, height: float) -> None:
    """Reach with both hands for something low in front, `height` metres above the floor."""
    depth = max(0.6 - height, 0.0) / 0.6
    score.act(start, end, "bend")
    score.bend(start, end, lean=0.25 + 0.65 * depth, drop=0.08 + 0.2 * depth)
    for side, outward in OUTWARD.items():
        point = score.to_world(start, np.array([outward * 0.13, -0.48, height]))
        score.hand(side, start, end, point + rng.normal(0, 0.02, 3), world=True, pronation=0.3, grip=0.5)
    score.look(start, end, score.to_world(start, np.array([0.0, -0.5, height])))


def adjust_mask(score: Score, rng: np.random.Generator, start: float, becomes: MaskState) -> float:
    """Raise a hand to the mask and pull it to another state; returns when the hand is down again, seconds."""
    end = start + float(rng.uniform(1.3, 1.9))
    side = int(rng.integers(2))
    chin = np.array([OUTWARD[side] * 0.04, -0.2, score.build.eye_height - 0.12])
    score.hand(side, start, end, chin, world=False, pronation=0.2, grip=0.7, elbow=0.5)
    score.act(start, end, "adjust_mask")
    score.wear((start + end) / 2 + 0.1, becomes)
    return end
