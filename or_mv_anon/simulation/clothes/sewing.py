"""How garments are put together: cloth that hangs loose, skirts below a cut, hems with a thickness, finished meshes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.clothes.cloth import Cloth, Points, Triangles, edges_of, few_weights, neighbour_average
from or_mv_anon.simulation.clothes.envelope import Envelope
from or_mv_anon.simulation.scene import Material, Mesh, Surface


def ramp(values: NDArray[Any], start: float, end: float) -> Points:
    """Smoothly from 0 at `start` to 1 at `end`, which may be the smaller one."""
    share = np.clip((np.asarray(values, np.float64) - start) / (end - start), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def hung(cloth: Cloth, envelope: Envelope, share: NDArray[Any]) -> Cloth:
    """Vertices moved outwards onto an envelope, by a share (V,) of the way; none comes nearer to the body."""
    angles, distance = envelope.polar(cloth.vertices)
    heights = cloth.vertices[:, 2]
    target = np.maximum(envelope.radius(angles, heights), distance)
    return cloth.moved(envelope.place(angles, heights, distance + share * (target - distance)))


def open_loops(triangles: Triangles) -> list[Triangles]:
    """Vertex numbers of each open edge in the order in which the triangles run along it."""
    _, sides, uses = edges_of(triangles)
    directed = np.stack([triangles, triangles[:, [1, 2, 0]]], axis=2).reshape(-1, 2)[uses[sides.ravel()] == 1]
    following = dict(directed.tolist())
    loops = []
    while following:
        first, vertex = next(iter(following.items()))
        loop = [first]
        del following[first]
        while vertex in following:
            loop.append(vertex)
            vertex = following.pop(vertex)
        loops.append(np.array(loop, np.int64))
    return [loop for loop in loops if len(loop) > 2]


def lowest_loop(cloth: Cloth) -> Triangles:
    """The open edge that lies lowest."""
    return min(open_loops(cloth.triangles), key=lambda loop: float(cloth.vertices[loop, 2].mean()))


def with_skirt(
    cloth: Cloth,
    envelope: Envelope,
    source: Cloth,
    *,
    loop: Triangles,
    hem: float | NDArray[Any],
    rows: int,
    smoothing: int = 4,
) -> Cloth:
    """A cloth continued from an open edge down to a hem, round an envelope.

    Args:
        cloth: what has an open edge all round trunk or leg.
        envelope: what the skirt takes the width of.
        source: what the skirt moves with, by nearness.
        loop: the vertices of that edge, see `open_loops`.
        hem: height of the hem, metres, one number or one for each vertex of the edge.
        rows: how many rows of triangles.
        smoothing: how evenly the skirt's weights go over from one leg to the other.

    Returns:
        The longer cloth.
    """
    start = cloth.vertices[loop]
    angles, distance = envelope.polar(start)
    even = _in_order(angles)
    steps = np.linspace(0, 1, rows + 1)[1:]
    heights = start[None, :, 2] + steps[:, None] * (np.asarray(hem) - start[None, :, 2])
    # what the cut has of its own, in angle and radius, fades out on the way down
    fading = (1 - ramp(steps, 0, 0.6))[:, None]
    turned = even + fading * (np.angle(np.exp(1j * (angles - even))))
    wide = envelope.radius(turned.ravel(), heights.ravel()).reshape(rows, -1)
    radii = wide + fading * (distance - envelope.radius(angles, start[:, 2]))
    rings = envelope.place(turned.ravel(), heights.ravel(), radii.ravel())
    count = len(cloth.vertices)
    number = np.concatenate([loop, count + np.arange(rings.shape[0])]).reshape(rows + 1, -1)
    strip = rows_of_triangles(number)
    longer = Cloth(
        np.concatenate([cloth.vertices, rings]),
        np.concatenate([cloth.triangles, strip]),
        sparse.vstack([cloth.weights, weights_near(rings, source)]).tocsr(),
    )
    new = np.arange(len(longer.vertices)) >= count
    if smoothing:
        average = neighbour_average(len(longer.vertices), longer.triangles)
        keep = sparse.diags((~new).astype(float)) + sparse.diags(0.4 * new) + sparse.diags(0.6 * new) @ average
        weights = longer.weights
        for _ in range(smoothing):
            weights = keep @ weights
        longer = Cloth(longer.vertices, longer.triangles, few_weights(weights))
    return longer


def rows_of_triangles(number: NDArray[Any]) -> Triangles:
    """Triangles between closed rings of vertices, given by their numbers (R, N).

    Each ring runs as the triangles above it run along their open edge, see `open_loops`.
    """
    above, below = number[:-1], number[1:]
    above_after, below_after = np.roll(above, -1, axis=1), np.roll(below, -1, axis=1)
    pairs = (above_after, above, below), (above_after, below, below_after)
    return np.concatenate([np.stack(corners, axis=-1).reshape(-1, 3) for corners in pairs]).astype(np.int64)


def _in_order(angles: Points) -> Points:
    """Angles (N,) of a loop run once round, evened out so that they never step back."""
    unwrapped = np.unwrap(angles)
    way = np.sign(unwrapped[-1] - unwrapped[0])
    steps = np.diff(unwrapped, append=unwrapped[0] + way * 2 * np.pi) * way
    steps = np.maximum(steps, 0.0)
    for _ in range(4):
        steps = (np.roll(steps, 1) + 2 * steps + np.roll(steps, -1)) / 4
    steps *= 2 * np.pi / steps.sum()
    ordered = way * (np.cumsum(steps) - steps)
    return np.asarray(ordered + np.angle(np.exp(1j * (unwrapped - ordered)).mean()))


def weights_near(points: Points, source: Cloth, neighbours: int = 10) -> Any:
    """Skinning weights (N, B) taken from the nearest vertices of a cloth, nearer ones counting more."""
    distance, index = cKDTree(source.vertices).query(points, k=neighbours)
    share = 1 / (distance + 0.02) ** 2
    share /= share.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), neighbours)
    pick = sparse.csr_matrix((share.ravel(), (rows, index.ravel())), shape=(len(points), len(source.vertices)))
    return (pick @ source.weights).tocsr()


def hemmed(cloth: Cloth, *, thickness: float = 0.003, depth: float = 0.02) -> Cloth:
    """The open edges folded to the inside, so that a sleeve or a hem shows a thickness and not a knife's edge."""
    normals = cloth.normals()
    edges, _, uses = edges_of(cloth.triangles)
    rim = np.unique(edges[uses == 1])
    is_rim = np.zeros(len(cloth.vertices), bool)
    is_rim[rim] = True
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[is_rim[both[:, 0]] & ~is_rim[both[:, 1]]]
    into = np.zeros_like(cloth.vertices)
    np.add.at(into, both[:, 0], cloth.vertices[both[:, 1]] - cloth.vertices[both[:, 0]])
    into /= np.maximum(np.linalg.norm(into, axis=1, keepdims=True), 1e-9)
    lip = cloth.vertices[rim] - normals[rim] * thickness
    back = lip + into[rim] * depth - normals[rim] * thickness
    count = len(cloth.vertices)
    first = np.zeros(count, np.int64)
    first[rim] = count + np.arange(len(rim))
    strips = [
        rows_of_triangles(np.stack([loop, first[loop], first[loop] + len(rim)])) for loop in open_loops(cloth.triangles)
    ]
    return Cloth(
        np.concatenate([cloth.vertices, lip, back]),
        np.concatenate([cloth.triangles, *strips]),
        sparse.vstack([cloth.weights, cloth.weights[rim], cloth.weights[rim]]).tocsr(),
    )


def garment(name: str, cloth: Cloth, material: Material, surface: Surface = Surface.BODY) -> Part:
    """A finished part of a person, always shown."""
    mesh = Mesh(
        cloth.vertices.astype(np.float32),
        cloth.triangles.astype(np.int32),
        material,
        cloth.normals().astype(np.float32),
        surface=surface,
        moves=True,
    )
    return Part(name, mesh, few_weights(cloth.weights))
