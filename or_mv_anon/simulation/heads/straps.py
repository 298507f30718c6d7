"""What holds a face mask: elastic loops around the ears, or ties around the back of head and neck."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.interpolate import PchipInterpolator

from or_mv_anon.simulation.bodies.body import Body
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.surfaces import tube, vertex_normals
from or_mv_anon.simulation.heads.head_frame import carried, cast, directions, inner_point
from or_mv_anon.simulation.scene import MaskState, Material, Mesh, Surface

_CENTRE = np.array([0.0, -0.005, 0.0])
_STEPS = 15
_ELASTIC = Material((0.8, 0.8, 0.8), roughness=0.9, specular=0.1)


def strap_part(
    name: str,
    body: Body,
    corners: NDArray[np.float64],
    starts: NDArray[np.float64],
    fastening: str,
    shown: frozenset[MaskState],
) -> Part:
    """The straps of a mask.

    Args:
        name: of the part.
        body: who wears the mask.
        corners: (4, 3) where straps are welded on: lower and upper right, lower and upper left; body frame.
        starts: (4, 3) about the same places on the average head, in head coordinates.
        fastening: 'loops' or 'ties'.
        shown: mask states in which they are to be seen.
    """
    centre = inner_point(body, _CENTRE)
    vertices, triangles, weights = [], [], []
    count = 0
    for corner, start, upper in zip(corners, starts, (False, True, False, True), strict=True):
        points, carry = carried(body, _places(fastening, upper, tuple(np.round(start, 4))))
        outward = points - centre
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        along = np.linspace(0, 1, len(points))[:, None]
        path = points + outward * (0.0015 + 0.002 * along**2)
        path = path + (corner - path[0]) * np.clip(1 - along / 0.25, 0, 1)
        path[1:-1] = (path[:-2] + 2 * path[1:-1] + path[2:]) / 4
        width = 0.003 if fastening == "loops" else 0.008
        mesh_points, faces, source = tube(path, width=width, height=0.0015, outward=outward, sides=4)
        vertices.append(mesh_points)
        triangles.append(faces + count)
        weights.append(carry[source])
        count += len(mesh_points)
    points32 = np.concatenate(vertices).astype(np.float32)
    faces32 = np.concatenate(triangles).astype(np.int32)
    mesh = Mesh(points32, faces32, _ELASTIC, vertex_normals(points32, faces32), surface=Surface.HEAD, moves=True)
    return Part(name, mesh, sparse.vstack(weights).tocsr(), shown)


# Azimuth and elevation in degrees, seen from the middle of the head, of places a strap passes behind the cheek.
_LOOP_UPPER = [(80, 14), (92, 27), (103, 24), (112, 8)]
_LOOP_LOWER = [(80, -30), (96, -29), (107, -17), (113, -2)]
_TIE_UPPER = [(80, 14), (110, 30), (145, 36), (181, 38)]
_TIE_LOWER = [(80, -33), (110, -35), (145, -34), (181, -33)]


@lru_cache(maxsize=32)
def _places(fastening: str, upper: bool, start: tuple[float, ...]) -> sparse.csr_matrix:
    """Places on the skin along a strap, from its corner of the mask on."""
    away = np.array(start) - _CENTRE
    side = 1.0 if away[0] > 0 else -1.0
    first = (np.degrees(np.arctan2(abs(away[0]), away[1])), np.degrees(np.arctan2(away[2], np.hypot(*away[:2]))))
    if fastening == "loops":
        knots = [first, *(_LOOP_UPPER if upper else _LOOP_LOWER)]
    else:
        knots = [first, *(_TIE_UPPER if upper else _TIE_LOWER)]
    angles = PchipInterpolator(np.linspace(0, 1, len(knots)), np.radians(knots))(np.linspace(0, 1, _STEPS))
    return cast(_CENTRE, directions(angles[:, 0] * side, angles[:, 1]))
