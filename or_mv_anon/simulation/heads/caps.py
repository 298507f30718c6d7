"""Surgical caps: the gathered bouffant and the close, tied skull cap, as sheets around the skull from rim to crown."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.body import Body
from or_mv_anon.simulation.bodies.noise import SmoothNoise
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.surfaces import sheet_triangles, sheet_uv, vertex_normals
from or_mv_anon.simulation.heads.head_frame import average_head, carried, cast, directions, inner_point, rigid_with_head
from or_mv_anon.simulation.scene import Material, Mesh, Surface

CAPS = ("bouffant", "skull")
Linear = tuple[float, float, float]

_CENTRE = np.array([0.0, 0.0, 0.035])
_ROWS, _COLUMNS = 16, 101
_AZIMUTHS = [0, 30, 55, 75, 95, 120, 150, 180]
_RIMS = {  # elevation of the rim in degrees, seen from the centre, by azimuth from the forehead to the nape
    "bouffant": [11, 10, 4, -6, -10, -22, -36, -40],
    "skull": [15, 14, 10, 3, 2, -12, -30, -35],
}
_PUFF = {"bouffant": 0.019, "skull": 0.009}  # metres that the crown stands off the scalp
_MARGIN = 4.0  # degrees above the rim from where on nothing of the skin shows


def cap_parts(body: Body, kind: str, colour: Linear, rng: np.random.Generator) -> list[Part]:
    """A cap of one of `CAPS`, in a linear colour, as part 'cap', with 'cap_ties' behind a skull cap."""
    points, weights = carried(body, _places(kind))
    shape = points.reshape(_ROWS, _COLUMNS, 3)
    outward = shape - inner_point(body, _CENTRE)
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    height = _bouffant(outward, rng) if kind == "bouffant" else _skull(outward, rng)
    height[-2] = (height[-3] + height[-3].mean()) / 2
    height[-1] = height[-3].mean()  # no peak where all columns meet
    vertices = _relaxed(shape + outward * height[..., None], outward, shape)
    flat = vertices.reshape(-1, 3).astype(np.float32)
    triangles = sheet_triangles(_ROWS, _COLUMNS)
    look = Material(colour, roughness=0.9, specular=0.12, cloth=0.35, cloth_scale=2.5, translucency=0.15)
    normals = _seamless(vertex_normals(flat, triangles))
    mesh = Mesh(flat, triangles, look, normals, sheet_uv(_ROWS, _COLUMNS), surface=Surface.HEAD, moves=True)
    parts = [Part("cap", mesh, weights)]
    if kind == "skull":
        parts.append(_ties(body, vertices, look, rng))
    return parts


def under_cap(kind: str) -> NDArray[np.bool_]:
    """Base-mesh vertices (V,) that a cap always hides."""
    head = average_head()
    x, f, u = (head.points - _CENTRE).T
    azimuth = np.degrees(np.abs(np.arctan2(x, f)))
    elevation = np.degrees(np.arctan2(u, np.hypot(x, f)))
    near = np.linalg.norm(head.points - _CENTRE, axis=1) < 0.16
    return near & (elevation > np.interp(azimuth, _AZIMUTHS, _RIMS[kind]) + _MARGIN)


def _bouffant(outward: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Height (rows, columns) off the scalp: a loose bag gathered by an elastic rim."""
    up = np.linspace(0, 1, _ROWS)[:, None]
    turn = np.linspace(-np.pi, np.pi, _COLUMNS)
    noise = SmoothNoise(rng)
    back = np.clip(outward[..., 1], 0, 1)
    ears = np.exp(-(((np.abs(turn) - 1.65) / 0.4) ** 2))
    rise = 1 - np.exp(-up / 0.10)
    height = 0.0035 + (_PUFF["bouffant"] * rng.uniform(0.8, 1.25) * (1 + 0.45 * back) + 0.006 * ears) * rise
    gathers = np.cos(turn * 18 + 2.0 * np.sin(3 * turn + rng.uniform(0, 6)) + 2 * np.cos(5 * turn))
    height = height + gathers * 0.0042 * np.exp(-up / 0.16) * np.clip(up / 0.06, 0.15, 1)
    height = height + (noise(outward, 0.22) * 0.005 + np.abs(noise(outward + 3, 0.11)) * 0.0045) * np.clip(
        up / 0.15, 0, 1
    )
    height[0] = 0.001
    return np.maximum(height, 0.001)


