"""Surgical face masks: worn over nose and chin, or pulled down under the chin, with loops or ties.

A mask is a sheet over the face. Rays from inside the mouth give the skin under it; the sheet is stretched over that
skin as a membrane, so that it spans from nose to cheeks and lips instead of following them, and never lies below.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.body import Body
from or_mv_anon.simulation.bodies.noise import SmoothNoise
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.surfaces import sheet_triangles, sheet_uv, vertex_normals
from or_mv_anon.simulation.heads.head_frame import average_head, carried, cast, directions, inner_point
from or_mv_anon.simulation.heads.straps import strap_part
from or_mv_anon.simulation.scene import MaskState, Material, Mesh, Surface

FASTENINGS = ("loops", "ties")
Linear = tuple[float, float, float]

_CENTRE = np.array([0.0, 0.035, -0.045])
_ROWS, _COLUMNS = 22, 31
_SIDE = 76.0  # degrees from straight ahead to the mask's side edges
_AZIMUTHS = [0, 10, 25, 45, 62, 76]
_SIDE_DOWN = 66.0  # the same around the neck when it is pulled down
_TOP = [32, 30, 24, 22, 21, 20]  # elevation of its edges in degrees by azimuth, seen from the centre
_BOTTOM = [-54, -54, -52, -47, -38, -26]
_CLEARANCE = 0.0035
_WORN = frozenset({MaskState.WORN})
_DOWN = frozenset({MaskState.PULLED_DOWN})


def mask_parts(body: Body, colour: Linear, fastening: str, rng: np.random.Generator) -> list[Part]:
    """The parts of a mask in every state: 'mask_worn', 'mask_straps', 'mask_pulled_down', 'mask_straps_down'.

    Args:
        body: who wears it.
        colour: linear RGB.
        fastening: one of `FASTENINGS`: loops around the ears or ties around the back of the head.
        rng: for its creases.
    """
    worn, weights = _worn(body, rng)
    down = _pulled_down(body, worn, rng)
    cloth = paint_mask(rng)
    return [
        _sheet("mask_worn", worn, weights, Material(colour, cloth, 0.85, 0.15, translucency=0.2), Surface.MASK, _WORN),
        strap_part("mask_straps", body, worn[_STRAPPED], _worn_corners(), fastening, _WORN),
        _sheet("mask_pulled_down", down, _under_chin(body), Material(colour, cloth, 0.85, 0.15), Surface.HEAD, _DOWN),
        strap_part("mask_straps_down", body, down[_STRAPPED], _CORNERS_DOWN, fastening, _DOWN),
    ]


# rows and columns of the corners that straps start from: lower and upper right, lower and upper left
_STRAPPED = (np.array([2, _ROWS - 2, 2, _ROWS - 2]), np.array([0, 0, _COLUMNS - 1, _COLUMNS - 1]))
# about where these corners are on the average head when the mask is pulled down, head coordinates
_CORNERS_DOWN = np.array([[-0.062, 0.02, -0.115], [-0.066, 0.02, -0.08], [0.062, 0.02, -0.115], [0.066, 0.02, -0.08]])


def _worn_corners() -> NDArray[np.float64]:
    places = (_places() @ average_head().points).reshape(_ROWS, _COLUMNS, 3)
    return np.asarray(places[_STRAPPED])


def _worn(body: Body, rng: np.random.Generator) -> tuple[NDArray[np.float64], sparse.csr_matrix]:
    """The sheet (rows, columns, 3) stretched over the face, and its skinning weights."""
    points, weights = carried(body, _places())
    skin = points.reshape(_ROWS, _COLUMNS, 3)
    away = skin - inner_point(body, _CENTRE)
    distance = np.linalg.norm(away, axis=-1)
    away = away / distance[..., None]
    lowest = _dilated(distance) + _CLEARANCE
    stretched = lowest.copy()
    for _ in range(20):
        middle = stretched[1:-1, 1:-1]
        around = stretched[:-2, 1:-1] + stretched[2:, 1:-1] + stretched[1:-1, :-2] + stretched[1:-1, 2:]
        stretched[1:-1, 1:-1] = np.maximum(lowest[1:-1, 1:-1], middle + 0.6 * (around / 4 - middle))
    edge = _from_edge()
    pleats = 0.0022 * _pleats(np.linspace(0, 1, _ROWS))[:, None] * np.clip(edge / 0.2, 0, 1)
    creases = np.clip(SmoothNoise(rng)(away, 0.3), -0.5, 1) * 0.0025 * np.clip(edge / 0.15, 0, 1)
    stretched = np.maximum(stretched + np.maximum(pleats + creases, 0), distance + 0.0015)
    return inner_point(body, _CENTRE) + away * stretched[..., None], weights


def _pulled_down(body: Body, worn: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The sheet folded together under the chin, in front of the throat."""
    joint = body.rest_bones[body.labels.index("neck02"), :3, 3]
    chin = body.vertices[body.face][:, 2].min()
    chin_front = body.vertices[body.face][:, 1][body.vertices[body.face][:, 2] < chin + 0.02].min()
    up = np.linspace(0, 1, _ROWS)[:, None]
    azimuth = np.radians(np.linspace(-_SIDE_DOWN, _SIDE_DOWN, _COLUMNS))
    share = np.abs(np.linspace(-1, 1, _COLUMNS))
    reach = (joint[1] - chin_front) * (0.78 + 0.10 * up + 0.22 * np.sin(np.pi * up) * (1 - share**2))
    wide = 0.073 + 0.008 * up
    folds = np.sin(up * 2 * np.pi * 3 + 1.2 * np.sin(azimuth * 3 + rng.uniform(0, 6))) * 0.0035
    noise = SmoothNoise(rng)
    x = np.sin(azimuth) * (wide + folds)
    y = joint[1] + 0.004 - np.cos(azimuth) * (reach + folds)
    height = 0.050 - 0.018 * share**3
    z = chin + 0.005 - height * (1 - up) + 0.045 * share**1.5 - 0.008 * (1 - share) * (1 - up)
    sheet = np.stack(np.broadcast_arrays(x, y, z), -1)
    sheet = sheet + noise(sheet, 0.02)[..., None] * np.array([0.0, 0.002, 0.002])
    throat = body.vertices[body.skin]
    return _outside(sheet, throat[np.abs(throat[:, 2] - chin) < 0.14].astype(np.float64), joint)


