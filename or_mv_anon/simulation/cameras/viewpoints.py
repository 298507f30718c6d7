"""Where cameras hang: in ceiling corners, on walls and over the table, wherever they see the table past everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.cameras.sight import Sight, floor_grid, points_of_interest
from or_mv_anon.simulation.scene import Mesh, RoomPlan

NARROWEST, WIDEST = np.radians(55), np.radians(95)  # fields of view, horizontal
_CANDIDATES_EACH = 8
_LEAST_DISTANCE = 1.2  # metres between two cameras
_GOOD_TURN = np.radians(80)  # between two cameras as seen from the table
_FREE_AHEAD = 1.3  # metres in front of the lens that nothing should stand in


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """Where a camera hangs and what it is aimed at, world metres."""

    eye: NDArray[np.float64]
    target: NDArray[np.float64]
    field_of_view: float  # radians, horizontal


def choose_viewpoints(
    plan: RoomPlan, count: int, rng: np.random.Generator, meshes: Sequence[Mesh] = ()
) -> list[Viewpoint]:
    """`count` places from different sides; without the room's `meshes` they look past the boxes of its plan only."""
    candidates = [draw(plan, rng) for draw in (_corner, _corner, _wall, _ceiling) for _ in range(_CANDIDATES_EACH)]
    sight = Sight(plan, meshes)
    return _choose(candidates, [_worth(plan, sight, place) for place in candidates], count, plan)


def _table_point(plan: RoomPlan) -> NDArray[np.float64]:
    return np.array([plan.table.x, plan.table.y, plan.table.height + 0.2])


def _aim(plan: RoomPlan, eye: NDArray[np.float64], rng: np.random.Generator, field_of_view: float) -> Viewpoint:
    """Towards the table, a little past it towards the middle of the room, as installers do."""
    middle = np.array([0.0, 0.0, plan.table.height + 0.1])
    share = rng.uniform(0.1, 0.4)
    target = (1 - share) * _table_point(plan) + share * middle + rng.normal(0, [0.2, 0.2, 0.1])
    return Viewpoint(eye, target, field_of_view)


def _corner(plan: RoomPlan, rng: np.random.Generator) -> Viewpoint:
    signs = rng.choice([-1, 1], 2)
    inward = rng.uniform(0.15, 0.5, 2)
    eye = np.append(signs * (np.array(plan.size[:2]) / 2 - inward), plan.size[2] - rng.uniform(0.15, 0.5))
    return _aim(plan, eye, rng, rng.uniform(np.radians(60), np.radians(88)))


def _wall(plan: RoomPlan, rng: np.random.Generator) -> Viewpoint:
    axis, sign = int(rng.integers(2)), float(rng.choice([-1, 1]))
    eye = np.array([0.0, 0.0, rng.uniform(2.15, plan.size[2] - 0.15)])
    eye[axis] = sign * (plan.size[axis] / 2 - 0.12)
    eye[1 - axis] = rng.uniform(-0.3, 0.3) * plan.size[1 - axis]
    return _aim(plan, eye, rng, rng.uniform(NARROWEST, np.radians(78)))


def _ceiling(plan: RoomPlan, rng: np.random.Generator) -> Viewpoint:
    """Near the table, looking down at a slant."""
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.9, 1.8)
    eye = _table_point(plan) + distance * np.array([np.cos(angle), np.sin(angle), 0])
    limit = np.array(plan.size[:2]) / 2 - 0.3
    eye = np.append(np.clip(eye[:2], -limit, limit), plan.size[2] - 0.08)
    return _aim(plan, eye, rng, rng.uniform(np.radians(75), WIDEST))


def _worth(plan: RoomPlan, sight: Sight, place: Viewpoint) -> float:
    """How useful a camera would be: the table above all, faces at the stations, then the floor; 0 when it is blind."""
    faces, floor = points_of_interest(plan), floor_grid(plan)
    field = _table_point(plan) + np.array([[0, 0, 0], [0.3, 0, 0], [-0.3, 0, 0], [0, 0.3, 0], [0, -0.3, 0]])
    shares = [
        float((sight.clear(place.eye, points) & _inside(place, points)).mean()) if len(points) else 1.0
        for points in (field, faces, floor)
    ]
    if shares[0] < 0.5:
        return 0.0
    return shares[0] + 2 * shares[1] + shares[2] + 3 * float(sight.clear(place.eye, _ahead(place)).mean())


def _ahead(place: Viewpoint) -> NDArray[np.float64]:
    """World points (N, 3) on rays all over a 16:9 picture, a little in front of the lens."""
    half = np.tan(place.field_of_view / 2)
    x, y = np.meshgrid(np.linspace(-half, half, 9), np.linspace(-half, half, 5) * 9 / 16)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)
    return place.eye + _FREE_AHEAD * rays @ look_at(place.eye, place.target)


def _inside(place: Viewpoint, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points lie in the middle nine tenths of a 16:9 picture."""
    rotation = look_at(place.eye, place.target)
    x, y, depth = ((points - place.eye) @ rotation.T).T
    half = 0.9 * np.tan(place.field_of_view / 2)
    ahead = np.maximum(depth, 1e-6)
    return np.asarray((depth > 0.2) & (np.abs(x / ahead) < half) & (np.abs(y / ahead) < half * 9 / 16))


def _choose(places: Sequence[Viewpoint], worth: Sequence[float], count: int, plan: RoomPlan) -> list[Viewpoint]:
    """One after another the best place, where looking from a side that no camera has yet counts as well."""
    chosen: list[Viewpoint] = []
    left = list(range(len(places)))
    while len(chosen) < count:
        gains = [worth[number] + _newness(places[number], chosen, plan) for number in left]
        best = left.pop(int(np.argmax(gains)))
        chosen.append(places[best])
    return chosen


def _newness(place: Viewpoint, chosen: Sequence[Viewpoint], plan: RoomPlan) -> float:
    """Up to 1.5 for a side of the table that no camera has, far below 0 beside another camera."""
    table = _table_point(plan)
    newness = 1.5
    for other in chosen:
        first, second = (np.arctan2(*(one.eye - table)[[1, 0]]) for one in (place, other))
        turn = abs((first - second + np.pi) % (2 * np.pi) - np.pi)
        newness = min(newness, 1.5 * turn / _GOOD_TURN)
        gap = float(np.linalg.norm(place.eye - other.eye))
        newness -= 6.0 * max(0.0, 1 - gap / _LEAST_DISTANCE)
    return newness


def look_at(eye: NDArray[Any], target: NDArray[Any], *, roll: float = 0.0) -> NDArray[np.float64]:
    """Rotation (3, 3), camera from world, of a camera whose picture is upright but for `roll` radians."""
    forward = np.asarray(target, np.float64) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    if np.linalg.norm(right) < 1e-6:
        right = np.array([1.0, 0.0, 0.0])
    right /= np.linalg.norm(right)
    upright = np.stack([right, np.cross(forward, right), forward])
    cosine, sine = np.cos(roll), np.sin(roll)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ upright
