"""What is worn on the feet: theatre clogs with their soles, socks, and disposable overshoes."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.clothes.cloth import Cloth
from or_mv_anon.simulation.clothes.figure import Field, Figure, inside, meet
from or_mv_anon.simulation.clothes.folds import folds
from or_mv_anon.simulation.clothes.sewing import hemmed, ramp

_SOLE = 0.026  # metres, height of its upper edge


def feet_outline(figure: Figure) -> Field:
    """Where shoes and socks hide the skin: the feet and the ankles."""
    return figure.below(float(figure.joint("foot.L")[2]) + 0.1 * figure.scale)


def clogs(figure: Figure) -> tuple[Cloth, Cloth]:
    """The uppers of both clogs, and their soles."""
    scale = figure.scale
    tights = figure.tights
    foot = tights.cut(inside(figure.below(_rim(figure)), tights)).smoothed(2)
    upper = _standing(foot.offset(0.011 * scale), 0.008)
    ledge = tights.cut(inside(figure.below(_SOLE * scale + 0.012), tights)).smoothed(2).offset(0.015 * scale)
    heights = np.clip(ledge.vertices[:, 2], 0.0, _SOLE * scale)
    return hemmed(upper, thickness=0.004), ledge.moved(np.column_stack([ledge.vertices[:, :2], heights]))


def socks(figure: Figure) -> Cloth:
    """Socks from inside the clogs to the shin."""
    tights = figure.tights
    band = meet(figure.below(_rim(figure) + 0.14 * figure.scale), figure.above(_rim(figure) - 0.02))
    return tights.cut(inside(band, tights)).offset(0.002)


def overshoes(figure: Figure, rng: np.random.Generator) -> Cloth:
    """Thin plastic bags over the shoes, gathered at the ankles."""
    scale = figure.scale
    fine = figure.fine_tights
    top = _rim(figure) + 0.05 * scale
    bag = fine.cut(inside(figure.below(top), fine)).smoothed(8)
    wide = 0.02 * (1 - 0.6 * ramp(bag.vertices[:, 2], top - 0.05, top))
    crumpled = folds(bag.vertices / scale, rng, along=(0, 0.4, 1), spacing=0.03, length=0.08, sharpness=1.5)
    return hemmed(_standing(bag.offset((wide + 0.006 * crumpled) * scale), 0.0), depth=0.01)


def _rim(figure: Figure) -> float:
    """Height of the edge of a shoe, metres."""
    return float(figure.joint("foot.L")[2]) - 0.015 * figure.scale


def _standing(cloth: Cloth, floor: float) -> Cloth:
    """Nothing below a height: a sole is flat."""
    return cloth.moved(np.column_stack([cloth.vertices[:, :2], np.maximum(cloth.vertices[:, 2], floor)]))
