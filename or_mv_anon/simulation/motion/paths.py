"""Ways over the floor that touch nothing: a grid of free places, shortest routes in it, walks along them in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label, uniform_filter1d
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from or_mv_anon.simulation.bodies.rotations import length
from or_mv_anon.simulation.scene import Footprint, RoomPlan

Array = NDArray[np.float64]
CELL = 0.08  # metres
BODY = 0.23  # metres between the middle of a walking person and what stands there
COMFORT = 0.45  # metres below which a way is avoided where another is not much longer
EXIT_DEPTH = 0.75  # metres behind the door at which somebody is gone
ACCELERATION = 1.1  # metres per second squared


class FloorMap:
    """What of a room's floor can be walked on."""

    def __init__(self, plan: RoomPlan) -> None:
        """Rasterize the walls, the table and the obstacles of a plan."""
        self.plan = plan
        self.half = np.array(plan.size[:2]) / 2
        self.shape = (math.ceil(plan.size[0] / CELL), math.ceil(plan.size[1] / CELL))
        columns = (np.arange(self.shape[0]) + 0.5) * CELL - self.half[0]
        rows = (np.arange(self.shape[1]) + 0.5) * CELL - self.half[1]
        self.centres = np.stack(np.meshgrid(columns, rows, indexing="ij"), axis=-1)
        taken = np.zeros(self.shape, bool)
        for box in (plan.table, *plan.obstacles):
            taken |= _covers(box, self.centres)
        walled = np.pad(taken, 1, constant_values=True)
        self.clearance = distance_transform_edt(~walled)[1:-1, 1:-1] * CELL - CELL / 2
        self._links()

    def cell(self, point: Sequence[float] | Array) -> tuple[int, int]:
        """The grid cell of a point (x, y), the nearest one for points outside."""
        found = np.clip(np.floor((np.asarray(point) + self.half) / CELL).astype(int), 0, np.array(self.shape) - 1)
        return int(found[0]), int(found[1])

    def room_at(self, point: Sequence[float] | Array) -> float:
        """Metres from a point (x, y) to the nearest thing that stands there or wall."""
        return float(self.clearance[self.cell(point)])

    def route(self, start: Array, goal: Array, people: Array, *, distance: float) -> Array | None:
        """The shortest comfortable way.

        Args:
            start: (2,) where it begins.
            goal: (2,) where it ends.
            people: (N, 2) points that the way keeps away from.
            distance: metres from these.

        Returns:
            Points (M, 2) about 5 cm apart from start to goal; None when there is no way.
        """
        allowed = self._allowed((start, goal), people, distance)
        first, last = (int(np.ravel_multi_index(self.cell(end), self.shape)) for end in (start, goal))
        flat = allowed.ravel()
        if not (flat[first] and flat[last]):
            return None
        keep = flat[self._from] & flat[self._to]
        graph = csr_matrix((self._cost[keep], (self._from[keep], self._to[keep])), shape=(flat.size, flat.size))
        _, before = dijkstra(graph, indices=first, return_predecessors=True)
        if before[last] < 0 and first != last:
            return None
        cells = [last]
        while cells[-1] != first:
            cells.append(int(before[cells[-1]]))
        corners = self.centres.reshape(-1, 2)[cells[::-1]]
        return self._smooth(np.concatenate([start[None], corners[1:-1], goal[None]]), allowed)

    def reachable(self, start: Array, people: Array, *, distance: float) -> NDArray[np.bool_]:
        """The cells to which a route leads from `start`; arguments as in `route`."""
        components, _ = label(self._allowed((start,), people, distance), structure=np.ones((3, 3)))
        return np.asarray((components == components[self.cell(start)]) & (components > 0))

    def _allowed(self, ends: Sequence[Array], people: Array, distance: float) -> NDArray[np.bool_]:
        """Cells that a way may use: clear, near its ends a little less so, and away from people."""
        allowed = self.clearance > BODY
        for end in ends:
            near = np.linalg.norm(self.centres - end, axis=-1) < 0.4
            allowed |= near & (self.clearance > min(BODY, max(self.room_at(end) - CELL, 0.0)))
        for person in people:
            already = length(person - ends[0]) - CELL  # who starts near somebody may leave, but not come nearer
            allowed &= np.linalg.norm(self.centres - person, axis=-1) > min(distance, already)
        return allowed

    def _smooth(self, points: Array, allowed: NDArray[np.bool_]) -> Array:
        """Pull the way tight and round its corners, within what is allowed."""
        tight = [points[0]]
        here = 0
        while here < len(points) - 1:
            there = len(points) - 1
            while there > here + 1 and not self._free(_between(points[here], points[there]), allowed):
                there -= 1
            tight.append(points[there])
            here = there
        dense = _resampled(np.array(tight))
        for window in (13, 7, 3):
            rounded = uniform_filter1d(uniform_filter1d(dense, window, axis=0), window, axis=0)
            share = np.clip(np.minimum(np.arange(len(dense)), np.arange(len(dense))[::-1]) / window, 0, 1)[:, None]
            rounded = dense * (1 - share) + rounded * share
            if self._free(rounded, allowed):
                return _resampled(rounded)
        return dense

    def _free(self, points: Array, allowed: NDArray[np.bool_]) -> bool:
        cells = np.clip(np.floor((points + self.half) / CELL).astype(int), 0, np.array(self.shape) - 1)
        return bool(allowed[cells[:, 0], cells[:, 1]].all())

    def _links(self) -> None:
        """Every pair of neighbouring cells with the cost of stepping from one to the other."""
        numbers = np.arange(self.shape[0] * self.shape[1]).reshape(self.shape)
        crowded = 1 + 4 * np.clip(COMFORT - self.clearance, 0, COMFORT) / COMFORT
        origins, targets, costs = [], [], []
        for dx, dy in ((1, 0), (0, 1), (1, 1), (1, -1)):
            here = (slice(0, self.shape[0] - dx), slice(max(-dy, 0), self.shape[1] - max(dy, 0)))
            there = (slice(dx, None), slice(max(dy, 0), self.shape[1] + min(dy, 0)))
            cost = (math.hypot(dx, dy) * CELL * (crowded[here] + crowded[there]) / 2).ravel()
            origins += [numbers[here].ravel(), numbers[there].ravel()]
            targets += [numbers[there].ravel(), numbers[here].ravel()]
            costs += [cost, cost]
        self._from, self._to, self._cost = (np.concatenate(parts) for parts in (origins, targets, costs))


