"""Lines of sight in a room: what a camera could see past lamps, screens and furniture, before anything is rendered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.scene import Footprint, Mesh, RoomPlan

LAMP_RADIUS = 0.45  # metres, of a surgical lamp's disc with its joint
EYE_HEIGHT = 1.6  # metres, of a standing person's face
_CELL = 0.08  # metres, of the grid that furniture is sorted into
_AT_THE_LENS, _AT_THE_POINT = 0.3, 0.25  # metres at the ends of a line of sight in which nothing counts: mounts, people


class Sight:
    """Lines of sight in a room: past its meshes where they are known, past the boxes of its plan otherwise."""

    def __init__(self, plan: RoomPlan, meshes: Sequence[Mesh] = ()) -> None:
        """Take the room's plan and, if there are any, everything in it that does not move."""
        self._plan = plan
        self._low = np.array([-plan.size[0] / 2, -plan.size[1] / 2, 0.0])
        self._filled = _filled_cells(meshes, self._low, np.array(plan.size)) if meshes else None

    def clear(self, eye: NDArray[Any], points: NDArray[Any]) -> NDArray[np.bool_]:
        """Which world points (N, 3) are seen from `eye` (3,); (N,)."""
        if self._filled is None:
            return clear_sight(self._plan, eye, points)
        along = np.asarray(points, np.float64) - eye
        length = np.linalg.norm(along, axis=1)
        steps = np.arange(_AT_THE_LENS, max(float(length.max(initial=0)), _AT_THE_LENS), _CELL * 0.7)
        on_the_way = eye + along[:, None] / np.maximum(length, 1e-9)[:, None, None] * steps[:, None]
        cells = np.floor((on_the_way - self._low) / _CELL).astype(np.intp)
        inside = ((cells >= 0) & (cells < self._filled.shape)).all(axis=-1)
        cells = np.clip(cells, 0, np.array(self._filled.shape) - 1)
        hit = self._filled[tuple(np.moveaxis(cells, -1, 0))] & inside & (steps < length[:, None] - _AT_THE_POINT)
        return np.asarray(~hit.any(axis=1))


def _filled_cells(meshes: Sequence[Mesh], low: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Grid of the room (X, Y, Z), true where a surface passes; found by points strewn over the triangles."""
    rng = np.random.default_rng(0)
    filled = np.zeros(tuple(np.ceil(size / _CELL).astype(int)), bool)
    for mesh in meshes:
        corners = mesh.vertices[mesh.triangles].astype(np.float64)
        areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
        which = np.repeat(np.arange(len(corners)), np.ceil(areas / (_CELL / 2) ** 2).astype(int))
        first, second = rng.random((2, len(which), 1))
        over = first + second > 1
        first, second = np.where(over, 1 - first, first), np.where(over, 1 - second, second)
        a, b, c = (corners[which, corner] for corner in range(3))
        cells = np.floor((a + first * (b - a) + second * (c - a) - low) / _CELL).astype(np.intp)
        cells = cells[((cells >= 0) & (cells < filled.shape)).all(axis=1)]
        filled[tuple(cells.T)] = True
    return filled


def clear_sight(plan: RoomPlan, eye: NDArray[Any], points: NDArray[Any]) -> NDArray[np.bool_]:
    """Which world points (N, 3) are seen from `eye` (3,) past the plan's lamps, table and obstacles; (N,)."""
    eye = np.asarray(eye, np.float64)
    points = np.asarray(points, np.float64)
    seen = np.ones(len(points), bool)
    for lamp in plan.lamps:
        seen &= _distance(eye, points, np.asarray(lamp)) > LAMP_RADIUS
    for solid in (plan.table, *plan.obstacles):
        seen &= ~_passes_through(solid, eye, points)
    return seen


def points_of_interest(plan: RoomPlan) -> NDArray[np.float64]:
    """World points (N, 3) that a room's cameras are hung for: faces at the stations."""
    return np.array([[place.x, place.y, EYE_HEIGHT] for place in plan.stations.values()]).reshape(-1, 3)


def floor_grid(plan: RoomPlan, *, step: float = 0.5) -> NDArray[np.float64]:
    """World points (N, 3) at chest height over the whole floor."""
    x, y = (np.arange(-side / 2 + step / 2, side / 2, step) for side in plan.size[:2])
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return np.column_stack([grid, np.full(len(grid), 1.2)])


def _distance(eye: NDArray[np.float64], points: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[Any]:
    """Distance (N,) of `centre` from each of the segments eye-point."""
    along = points - eye
    share = np.clip((along @ (centre - eye)) / np.maximum((along**2).sum(axis=1), 1e-12), 0, 1)
    return np.asarray(np.linalg.norm(eye + share[:, None] * along - centre, axis=1))


def _passes_through(solid: Footprint, eye: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether segments eye-point cross an upright box (slab method)."""
    cosine, sine = np.cos(solid.heading), np.sin(solid.heading)
    turn = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
    foot = np.array([solid.x, solid.y, 0.0])
    start, stop = turn @ (eye - foot), (points - foot) @ turn.T
    low = np.array([-solid.length / 2, -solid.width / 2, 0.0])
    high = np.array([solid.length / 2, solid.width / 2, solid.height])
    along = stop - start
    along = np.where(np.abs(along) < 1e-9, 1e-9, along)
    first, second = (low - start) / along, (high - start) / along
    enter = np.minimum(first, second).max(axis=1)
    leave = np.maximum(first, second).min(axis=1)
    return np.asarray((enter < leave) & (leave > 0) & (enter < 1))
