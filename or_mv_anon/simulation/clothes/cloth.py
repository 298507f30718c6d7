"""Sheets of cloth: triangles that keep their skinning weights through subdividing, cutting and smoothing.

Every operation is linear in the vertices, so the same sparse matrix carries positions and weights: what is cut or
refined still moves with the body that it was taken from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.surfaces import vertex_normals

Points = NDArray[np.float64]
Triangles = NDArray[np.int64]

# A crossing nearer to a vertex than this share of its edge takes the vertex along, so that cutting leaves no slivers.
_SNAP = 0.2


@dataclass(frozen=True, eq=False)
class Cloth:
    """Triangles in the rest pose, with what each vertex is skinned to.

    Attributes:
        vertices: (V, 3) metres, body frame.
        triangles: (T, 3), counter-clockwise seen from outside.
        weights: scipy CSR (V, B), rows sum to 1.
    """

    vertices: Points
    triangles: Triangles
    weights: Any

    @staticmethod
    def taken(vertices: NDArray[Any], triangles: NDArray[Any], weights: Any) -> Cloth:
        """The part of a body that some of its triangles use, renumbered."""
        used, inverse = np.unique(triangles, return_inverse=True)
        return Cloth(
            np.asarray(vertices[used], np.float64), inverse.reshape(-1, 3).astype(np.int64), weights.tocsr()[used]
        )

    def moved(self, vertices: Points) -> Cloth:
        """The same cloth with other vertex positions."""
        return replace(self, vertices=vertices)

    def carried(self, matrix: Any, triangles: NDArray[Any]) -> Cloth:
        """New vertices as combinations of the old ones: `matrix` (V', V) applied to positions and weights."""
        return Cloth(matrix @ self.vertices, triangles.astype(np.int64), (matrix @ self.weights).tocsr())

    def normals(self) -> Points:
        """Unit vertex normals (V, 3), weighted by triangle area."""
        return vertex_normals(self.vertices, self.triangles).astype(np.float64)

    def offset(self, distance: float | NDArray[Any]) -> Cloth:
        """Moved along the normals by metres, one number or (V,)."""
        return self.moved(self.vertices + self.normals() * np.reshape(distance, (-1, 1)))

    def subdivided(self) -> Cloth:
        """Every triangle in four, by Loop's rules (C. Loop, Smooth Subdivision Surfaces Based on Triangles, 1987)."""
        matrix, triangles = _loop_subdivision(len(self.vertices), self.triangles)
        return self.carried(matrix, triangles)

    def cut(self, field: NDArray[Any]) -> Cloth:
        """What lies where `field` (V,) is positive, cut along the line where it is zero, through the triangles."""
        matrix, triangles = _split(len(self.vertices), self.triangles, np.asarray(field, np.float64))
        return self.carried(matrix, triangles)

    def smoothed(self, times: int, amount: float | NDArray[Any] = 0.5) -> Cloth:
        """Moved towards the mean of the neighbours; an edge is smoothed along itself only, so hems stay where they are.

        `amount` is one number or (V,), 0 to 1 a time.
        """
        average = neighbour_average(len(self.vertices), self.triangles)
        share = np.reshape(amount, (-1, 1))
        vertices = self.vertices
        for _ in range(times):
            vertices = vertices + share * (average @ vertices - vertices)
        return self.moved(vertices)

    def evened(self, values: NDArray[Any], times: int) -> Points:
        """Values (V,) averaged so many times with their neighbours'."""
        average = neighbour_average(len(self.vertices), self.triangles)
        for _ in range(times):
            values = 0.5 * values + 0.5 * (average @ values)
        return np.asarray(values)

    def with_smooth_weights(self, times: int) -> Cloth:
        """Skinning weights averaged with the neighbours', so that cloth bends over a joint in a wider curve."""
        average = neighbour_average(len(self.vertices), self.triangles)
        weights = self.weights
        for _ in range(times):
            weights = 0.5 * weights + 0.5 * (average @ weights)
        return replace(self, weights=few_weights(weights))

    def joined(self, other: Cloth) -> Cloth:
        """Both as one sheet; vertices are not merged."""
        return Cloth(
            np.concatenate([self.vertices, other.vertices]),
            np.concatenate([self.triangles, other.triangles + len(self.vertices)]),
            sparse.vstack([self.weights, other.weights]).tocsr(),
        )


def few_weights(weights: Any, smallest: float = 0.02) -> Any:
    """Weights without those that hardly pull, rows summing to 1 again: fewer numbers to multiply for every picture."""
    kept = weights.tocsr().copy()
    kept.data[kept.data < smallest] = 0
    kept.eliminate_zeros()
    totals = np.asarray(kept.sum(axis=1)).ravel()
    return (sparse.diags(1 / np.maximum(totals, 1e-9)) @ kept).tocsr().astype(np.float32)


def edges_of(triangles: NDArray[Any]) -> tuple[Triangles, Triangles, Triangles]:
    """Each edge once: (E, 2) sorted vertex numbers, (T, 3) the edges of each triangle (ab, bc, ca), (E,) their uses."""
    sides = np.sort(np.asarray(triangles, np.int64)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    count = int(sides.max(initial=0)) + 1
    keys, inverse, uses = np.unique(sides[:, 0] * count + sides[:, 1], return_inverse=True, return_counts=True)
    edges = np.stack([keys // count, keys % count], axis=1)
    return edges, inverse.reshape(-1, 3).astype(np.int64), uses.astype(np.int64)


def neighbour_average(count: int, triangles: NDArray[Any]) -> Any:
    """(V, V) CSR mean over a vertex's neighbours; for vertices of an open edge, over their neighbours on that edge."""
    edges, _, uses = edges_of(triangles)
    on_edge = np.zeros(count, bool)
    on_edge[edges[uses == 1]] = True
    both = np.concatenate([edges, edges[:, ::-1]])
    open_edge = np.concatenate([uses, uses]) == 1
    both = both[~on_edge[both[:, 0]] | open_edge]
    links = sparse.csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count))
    alone = np.asarray(links.sum(axis=1)).ravel() == 0
    links = links + sparse.diags(alone.astype(float))
    return (sparse.diags(1 / np.asarray(links.sum(axis=1)).ravel()) @ links).tocsr()


def _loop_subdivision(count: int, triangles: Triangles) -> tuple[Any, Triangles]:
    edges, sides, uses = edges_of(triangles)
    inner = uses > 1
    opposite = triangles[:, [2, 0, 1]]  # the corner across from ab, bc, ca
    rows = np.concatenate([np.arange(len(edges)), np.arange(len(edges)), sides[inner[sides]]])
    columns = np.concatenate([edges[:, 0], edges[:, 1], opposite[inner[sides]]])
    near = np.where(inner, 3 / 8, 1 / 2)
    values = np.concatenate([near, near, np.full(inner[sides].sum(), 1 / 8)])
    on_edges = sparse.csr_matrix((values, (rows, columns)), shape=(len(edges), count))
    average = neighbour_average(count, triangles)
    valence = np.bincount(edges.ravel(), minlength=count)
    on_border = np.zeros(count, bool)
    on_border[edges[~inner]] = True
    pull = np.where(on_border, 1 / 4, 5 / 8 - (3 / 8 + np.cos(2 * np.pi / np.maximum(valence, 3)) / 4) ** 2)
    on_vertices = sparse.diags(1 - pull) + sparse.diags(pull) @ average
    a, b, c = triangles.T
    ab, bc, ca = (sides + count).T
    quarters = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))])
    return sparse.vstack([on_vertices, on_edges]).tocsr(), quarters