@dataclass(frozen=True, eq=False)
class Walk:
    """Walking along a way: from rest to rest, with one cruising speed."""

    points: Array  # (M, 2) metres
    start: float  # seconds
    speed: float  # metres per second

    @property
    def metres(self) -> float:
        """How long the way is."""
        return float(np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum())

    @property
    def _ramp(self) -> float:
        """Seconds of speeding up; as many of slowing down."""
        return min(self.speed / ACCELERATION, math.sqrt(self.metres / ACCELERATION))

    @property
    def end(self) -> float:
        """When it is over, seconds."""
        top = self._ramp * ACCELERATION
        return self.start + self._ramp + (self.metres / top if top > 0 else 0.0)

    def at(self, times: NDArray[Any]) -> tuple[Array, Array]:
        """Places (N, 2) and headings (N,) of the way itself, a step ahead, at times before, within or after it."""
        ramp, total = self._ramp, self.end - self.start
        since = np.clip(times - self.start, 0, total)
        top = ramp * ACCELERATION
        gone = np.where(
            since < ramp,
            ACCELERATION * since**2 / 2,
            np.where(
                since > total - ramp, self.metres - ACCELERATION * (total - since) ** 2 / 2, top * (since - ramp / 2)
            ),
        )
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.points, axis=0), axis=1))])

        def point(distance: Array) -> Array:
            return np.stack([np.interp(distance, along, self.points[:, axis]) for axis in (0, 1)], axis=-1)

        reach = np.clip(gone, 0, max(self.metres - 0.35, 0.0))
        ahead = point(reach + min(0.35, self.metres)) - point(reach)
        return point(gone), np.arctan2(ahead[:, 1], ahead[:, 0])


def _covers(box: Footprint, points: Array) -> NDArray[np.bool_]:
    c, s = math.cos(box.heading), math.sin(box.heading)
    dx, dy = points[..., 0] - box.x, points[..., 1] - box.y
    return (np.abs(dx * c + dy * s) < box.length / 2) & (np.abs(dy * c - dx * s) < box.width / 2)


def _between(start: Array, end: Array) -> Array:
    count = max(int(np.linalg.norm(end - start) / (CELL / 2)), 1) + 1
    return start + np.linspace(0, 1, count)[:, None] * (end - start)


def _resampled(points: Array) -> Array:
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    wanted = np.linspace(0, along[-1], max(int(along[-1] / 0.05), 1) + 1)
    return np.stack([np.interp(wanted, along, points[:, axis]) for axis in (0, 1)], axis=-1)