def _skull(outward: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Height (rows, columns) off the scalp: cloth that lies close and wrinkles a little."""
    up = np.linspace(0, 1, _ROWS)[:, None]
    noise = SmoothNoise(rng)
    height = 0.004 + _PUFF["skull"] * np.sin(np.pi * np.clip(up, 0, 0.75)) * np.ones(_COLUMNS)
    height = height + noise(outward, 0.25) * 0.002 + noise(outward + 3, 0.1) * 0.0007
    height[0] = 0.001
    return np.maximum(height, 0.001)


def _relaxed(
    vertices: NDArray[np.float64], outward: NDArray[np.float64], skin: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The sheet with the skull's facets smoothed away, never below 3 mm off the skin but at its rim."""
    height = np.sum((vertices - skin) * outward, -1)
    reach = np.linalg.norm(skin - skin.mean((0, 1)), axis=-1)
    smooth = reach.copy()
    for _ in range(6):
        padded = np.concatenate([smooth[:, -2:-1], smooth, smooth[:, 1:2]], 1)
        smooth[1:-1] = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
    lift = np.clip(smooth - reach, -0.004, 0.006)
    lift[0] = 0
    lowest = np.where(np.arange(_ROWS)[:, None] < 1, 0.001, 0.003)
    result = skin + outward * np.maximum(height + lift, lowest)[..., None]
    result[:, -1] = result[:, 0]
    return np.asarray(result)


def _seamless(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normals (rows * columns, 3) with the sheet's first and last column joined, and its crown pointing one way."""
    grid = normals.reshape(_ROWS, _COLUMNS, 3).copy()
    joined = grid[:, 0] + grid[:, -1]
    joined /= np.maximum(np.linalg.norm(joined, axis=1, keepdims=True), 1e-9)
    grid[:, 0] = grid[:, -1] = joined
    crown = grid[-2].mean(0)
    grid[-1] = crown / np.linalg.norm(crown)
    return grid.reshape(-1, 3)


def _ties(body: Body, cap: NDArray[np.float64], look: Material, rng: np.random.Generator) -> Part:
    """A knot and two tails hanging at the back of the head."""
    knot = (cap[1, 0] + cap[2, 0]) / 2
    pieces, faces, count = [], [], 0
    for side in (-1.0, 1.0):
        length, spread = rng.uniform(0.05, 0.09), rng.uniform(0.2, 0.6)
        along = np.linspace(0, 1, 6)[:, None]
        middle = knot + along * length * np.array([side * spread, 0.12, -1.0]) + np.array([0, 0.008, 0])
        middle[:, 1] += 0.006 * np.sin(along[:, 0] * 5)
        half = np.array([0.007, 0.002 * side, 0.0])
        pieces.append(np.stack([middle - half, middle + half], 1).reshape(-1, 3))
        faces.append(sheet_triangles(6, 2) + count)
        count += 12
    vertices = np.concatenate(pieces).astype(np.float32)
    triangles = np.concatenate(faces)
    normals = vertex_normals(vertices, triangles)
    mesh = Mesh(vertices, triangles, look, normals, surface=Surface.HEAD, moves=True)
    return Part("cap_ties", mesh, rigid_with_head(body, len(vertices)))


@lru_cache(maxsize=len(CAPS))
def _places(kind: str) -> sparse.csr_matrix:
    azimuth = np.linspace(-np.pi, np.pi, _COLUMNS)
    rim = np.radians(np.interp(np.degrees(np.abs(azimuth)), _AZIMUTHS, _RIMS[kind]))
    share = np.linspace(0, 1, _ROWS)[:, None] ** 1.15
    elevation = rim + (np.pi / 2 - 0.001 - rim) * share
    return cast(_CENTRE, directions(np.broadcast_to(azimuth, elevation.shape), elevation).reshape(-1, 3))
