"""Places on the head, named once on the average head and carried to every other head by base-mesh vertices.

Head coordinates: metres, x to the person's left, f forward, u up, origin midway between the ears of the average adult.
A place is found there by a ray from within and kept as weights over base-mesh vertices, so that it lies on the same
spot of anybody's skin and is moved by the same bones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import Delaunay

from or_mv_anon.simulation.bodies.base_mesh import base_groups, in_socket
from or_mv_anon.simulation.bodies.body import Body, average_vertices, make_body

# On the average head, in head coordinates (x, f, u); x is mirrored for the right side.
EYE = np.array([0.0313, 0.0755, 0.0190])
BROW_LEVEL = 0.043
NOSE_TIP = np.array([0.0, 0.120, -0.021])
MOUTH = np.array([0.0, 0.104, -0.0545])
CHIN_LEVEL = -0.100
EAR_TOP = np.array([0.083, -0.012, 0.030])


@dataclass(frozen=True, eq=False)
class AverageHead:
    """The average adult's head.

    Attributes:
        points: float64 (V, 3), all base-mesh vertices in head coordinates.
        solid: int32 (T, 3), triangles that rays may hit: the skin of head and neck, ears cut off, without eye sockets.
        ears: bool (V,), vertices of the ears.
        origin: (3,) the head coordinates' origin in the body frame.
    """

    points: NDArray[np.float64]
    solid: NDArray[np.int32]
    ears: NDArray[np.bool_]
    origin: NDArray[np.float64]


@lru_cache(maxsize=1)
def average_head() -> AverageHead:
    """The head on which places are named."""
    body = make_body({})
    vertices = average_vertices().astype(np.float64)
    origin = np.asarray(body.keypoints @ vertices)[3:5].mean(0)
    moved = vertices - origin
    points = np.column_stack([moved[:, 0], -moved[:, 1], moved[:, 2]])
    ears = np.zeros(len(points), bool)
    ears[body.head] = _is_ear(points[body.head])
    triangles = base_groups()["skin"].triangles
    centre = points[triangles].mean(1)
    socket = in_socket(base_groups()["skin"].corner_uv)
    near = (np.linalg.norm(centre, axis=1) < 0.22) & ~ears[triangles].any(1) & ~socket
    solid = triangles[near]
    return AverageHead(points, np.concatenate([solid, *_ear_patches(points, solid)]), ears, origin)


def _ear_patches(points: NDArray[np.float64], solid: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    """Triangles that close the holes where the ears were, left and right."""
    edges = np.sort(np.concatenate([solid[:, [0, 1]], solid[:, [1, 2]], solid[:, [2, 0]]]), axis=1)
    edge, count = np.unique(edges, axis=0, return_counts=True)
    rim = np.unique(edge[count == 1])
    beside = rim[(np.abs(points[rim, 0]) > 0.05) & (np.linalg.norm(points[rim], axis=1) < 0.1)]
    patches = []
    for side in (-1, 1):
        loop = beside[points[beside, 0] * side > 0]
        patches.append(loop[Delaunay(points[loop, 1:]).simplices].astype(np.int32))
    return patches


def _is_ear(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether head points (N, 3) belong to an ear, which stands off the side of the skull."""
    x, f, u = points.T
    return (np.abs(x) > 0.0745) & (f > -0.045) & (f < 0.022) & (u < 0.036) & (u > -0.036)


def to_head(body_points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Head coordinates (N, 3) of body-frame points (N, 3) of the average adult."""
    moved = np.asarray(body_points, np.float64) - average_head().origin
    return np.column_stack([moved[:, 0], -moved[:, 1], moved[:, 2]])


def directions(azimuth: NDArray[np.float64], elevation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors (..., 3) in head coordinates; azimuth from forward towards the left ear, radians."""
    flat = np.cos(elevation)
    return np.stack([np.sin(azimuth) * flat, np.cos(azimuth) * flat, np.sin(elevation)], axis=-1)


def cast(origin: NDArray[np.float64], rays: NDArray[np.float64]) -> sparse.csr_matrix:
    """Where rays from within the average head leave its skin.

    Args:
        origin: (3,) head coordinates of a point inside the head.
        rays: (N, 3) directions in head coordinates.

    Returns:
        Weights (N, V) over base-mesh vertices: times anybody's vertices they give the place on that skin, times
        the skinning weights those of that place. A ray that meets nothing takes the nearest place.
    """
    head = average_head()
    corner = head.points[head.solid]
    edge1, edge2 = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    offset = origin - corner[:, 0]
    cross = np.cross(offset, edge1)
    rows: list[NDArray[np.int32]] = []
    shares: list[NDArray[np.float64]] = []
    for ray in np.asarray(rays, np.float64):
        # Möller and Trumbore, Fast, Minimum Storage Ray/Triangle Intersection, 1997
        p = np.cross(ray, edge2)
        determinant = np.einsum("ij,ij->i", edge1, p)
        inverse = 1 / np.where(np.abs(determinant) < 1e-14, 1e-14, determinant)
        a = np.einsum("ij,ij->i", offset, p) * inverse
        b = cross @ ray * inverse
        distance = np.einsum("ij,ij->i", edge2, cross) * inverse
        hit = (a >= -1e-6) & (b >= -1e-6) & (a + b <= 1 + 1e-6) & (distance > 0)
        if hit.any():
            best = int(np.argmax(np.where(hit, distance, -1)))
            share = np.array([1 - a[best] - b[best], a[best], b[best]])
        else:
            middle = corner.mean(1) - origin
            best = int(np.argmax(middle @ ray / np.linalg.norm(middle, axis=1)))
            share = np.full(3, 1 / 3)
        rows.append(head.solid[best])
        shares.append(share)
    index = np.repeat(np.arange(len(rows)), 3)
    table = (np.concatenate(shares), (index, np.concatenate(rows)))
    return sparse.csr_matrix(table, shape=(len(rows), len(head.points)))


def carried(body: Body, places: sparse.csr_matrix) -> tuple[NDArray[np.float64], sparse.csr_matrix]:
    """Points (N, 3) of places on somebody's skin, in the body frame, and their skinning weights (N, B)."""
    points = np.asarray(places @ body.vertices.astype(np.float64))
    return points, sparse.csr_matrix(places @ body.weights, dtype=np.float32)


def rigid_with_head(body: Body, count: int) -> sparse.csr_matrix:
    """Skinning weights (count, B) of something that the skull alone carries."""
    bone = body.labels.index("head")
    table = (np.ones(count, np.float32), (np.arange(count), np.full(count, bone)))
    return sparse.csr_matrix(table, shape=(count, len(body.labels)))


def inner_point(body: Body, point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where a head coordinate (3,) inside the head lies in somebody's head, in the body frame.

    The head's own size is allowed for by its extents from the root of the nose to the back and from ear to ear.
    """
    head = average_head()
    here, there = body.vertices[body.head], head.points[body.head]
    ear_places = body.keypoints[3:5] @ body.vertices
    scale = np.ptp(here, axis=0) / np.ptp(there, axis=0)
    return np.asarray(ear_places.mean(0) + np.array([point[0], -point[1], point[2]]) * scale)
