"""Fills a room piece by piece, keeping stations, the door and the ways between them free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from or_mv_anon.simulation.room.around_table import STANDING_ROOM, Core, Item
from or_mv_anon.simulation.room.floor import ahead, connected, distance, footprint, gap, inside_room
from or_mv_anon.simulation.room.pieces import Piece
from or_mv_anon.simulation.scene import Footprint, Placement

CLEARANCE = 0.3  # metres that a walking person keeps from obstacles; the ways between stations are checked with it
DOOR_WIDTH = 1.3
DOOR_SIGN_TOP = 2.45  # metres
WALL_CUPBOARDS_TOP = 2.25  # metres: what hangs on the wall above a counter counts as part of it
PERSONAL_SPACE = 0.6  # metres between two stations, at least


@dataclass(frozen=True)
class Panel:
    """Something flat on a wall, `low`..`high` metres above the floor; `place` is its middle, facing into the room."""

    kind: str
    place: Placement
    width: float
    low: float
    high: float


def wall_place(size: tuple[float, float, float], wall: int, along: float, off: float = 0.0) -> Placement:
    """A place `off` metres in front of wall 0..3 (+x, +y, −x, −y), `along` it from its middle, facing into the room."""
    outward = wall * np.pi / 2
    half = size[wall % 2] / 2
    middle = Placement(half * float(np.cos(outward)), half * float(np.sin(outward)), float(outward + np.pi))
    return ahead(middle, off, along)


def _top_at_wall(item: Item) -> float:
    return WALL_CUPBOARDS_TOP if item.kind == "counter" else item.box.height


class RoomFiller:
    """A room while it is being filled; every addition is refused that blocks a station or a way between stations."""

    def __init__(self, size: tuple[float, float, float], core: Core) -> None:
        self.size = size
        self.core = core
        self.items: list[Item] = list(core.items)
        self.stations = dict(core.stations)
        self.surfaces = dict(core.surfaces)
        self.panels: list[Panel] = []
        self.door = Placement(0, 0, 0)
        self.kept_free: list[Footprint] = []

    def boxes(self) -> list[Footprint]:
        """The table and everything that stands or hangs so far."""
        return [self.core.table, *(item.box for item in self.items)]

    def add_door(self, rng: np.random.Generator) -> bool:
        """Put a door where the way in is free; whether one was found."""
        for _ in range(12):
            wall = int(rng.integers(4))
            room = self.size[(wall + 1) % 2] / 2 - DOOR_WIDTH / 2 - 0.3
            along = float(rng.uniform(-room, room))
            door = wall_place(self.size, wall, along)
            way = footprint(ahead(door, 0.65), 1.3, DOOR_WIDTH, 0)
            inside = ahead(door, 0.75)
            if min(gap(way, box) for box in self.boxes()) < 0.05 or not self._passable({"door_inside": inside}):
                continue
            self.door = door
            self.kept_free.append(way)
            self.stations["door_inside"] = inside
            self.panels.append(Panel("door", door, DOOR_WIDTH, 0.0, DOOR_SIGN_TOP))
            return True
        return False

    def add_at_wall(self, piece: Piece, rng: np.random.Generator) -> bool:
        """Back a piece onto a wall, with its station in front of it; whether it is there."""
        if rng.random() > piece.chance:
            return False
        depth, width, height = piece.draw(rng)
        for _ in range(40):
            wall = int(rng.integers(4))
            room = self.size[(wall + 1) % 2] / 2 - width / 2 - 0.02
            place = wall_place(self.size, wall, float(rng.uniform(-room, room)), depth / 2 + 0.01)
            box = footprint(place, depth, width, height)
            if piece.station is None:
                if self._try(piece, box):
                    return True
                continue
            station = ahead(place, depth / 2 + STANDING_ROOM, float(rng.uniform(-0.2, 0.2)) * width, np.pi)
            if self._try(piece, box, {piece.station: station}):
                reach = footprint(ahead(place, depth * 0.1), depth * 0.7, width * 0.8, piece.surface_height or height)
                if piece.surface is not None:
                    self.surfaces[piece.surface] = reach
                return True
        return False

    def add_free(self, piece: Piece, rng: np.random.Generator) -> None:
        """Put up as many of a piece as chance and room allow."""
        for _ in range(piece.most):
            if rng.random() > piece.chance:
                continue
            depth, width, height = piece.draw(rng)
            for _ in range(25):
                place = self._somewhere(piece, depth, rng)
                station = {}
                if piece.station and piece.station not in self.stations:
                    station = {piece.station: ahead(place, depth / 2 + STANDING_ROOM, 0, np.pi)}
                if self._try(piece, footprint(place, depth, width, height), station):
                    break

    def _somewhere(self, piece: Piece, depth: float, rng: np.random.Generator) -> Placement:
        if piece.near == "wall":
            wall = int(rng.integers(4))
            room = self.size[(wall + 1) % 2] / 2 - 0.3
            place = wall_place(
                self.size, wall, float(rng.uniform(-room, room)), depth / 2 + float(rng.uniform(0.05, 0.2))
            )
            return ahead(place, 0, 0, float(rng.normal(0, 0.12)))
        low, high = piece.ring
        angle, radius = rng.uniform(-np.pi, np.pi), rng.uniform(low, high)
        if piece.near == "head":
            angle = rng.uniform(-1.3, 1.3)
        table = self.core.table
        place = ahead(table, float(radius * np.cos(angle)), float(radius * np.sin(angle)))
        inward = np.arctan2(table.y - place.y, table.x - place.x) + rng.normal(0, 0.3)
        return Placement(place.x, place.y, float(inward))

    def add_panel(self, piece: Piece, rng: np.random.Generator) -> None:
        """Fix something flat to a free stretch of wall."""
        for _ in range(piece.most):
            if rng.random() > piece.chance:
                continue
            low, width, high = piece.draw(rng)
            for _ in range(15):
                wall = int(rng.integers(4))
                room = self.size[(wall + 1) % 2] / 2 - width / 2 - 0.15
                if room <= 0:
                    continue
                place = wall_place(self.size, wall, float(rng.uniform(-room, room)))
                if self._wall_is_free(place, width, low, high):
                    self.panels.append(Panel(piece.kind, place, width, low, high))
                    break

    def _wall_is_free(self, place: Placement, width: float, low: float, high: float) -> bool:
        span = footprint(place, 0.3, width, high)
        hidden = any(gap(span, item.box) < 0.02 and _top_at_wall(item) > low for item in self.items)
        taken = any(
            gap(span, footprint(panel.place, 0.3, panel.width, 0)) < 0.06 and panel.low < high and low < panel.high
            for panel in self.panels
        )
        return not hidden and not taken

    def _try(self, piece: Piece, box: Footprint, stations: dict[str, Placement] | None = None) -> bool:
        stations = stations or {}
        if not inside_room(box, self.size, margin=0.0):
            return False
        if any(gap(box, other) < piece.spacing for other in [*self.boxes(), *self.kept_free]):
            return False
        if piece.bottom and any(
            gap(box, footprint(Placement(x, y, 0), 0.7, 0.7, z)) < 0 for x, y, z in self.core.lamps
        ):
            return False
        item = Item(piece.kind, box, piece.bottom)
        if not self._passable(stations, item):
            return False
        self.items.append(item)
        self.stations.update(stations)
        return True

    def _passable(self, new_stations: dict[str, Placement], new_item: Item | None = None) -> bool:
        stations = {**self.stations, **new_stations}
        boxes = [*self.boxes(), *([new_item.box] if new_item else [])]
        spots = np.array([(place.x, place.y) for place in stations.values()])
        if np.any(np.abs(spots) > np.array(self.size[:2]) / 2 - STANDING_ROOM):
            return False
        if any(distance(spots, box).min() < STANDING_ROOM - 0.005 for box in boxes):
            return False
        for place in new_stations.values():
            if any(np.hypot(place.x - old.x, place.y - old.y) < PERSONAL_SPACE for old in self.stations.values()):
                return False
        return connected(self.size, boxes, stations.values(), clearance=CLEARANCE)

    def finish_stations(self, rng: np.random.Generator) -> bool:
        """Places for onlookers: a student behind the team, a technician where there is room if no device has one."""
        wanted = {"student": (1.15, 1.6)}
        if "technician" not in self.stations:
            wanted["technician"] = (1.5, 2.2)
        for name, (low, high) in wanted.items():
            for _ in range(60):
                angle, radius = rng.uniform(-np.pi, np.pi), rng.uniform(low, high)
                place = ahead(self.core.table, float(radius * np.cos(angle)), float(radius * np.sin(angle)))
                facing = np.arctan2(self.core.table.y - place.y, self.core.table.x - place.x)
                place = Placement(place.x, place.y, float(facing))
                if self._passable({name: place}):
                    self.stations[name] = place
                    break
            else:
                return False
        return True
