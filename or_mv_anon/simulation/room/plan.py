"""Lays a room out from a seed: the core around the table first, then the door, the walls' furniture, the clutter.

Every piece is tried at random places until it neither overlaps another nor blocks a station or a way between them;
an optional piece that finds no place is left out, and a core that does not fit its room starts a new room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from or_mv_anon.simulation.room.around_table import Core, Item, make_core
from or_mv_anon.simulation.room.filling import Panel, RoomFiller
from or_mv_anon.simulation.room.floor import inside_room
from or_mv_anon.simulation.room.pieces import FREE_STANDING, HANGING, WALL_FURNITURE, WALL_PANELS
from or_mv_anon.simulation.scene import Placement, RoomPlan


@dataclass(frozen=True)
class Layout:
    """Everything that stands, hangs or is fixed in a room, before it has a shape."""

    plan: RoomPlan
    core: Core
    items: tuple[Item, ...]
    panels: tuple[Panel, ...]


def lay_out(seed: int) -> Layout:
    """The layout that belongs to a seed."""
    for attempt in range(1000):
        layout = _attempt(np.random.default_rng([seed, 11, attempt]))
        if layout is not None:
            return layout
    raise AssertionError(f"no room found for seed {seed}")


def _attempt(rng: np.random.Generator) -> Layout | None:
    size = (float(rng.uniform(5.4, 8.0)), float(rng.uniform(5.4, 8.0)), float(rng.uniform(2.8, 3.2)))
    heading = rng.uniform(-np.pi, np.pi)
    if rng.random() < 0.6:  # most tables stand about square to the walls
        heading = np.round(heading / (np.pi / 2)) * np.pi / 2 + rng.normal(0, 0.08)
    spot = rng.uniform(-0.16, 0.16, 2) * size[:2]
    core = make_core(Placement(float(spot[0]), float(spot[1]), float(heading)), size[2], rng)
    if not all(inside_room(item.box, size, margin=0.05) for item in core.items):
        return None
    filler = RoomFiller(size, core)
    if not filler.add_door(rng):
        return None
    for piece in WALL_FURNITURE:
        if not filler.add_at_wall(piece, rng) and piece.station:
            return None
    for piece in HANGING:
        filler.add_free(piece, rng)
    for piece in FREE_STANDING:
        filler.add_free(piece, rng)
    for piece in WALL_PANELS:
        filler.add_panel(piece, rng)
    if not filler.finish_stations(rng):
        return None
    plan = RoomPlan(
        size,
        core.table,
        filler.stations,
        tuple(item.box for item in filler.items),
        filler.door,
        core.lamps,
        filler.surfaces,
    )
    return Layout(plan, core, tuple(filler.items), tuple(filler.panels))
