"""Gloves: sterile ones pulled over the cuffs of a gown, and short ones for examinations."""

from __future__ import annotations

from or_mv_anon.simulation.clothes.cloth import Cloth
from or_mv_anon.simulation.clothes.figure import Field, Figure, inside
from or_mv_anon.simulation.clothes.sewing import hemmed, ramp

SURGICAL_CUFF, EXAMINATION_CUFF = 1.84, 1.97  # places along the arm, 2 is the wrist


def gloves_outline(figure: Figure, cuff: float) -> Field:
    """Where gloves are: the hands, and the arms from the cuff on."""
    return figure.beyond_arm(cuff)


def gloves(figure: Figure, cuff: float) -> Cloth:
    """Both gloves; long ones stand off at the wrist, where a sleeve's end is inside."""
    skin = figure.group("body")
    cloth = skin.cut(inside(gloves_outline(figure, cuff), skin))
    along = figure.along_arm(cloth.vertices, cloth.weights)
    over_sleeve = 0.016 if cuff < EXAMINATION_CUFF else 0.006
    distance = 0.0015 + over_sleeve * ramp(along, 2.12, 1.94)
    return hemmed(cloth.offset(cloth.evened(distance * figure.scale, 1)), thickness=0.002, depth=0.006)
