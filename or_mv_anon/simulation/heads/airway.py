"""What a patient breathes through: a clear oxygen mask, or a tube in the mouth held by tape."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.body import Body
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.surfaces import sheet_triangles, sheet_uv, tube, vertex_normals
from or_mv_anon.simulation.heads.head_frame import MOUTH, carried, cast, directions, inner_point, rigid_with_head
from or_mv_anon.simulation.scene import Material, Mesh, Surface

AIRWAYS = ("oxygen_mask", "tube")

_CENTRE = np.array([0.0, 0.035, -0.045])
_ROWS, _COLUMNS = 17, 25
_AZIMUTHS = [0, 12, 30, 42]
_TOP = [30, 27, 8, -10]  # elevation of the mask's rim in degrees by azimuth, seen from the centre
_BOTTOM = [-42, -40, -30, -14]
_PLASTIC = Material((0.80, 0.86, 0.84), roughness=0.4, specular=0.35, translucency=0.7)
_HOSE = Material((0.62, 0.72, 0.72), roughness=0.4, specular=0.4, translucency=0.4)
_TAPE = Material((0.62, 0.58, 0.51), roughness=0.85, specular=0.1)


def airway_parts(body: Body, kind: str) -> list[Part]:
    """The parts of one of `AIRWAYS`: 'oxygen_mask' and 'oxygen_hose', or 'airway_tube' and 'airway_tape'."""
    return _oxygen_mask(body) if kind == "oxygen_mask" else _tube(body)


def _oxygen_mask(body: Body) -> list[Part]:
    """A soft shell over nose and mouth with a hose from its front."""
    places = _rim_to_rim()
    points, weights = carried(body, places)
    centre = inner_point(body, _CENTRE)
    away = points.reshape(_ROWS, _COLUMNS, 3) - centre
    distance = np.linalg.norm(away, axis=-1)
    away = away / distance[..., None]
    up, across = np.linspace(-1, 1, _ROWS)[:, None], np.linspace(-1, 1, _COLUMNS)[None]
    inside = np.clip(1 - np.maximum(np.abs(up), np.abs(across)) ** 2.5, 0, 1)
    shell = distance.copy()
    for _ in range(80):
        middle = (shell[:-2, 1:-1] + shell[2:, 1:-1] + shell[1:-1, :-2] + shell[1:-1, 2:]) / 4
        shell[1:-1, 1:-1] = np.maximum(distance[1:-1, 1:-1] + 0.004, middle)
    shell = shell + 0.003 + 0.024 * inside * (1 - 0.35 * up)
    sheet = centre + away * shell[..., None]
    vertices = sheet.reshape(-1, 3).astype(np.float32)
    triangles = sheet_triangles(_ROWS, _COLUMNS)
    normals = vertex_normals(vertices, triangles)
    mask = Mesh(vertices, triangles, _PLASTIC, normals, sheet_uv(_ROWS, _COLUMNS), surface=Surface.MASK, moves=True)

    port = sheet[_ROWS // 2 - 1, _COLUMNS // 2]
    path = port + np.array(
        [[0, 0.004, 0], [0, -0.02, -0.008], [0.03, -0.035, -0.03], [0.09, -0.03, -0.07], [0.13, 0, -0.12]]
    )
    hose = _ribbed(path, 0.022)
    return [
        Part("oxygen_mask", mask, weights),
        Part("oxygen_hose", _mesh(hose, _HOSE, Surface.HEAD), rigid_with_head(body, len(hose[0]))),
    ]


def _tube(body: Body) -> list[Part]:
    """A tracheal tube from the corner of the mouth, with tape across the cheeks."""
    places, shape = _tape_places()
    points, weights = carried(body, places)
    outward = points - inner_point(body, _CENTRE)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    vertices = (points + outward * 0.0018).astype(np.float32)
    triangles = sheet_triangles(*shape)
    tape = Mesh(vertices, triangles, _TAPE, vertex_normals(vertices, triangles), surface=Surface.FACE, moves=True)
    corner = inner_point(body, MOUTH + np.array([0.012, -0.006, 0.0]))
    steps = [
        [0, 0.02, 0],
        [0, 0, 0],
        [0.004, -0.025, -0.006],
        [0.02, -0.05, -0.02],
        [0.06, -0.06, -0.05],
        [0.11, -0.03, -0.09],
    ]
    pipe = _ribbed(corner + np.array(steps), 0.010)
    return [
        Part("airway_tape", tape, weights),
        Part("airway_tube", _mesh(pipe, _HOSE, Surface.HEAD), rigid_with_head(body, len(pipe[0]))),
    ]


def _ribbed(path: NDArray[np.float64], width: float) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """A corrugated hose along a smoothed path."""
    steps = 40
    along = np.linspace(0, len(path) - 1, steps)
    line = np.stack([np.interp(along, np.arange(len(path)), path[:, k]) for k in range(3)], -1)
    for _ in range(4):
        line[1:-1] = (line[:-2] + 2 * line[1:-1] + line[2:]) / 4
    vertices, triangles, source = tube(line, width=width, height=width, outward=np.array([0.2, -0.3, 1.0]), sides=9)
    ribs = 1 + 0.10 * np.where(source % 2 == 0, 1.0, -1.0)
    return line[source] + (vertices - line[source]) * ribs[:, None], triangles


def _mesh(shape: tuple[NDArray[np.float64], NDArray[np.int32]], look: Material, surface: Surface) -> Mesh:
    vertices = shape[0].astype(np.float32)
    return Mesh(vertices, shape[1], look, vertex_normals(vertices, shape[1]), surface=surface, moves=True)


@lru_cache(maxsize=1)
def _rim_to_rim() -> sparse.csr_matrix:
    azimuth = np.linspace(-_AZIMUTHS[-1], _AZIMUTHS[-1], _COLUMNS)
    top, bottom = (np.radians(np.interp(np.abs(azimuth), _AZIMUTHS, edge)) for edge in (_TOP, _BOTTOM))
    elevation = bottom + (top - bottom) * np.linspace(0, 1, _ROWS)[:, None]
    return cast(_CENTRE, directions(np.broadcast_to(np.radians(azimuth), elevation.shape), elevation).reshape(-1, 3))


@lru_cache(maxsize=1)
def _tape_places() -> tuple[sparse.csr_matrix, tuple[int, int]]:
    shape = (5, 31)
    azimuth = np.radians(np.linspace(-58, 58, shape[1]))
    elevation = np.radians(np.linspace(-3, 7, shape[0]))[:, None] + 0.08 * np.abs(np.sin(azimuth))
    rays = directions(np.broadcast_to(azimuth, elevation.shape), elevation)
    return cast(_CENTRE, rays.reshape(-1, 3)), shape
