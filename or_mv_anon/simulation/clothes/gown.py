"""Gowns: the surgeon's, wrapped and belted with knitted cuffs, and the patient's; and the lead apron under X-rays."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.clothes.cloth import Cloth
from or_mv_anon.simulation.clothes.figure import Figure, inside, meet
from or_mv_anon.simulation.clothes.sewing import hemmed, rows_of_triangles, weights_near
from or_mv_anon.simulation.clothes.tops import Neckline, TopCut, trunk_envelope, waist_height

SURGICAL_GOWN = TopCut(
    Neckline(front=0.0, back=0.035, side=0.06, slope=0.3),
    sleeve=1.86,
    hem=-0.5,
    ease=0.02,
    room=0.045,
    cuff=0.008,
    flare=0.08,
    rows=18,
    waist=0.95,
    pleats=0.012,
)
PATIENT_GOWN = TopCut(
    Neckline(front=-0.055, back=0.03, side=0.085, slope=0.5),
    sleeve=0.85,
    hem=-0.36,
    ease=0.022,
    room=0.034,
    cuff=0.03,
    rows=12,
)
LEAD_APRON = TopCut(
    Neckline(front=-0.06, back=0.02, side=0.075, slope=0.5),
    sleeve=0.1,
    hem=-0.34,
    ease=0.034,
    lie=0.02,
    room=0.034,
    rows=12,
    pleats=0.003,
)
_CUFF_FROM, _CUFF_TO = 1.78, 1.92
_BELT_STEPS = 48


def knitted_cuffs(figure: Figure) -> Cloth:
    """The tight, ribbed ends of a gown's sleeves."""
    fine = figure.fine_tights
    band = meet(figure.beyond_arm(_CUFF_FROM), figure.until_arm(_CUFF_TO))
    return hemmed(fine.cut(inside(band, fine)).offset(0.005 * figure.scale), depth=0.005)


def belt(figure: Figure, cut: TopCut, under: Cloth) -> Cloth:
    """A band of cloth round the waist of a top."""
    envelope = trunk_envelope(figure, cut)
    angles = -np.arange(_BELT_STEPS) * 2 * np.pi / _BELT_STEPS
    height = waist_height(figure) + 0.006 * np.sin(3 * angles)
    rings = []
    for offset, lift in ((0.021, 0.002), (0.018, 0.011), (-0.018, 0.011), (-0.021, 0.002)):
        heights = height + offset * figure.scale
        rings.append(envelope.place(angles, heights, envelope.radius(angles, heights) + lift))
    points = np.concatenate(rings)
    triangles = rows_of_triangles(np.arange(len(points)).reshape(len(rings), -1))
    return Cloth(points, triangles, weights_near(points, under, neighbours=8))
