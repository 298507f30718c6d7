"""Scrubs: the loose top with a V-neck and short sleeves, the straight trousers, and the warm-up jacket over them."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.clothes.cloth import Cloth, Points
from or_mv_anon.simulation.clothes.envelope import Envelope
from or_mv_anon.simulation.clothes.figure import Field, Figure, inside, meet
from or_mv_anon.simulation.clothes.folds import folds
from or_mv_anon.simulation.clothes.sewing import hemmed, hung, open_loops, ramp, with_skirt
from or_mv_anon.simulation.clothes.tops import Neckline, TopCut

SCRUB_TOP = TopCut(Neckline(front=-0.1, back=0.018, side=0.075, slope=1.5), sleeve=0.72, hem=-0.05)
WARM_UP_JACKET = TopCut(
    Neckline(front=-0.05, back=0.03, side=0.07, slope=1.0), sleeve=1.88, hem=-0.08, ease=0.022, room=0.034, cuff=0.008
)


_INSTEP = 0.075  # metres in front of the ankle until where trousers lie on the shoe
_HEM_BEHIND, _HEM_IN_FRONT = 0.03, 0.06  # metres above the floor: trousers rest on the shoe


def trousers_outline(figure: Figure) -> Field:
    """Where trousers are: from the waist to the ankles."""
    waist = figure.joint("upperleg01.L")[2] + 0.09 * figure.scale
    return meet(figure.below(waist), figure.above(_ankle(figure)))


def trousers(figure: Figure, rng: np.random.Generator, *, waist: float, ease: float = 0.016) -> Cloth:
    """Straight, loose trousers that break over the shoes.

    Args:
        figure: who wears them.
        rng: for their folds.
        waist: height in metres below which they are sewn, when something hides what is above.
        ease: how far they stand off the legs, metres.
    """
    scale = figure.scale
    fine = figure.fine_tights
    ankle = _ankle(figure)
    cloth = fine.cut(inside(meet(trousers_outline(figure), figure.below(waist)), fine)).smoothed(5)
    low = ramp(cloth.vertices[:, 2], figure.crotch + 0.05, ankle)
    cloth = cloth.offset((0.009 + 0.006 * low) * scale)
    for side, sign in ((".L", 1), (".R", -1)):
        envelope = _leg_envelope(figure, side, ease)
        leg = np.sign(cloth.vertices[:, 0]) == sign
        cloth = hung(cloth, envelope, leg * ramp(cloth.vertices[:, 2], figure.crotch, figure.crotch - 0.2 * scale))
        loop = min(
            (edge for edge in open_loops(cloth.triangles) if np.sign(cloth.vertices[edge, 0].mean()) == sign),
            key=lambda edge: float(cloth.vertices[edge, 2].mean()),
        )
        forward = np.sin(envelope.polar(cloth.vertices[loop])[0])
        hem = _HEM_BEHIND + (_HEM_IN_FRONT - _HEM_BEHIND) * ramp(forward, 0.5, -0.8)
        cloth = with_skirt(cloth, envelope, cloth, loop=loop, hem=hem * scale, rows=4, smoothing=2)
    relief = _relief(figure, cloth, ankle - 0.05, rng) * min(1.0, ease / 0.016)
    return hemmed(cloth.offset(relief * scale))


def _ankle(figure: Figure) -> float:
    return float(figure.joint("foot.L")[2] + 0.03 * figure.scale)


def _leg_envelope(figure: Figure, side: str, ease: float) -> Envelope:
    """A straight tube round one leg, as wide as the thigh allows, that breaks over the instep."""
    hip, foot = figure.joint(f"upperleg02{side}"), figure.joint(f"foot{side}")
    low = 0.05 * figure.scale
    at_floor, at_crotch = (
        foot[:2] + (height - foot[2]) / (hip[2] - foot[2]) * (hip[:2] - foot[:2]) for height in (low, figure.crotch)
    )
    points = figure.tights.vertices[np.sign(figure.tights.vertices[:, 0]) == np.sign(foot[0])]
    leg = points[points[:, 2] > foot[2]]
    shoe = points[(points[:, 2] < foot[2]) & (points[:, 1] > foot[1] - _INSTEP)]
    around = np.concatenate([leg, foot + 1.2 * (shoe - foot)])
    envelope = Envelope.around(around, low, figure.crotch, at_floor, at_crotch)
    return envelope.falling(drop=0.05).eased(ease * figure.scale)


def _relief(figure: Figure, cloth: Cloth, ankle: float, rng: np.random.Generator) -> Points:
    """Metres (V,) by which folds lift the cloth: along the leg, behind the knee, in rings where the trousers break."""
    points = cloth.vertices / figure.scale
    height = points[:, 2]
    knee, crotch = figure.joint("lowerleg01.L")[2] / figure.scale, figure.crotch / figure.scale
    foot = ankle / figure.scale
    down = folds(points, rng, along=(0.05, 0.05, 1), spacing=0.05, length=0.45, sharpness=1.5)
    rings = folds(points, rng, along=(1, 1, 0.25), spacing=0.04, length=0.12, sharpness=1.6)
    soft = folds(points, rng, along=(0.4, 0.2, 1), spacing=0.11, length=0.2)
    at_knee = np.exp(-(((height - knee) / 0.09) ** 2))
    at_foot = ramp(height, foot + 0.2, foot + 0.06) * ramp(height, foot - 0.02, foot + 0.04)
    at_crotch = np.exp(-(((height - crotch) / 0.08) ** 2))
    below = ramp(height, crotch + 0.08, knee)
    strength = 0.002 + 0.005 * at_knee + 0.008 * at_foot + 0.004 * at_crotch
    return np.asarray(0.009 * below * down + 0.005 * soft + rings * strength)
