"""The catalogue: what may stand in a room, how large it is, how often it is there, and where it likes to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Piece:
    """A kind of equipment.

    Attributes:
        kind: the name that its builder has.
        small, large: (depth, width, height) in metres between which it is drawn; for panels on a wall
            (lower edge, width, upper edge) above the floor.
        chance: that one is there, for each of the `most`.
        station, surface: the role's place in front of it and the surface that hands reach for, where it has them.
        surface_height: metres, of that surface, where it is not the top.
        near: 'wall' backs onto a wall, 'table' stands around the table, 'head' around its head end.
        ring: metres from the table's middle.
        bottom: metres above the floor when it hangs.
        spacing: metres to other pieces, at least.
    """

    kind: str
    small: tuple[float, float, float]
    large: tuple[float, float, float]
    chance: float = 1.0
    most: int = 1
    station: str | None = None
    surface: str | None = None
    surface_height: float | None = None
    near: str = "wall"
    ring: tuple[float, float] = (1.6, 2.8)
    bottom: float = 0.0
    spacing: float = 0.05

    def draw(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """Its size in this room."""
        a, b, c = (float(rng.uniform(low, high)) for low, high in zip(self.small, self.large, strict=True))
        return a, b, c


WALL_FURNITURE = (
    Piece("shelf", (0.4, 1.1, 1.8), (0.5, 2.2, 2.1), station="shelf", surface="shelf", surface_height=1.1),
    Piece("desk", (0.55, 1.1, 0.74), (0.65, 1.6, 1.02), station="computer", surface="desk"),
    Piece("counter", (0.5, 1.5, 0.88), (0.62, 2.8, 0.92), station="supplies"),
    Piece("cabinet", (0.45, 0.9, 1.9), (0.55, 1.6, 2.15), chance=0.6),
    Piece("counter", (0.5, 1.2, 0.88), (0.62, 2.2, 0.92), chance=0.35),
)

HANGING = (
    Piece("pendant", (0.45, 0.55, 1.95), (0.5, 0.7, 2.1), 0.75, near="head", ring=(1.5, 2.6), bottom=0.85),
    Piece("boom_monitor", (0.12, 0.55, 1.75), (0.14, 0.75, 1.95), 0.7, 2, near="table", ring=(1.25, 1.9), bottom=1.3),
)

FREE_STANDING = (
    Piece("tower", (0.55, 0.6, 1.5), (0.65, 0.7, 1.85), 0.6, station="technician", near="table"),
    Piece("electrosurgical_unit", (0.45, 0.42, 1.1), (0.5, 0.5, 1.35), 0.9, station="technician", near="table"),
    Piece("c_arm", (1.5, 0.75, 1.75), (1.7, 0.8, 1.85), 0.2, near="wall"),
    Piece("ultrasound", (0.6, 0.5, 1.35), (0.7, 0.55, 1.5), 0.3, near="head", ring=(1.9, 2.8)),
    Piece("iv_pole", (0.45, 0.45, 1.9), (0.5, 0.5, 2.15), 0.7, 3, near="head", ring=(1.2, 2.2)),
    Piece("suction", (0.36, 0.36, 0.8), (0.42, 0.42, 1.0), 0.8, 2, near="table", ring=(1.4, 2.4)),
    Piece("kick_bucket", (0.34, 0.34, 0.3), (0.4, 0.4, 0.34), 0.6, 2, near="table", ring=(0.9, 1.8)),
    Piece("stool", (0.38, 0.38, 0.48), (0.42, 0.42, 0.66), 0.6, 3, near="table", ring=(1.5, 3.0)),
    Piece("back_table", (0.55, 0.9, 0.88), (0.65, 1.3, 0.95), 0.6, near="table", ring=(1.7, 3.2)),
    Piece("draped_device", (0.5, 0.5, 1.45), (0.65, 0.65, 1.8), 0.35, near="table", ring=(1.7, 3.2)),
    Piece("crash_cart", (0.48, 0.7, 0.98), (0.55, 0.8, 1.08), 0.45),
    Piece("supply_cart", (0.45, 0.8, 1.4), (0.55, 1.1, 1.75), 0.5),
    Piece("laundry", (0.45, 0.45, 0.85), (0.5, 0.9, 0.95), 0.7, 2),
    Piece("bin", (0.34, 0.34, 0.5), (0.42, 0.46, 0.8), 0.7, 4),
    Piece("gown_stand", (0.45, 0.5, 1.7), (0.5, 0.6, 1.85), 0.4),
    Piece("gas_trolley", (0.36, 0.36, 1.3), (0.4, 0.5, 1.5), 0.35),
    Piece("folding_screen", (0.12, 0.7, 1.7), (0.4, 1.2, 1.8), 0.3),
    Piece("step", (0.32, 0.42, 0.2), (0.36, 0.5, 0.24), 0.5, 2),
    Piece("box_pile", (0.3, 0.4, 0.3), (0.5, 0.7, 0.8), 0.4, 2),
)

WALL_PANELS = (
    Piece("window", (0.95, 1.0, 1.95), (1.1, 2.2, 2.15), 0.6),
    Piece("light_box", (1.25, 0.8, 1.7), (1.35, 1.5, 1.8), 0.4),
    Piece("wall_screen", (1.3, 1.0, 1.95), (1.45, 1.5, 2.2), 0.65),
    Piece("hooks", (0.75, 0.5, 1.85), (0.85, 1.1, 1.95), 0.45),
    Piece("glove_boxes", (1.25, 0.3, 1.65), (1.35, 0.45, 1.75), 0.8, 2),
    Piece("clock", (2.2, 0.32, 2.52), (2.25, 0.36, 2.6), 0.9),
    Piece("poster", (1.25, 0.4, 1.85), (1.4, 0.6, 2.1), 0.7, 3),
    Piece("sharps", (0.95, 0.2, 1.2), (1.0, 0.26, 1.3), 0.6),
    Piece("radiator", (0.12, 0.8, 0.75), (0.2, 1.4, 1.9), 0.3),
    Piece("gas_rail", (1.2, 0.9, 1.5), (1.3, 1.8, 1.6), 0.7, 2),
    Piece("switches", (1.05, 0.1, 1.2), (1.1, 0.3, 1.3), 0.8, 3),
)