def _split(count: int, triangles: Triangles, field: Points) -> tuple[Any, Triangles]:
    edges, _, _ = edges_of(triangles)
    field = field.copy()
    a, b = edges[(field[edges[:, 0]] > 0) != (field[edges[:, 1]] > 0)].T
    share = field[a] / (field[a] - field[b])
    # vertices near the line go onto it: each along the first of its crossed edges
    ends, others, along = np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([share, 1 - share])
    near = along < _SNAP
    moved, first = np.unique(ends[near], return_index=True)
    towards, by = others[near][first], along[near][first]
    field[moved] = 0.0
    stay = np.ones(count)
    stay[moved] = 1 - by
    place = sparse.diags(stay) + sparse.csr_matrix((by, (moved, towards)), shape=(count, count))
    inside = field > 0
    kept = triangles[(field[triangles] >= 0).all(axis=1) & inside[triangles].any(axis=1)]
    mixed = triangles[inside[triangles].any(axis=1) & (field[triangles] < 0).any(axis=1)]
    crossings: dict[tuple[int, int], int] = {}
    rows: list[tuple[int, int, float]] = []

    def crossing(one: int, two: int) -> int:
        first, second = min(one, two), max(one, two)
        if (first, second) not in crossings:
            crossings[first, second] = count + len(rows)
            rows.append((first, second, float(field[first] / (field[first] - field[second]))))
        return crossings[first, second]

    pieces: list[tuple[int, int, int]] = []
    for corners in mixed.tolist():
        ring: list[int] = []
        for one, two in zip(corners, corners[1:] + corners[:1], strict=True):
            if field[one] >= 0:
                ring.append(one)
            if field[one] * field[two] < 0:
                ring.append(crossing(one, two))
        pieces.extend((ring[0], ring[k], ring[k + 1]) for k in range(1, len(ring) - 1))
    first, second, along = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.zeros(0, int),) * 3
    number = np.arange(len(rows))
    between = sparse.csr_matrix(
        (np.concatenate([1 - along, along]), (np.tile(number, 2), np.concatenate([first, second]))),
        shape=(len(rows), count),
    )
    # crossings run between vertices as they were: a vertex that was snapped has field zero and is never crossed
    matrix = sparse.vstack([place.tocsr(), between]).tocsr()
    result = np.concatenate([kept, np.array(pieces, np.int64).reshape(-1, 3)])
    used, inverse = np.unique(result, return_inverse=True)
    return matrix[used], inverse.reshape(-1, 3)