def _outside(sheet: NDArray[np.float64], skin: NDArray[np.float64], joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sheet moved away from the neck's axis wherever skin is as far out, by azimuth and height bins."""
    moved = sheet.copy()
    angle = np.arctan2(skin[:, 0], joint[1] - skin[:, 1])
    radius = np.hypot(skin[:, 0], skin[:, 1] - joint[1])
    for index in np.ndindex(sheet.shape[:2]):
        point = sheet[index]
        here = np.arctan2(point[0], joint[1] - point[1])
        near = (np.abs(angle - here) < 0.16) & (np.abs(skin[:, 2] - point[2]) < 0.010)
        if not near.any():
            continue
        out = np.array([point[0], point[1] - joint[1]])
        length = float(np.linalg.norm(out))
        needed = float(radius[near].max()) + 0.003
        if length < needed:
            moved[index][:2] = np.array([0.0, joint[1]]) + out * needed / length
    return moved


def _under_chin(body: Body) -> sparse.csr_matrix:
    """Skinning weights of the pulled-down sheet: it follows the chin at its top, the neck at its bottom."""
    up = np.repeat(np.linspace(0, 1, _ROWS), _COLUMNS).astype(np.float32)
    head, neck = body.labels.index("head"), body.labels.index("neck03")
    count = len(up)
    rows = np.concatenate([np.arange(count), np.arange(count)])
    columns = np.concatenate([np.full(count, head), np.full(count, neck)])
    share = 0.55 + 0.45 * up
    return sparse.csr_matrix((np.concatenate([share, 1 - share]), (rows, columns)), shape=(count, len(body.labels)))


def _sheet(
    name: str,
    grid: NDArray[np.float64],
    weights: sparse.csr_matrix,
    look: Material,
    surface: Surface,
    shown: frozenset[MaskState],
) -> Part:
    vertices = grid.reshape(-1, 3).astype(np.float32)
    triangles = sheet_triangles(_ROWS, _COLUMNS)
    normals = vertex_normals(vertices, triangles)
    mesh = Mesh(vertices, triangles, look, normals, sheet_uv(_ROWS, _COLUMNS), surface=surface, moves=True)
    return Part(name, mesh, weights, shown)


def paint_mask(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Texture (192, 256, 3) of a pleated, welded non-woven; multiplied by the mask's colour."""
    v, u = np.meshgrid(1 - (np.arange(192) + 0.5) / 192, (np.arange(256) + 0.5) / 256, indexing="ij")
    shade = 0.93 + 0.03 * SmoothNoise(rng)(np.stack([u * 4, v * 3, 0 * u], -1), 0.5)
    for fold in _FOLDS:
        below = (fold - v) / 0.035
        shade = shade * np.where((below > 0) & (below < 1), 0.80 + 0.2 * below, 1)
        shade = shade + 0.05 * np.exp(-(((v - fold - 0.008) / 0.006) ** 2))
    weld = (np.minimum(v, 1 - v) < 0.045) | (np.minimum(u, 1 - u) < 0.02)
    dots = 0.5 + 0.5 * np.sign(np.sin(u * 400) * np.sin(v * 300))
    shade = np.where(weld, shade * (1.0 - 0.06 * dots), shade)
    shade = shade + 0.06 * np.exp(-(((v - 0.955) / 0.012) ** 2)) * (np.abs(u - 0.5) < 0.2)
    grey = (np.clip(shade, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


_FOLDS = (0.30, 0.48, 0.66)


def _pleats(up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Saw teeth 0..1 along the height: cloth falls over each fold below it."""
    edges = np.array([0.0, *_FOLDS, 1.0])
    which = np.clip(np.searchsorted(edges, up, side="right") - 1, 0, len(edges) - 2)
    return (up - edges[which]) / (edges[which + 1] - edges[which])


def _from_edge() -> NDArray[np.float64]:
    """Distance (rows, columns) from the sheet's border, as a share of its size."""
    down = np.linspace(0, 1, _ROWS)[:, None]
    across = np.linspace(0, 1, _COLUMNS)[None]
    return np.minimum(np.minimum(down, 1 - down), np.minimum(across, 1 - across))


def _dilated(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Greatest distance among each vertex and its neighbours, so that what lies between rays stays covered."""
    padded = np.pad(distance, 1, mode="edge")
    shifts = [padded[r : r + _ROWS, c : c + _COLUMNS] for r in range(3) for c in range(3)]
    return np.max(shifts, axis=0) * 0.7 + distance * 0.3


@lru_cache(maxsize=1)
def _places() -> sparse.csr_matrix:
    azimuth = np.linspace(-_SIDE, _SIDE, _COLUMNS)
    top = np.radians(np.interp(np.abs(azimuth), _AZIMUTHS, _TOP))
    bottom = np.radians(np.interp(np.abs(azimuth), _AZIMUTHS, _BOTTOM))
    elevation = bottom + (top - bottom) * np.linspace(0, 1, _ROWS)[:, None]
    return cast(_CENTRE, directions(np.broadcast_to(np.radians(azimuth), elevation.shape), elevation).reshape(-1, 3))
