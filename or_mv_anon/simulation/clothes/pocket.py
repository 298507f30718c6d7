"""What is on the chest of a scrub top: a breast pocket and, clipped to it, a badge."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.clothes.cloth import Cloth
from or_mv_anon.simulation.clothes.figure import Figure
from or_mv_anon.simulation.clothes.sewing import weights_near

_HALF_WIDTH, _HEIGHT = 0.058, 0.12  # metres on an average figure
_BADGE = np.array([0.022, 0.0, 0.034])  # half width, thickness, half height


def breast_pocket(figure: Figure, top: Cloth) -> Cloth:
    """A pocket on the left of the chest, cut from the top's own shape."""
    x, y, z = top.vertices.T
    middle, low, scale = 0.085 * figure.scale, _pocket_floor(figure), figure.scale
    sides = _HALF_WIDTH * scale - np.abs(x - middle)
    ends = np.minimum(z - low, low + _HEIGHT * scale - z)
    front = figure.joint("spine03")[1] - y
    return top.cut(np.minimum(np.minimum(sides, ends), front)).offset(0.004)


def badge(figure: Figure, top: Cloth) -> Cloth:
    """A card that hangs from the pocket's edge."""
    pocket = np.array([0.085 * figure.scale, -1.0, _pocket_floor(figure) + 0.7 * _HEIGHT * figure.scale])
    nearest = np.argmin(np.linalg.norm((top.vertices - pocket) * (1, 0.05, 1), axis=1))
    centre = top.vertices[nearest] + np.array([0, -0.018, 0])
    corners = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) * _BADGE
    front = centre + corners
    points = np.concatenate([front, front + np.array([0, 0.004, 0])])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [5, 4, 7], [5, 7, 6]])
    return Cloth(points, triangles, weights_near(np.tile(centre, (8, 1)), top, neighbours=6))


def _pocket_floor(figure: Figure) -> float:
    return float(figure.joint("upperarm01.L")[2] - 0.19 * figure.scale)
