"""Geometry of things on the floor: upright boxes seen from above, and where one can walk between them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.scene import Footprint, Placement

CELL = 0.05  # metres, side of a cell of the walking grid


def footprint(place: Placement, length: float, width: float, height: float) -> Footprint:
    """An upright box centred on a place; `length` along its heading."""
    return Footprint(place.x, place.y, length, width, place.heading, height)


def ahead(place: Placement | Footprint, forward: float, left: float = 0.0, turn: float = 0.0) -> Placement:
    """The place reached from another by going forward and to its left (metres), then turning (radians)."""
    c, s = np.cos(place.heading), np.sin(place.heading)
    return Placement(
        float(place.x + c * forward - s * left), float(place.y + s * forward + c * left), float(place.heading + turn)
    )


def corners(box: Footprint) -> NDArray[np.float64]:
    """The four corners (4, 2), counter-clockwise."""
    local = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * (box.length / 2, box.width / 2)
    c, s = np.cos(box.heading), np.sin(box.heading)
    return np.asarray(local @ np.array([[c, s], [-s, c]]) + (box.x, box.y))


def distance(points: NDArray[Any], box: Footprint) -> NDArray[np.float64]:
    """Distance in metres from points (N, 2) to a box seen from above; 0 inside."""
    c, s = np.cos(box.heading), np.sin(box.heading)
    local = (np.asarray(points, float) - (box.x, box.y)) @ np.array([[c, -s], [s, c]])
    outside = np.maximum(np.abs(local) - (box.length / 2, box.width / 2), 0)
    return np.asarray(np.hypot(outside[:, 0], outside[:, 1]))


def gap(a: Footprint, b: Footprint) -> float:
    """Free distance in metres between two boxes seen from above; negative when they overlap (separating axes)."""
    best = -np.inf
    corners_a, corners_b = corners(a), corners(b)
    for heading in (a.heading, a.heading + np.pi / 2, b.heading, b.heading + np.pi / 2):
        axis = np.array([np.cos(heading), np.sin(heading)])
        on_a, on_b = corners_a @ axis, corners_b @ axis
        best = max(best, on_b.min() - on_a.max(), on_a.min() - on_b.max())
    return float(best)


def inside_room(box: Footprint, size: tuple[float, float, float], *, margin: float = 0.0) -> bool:
    """Whether a box keeps `margin` metres from all walls."""
    reach = np.abs(corners(box)).max(axis=0)
    return bool(np.all(reach <= np.array(size[:2]) / 2 - margin))


def walkable(
    size: tuple[float, float, float], obstacles: Iterable[Footprint], *, clearance: float
) -> NDArray[np.bool_]:
    """Where somebody who keeps `clearance` metres from walls and obstacles can be: a grid of cells, rows y, columns x.

    The grid's middle is the room's, its cells are `CELL` wide.
    """
    free = np.all(np.abs(_cells(size)) <= np.array(size[:2]) / 2 - clearance, axis=-1)
    for box in obstacles:
        free &= _far_from(box, size, clearance)
    return np.asarray(free)


def _cells(size: tuple[float, float, float]) -> NDArray[np.float64]:
    columns, rows = (int(np.ceil(extent / CELL)) for extent in size[:2])
    x = (np.arange(columns) + 0.5) * CELL - columns * CELL / 2
    y = (np.arange(rows) + 0.5) * CELL - rows * CELL / 2
    return np.stack(np.meshgrid(x, y), axis=-1)


@lru_cache(maxsize=128)  # a layout asks about the same pieces again with every new one
def _far_from(box: Footprint, size: tuple[float, float, float], clearance: float) -> NDArray[np.bool_]:
    cells = _cells(size)
    return distance(cells.reshape(-1, 2), box).reshape(cells.shape[:2]) >= clearance


def connected(
    size: tuple[float, float, float],
    obstacles: Iterable[Footprint],
    places: Iterable[Placement],
    *,
    clearance: float,
) -> bool:
    """Whether somebody who keeps `clearance` metres from everything can walk between all the places."""
    free = walkable(size, obstacles, clearance=clearance)
    _, region = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
    rows, columns = free.shape
    seen = set()
    for place in places:
        column = int(place.x / CELL + columns / 2)
        row = int(place.y / CELL + rows / 2)
        if not (0 <= row < rows and 0 <= column < columns):
            return False
        seen.add(int(region[row, column]))
    return len(seen) == 1 and 0 not in seen
