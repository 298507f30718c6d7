"""The core of every operating room: the table, the team's places around it, and what those places need.

Positions are told from the table: `forward` is towards the patient's head, `left` to the left of that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from or_mv_anon.simulation.room.floor import ahead, footprint
from or_mv_anon.simulation.scene import Footprint, Placement

MAYO_ABOVE = 0.37  # metres from the table to the tray over the patient's legs: draped feet pass under it
STANDING_ROOM = 0.36  # metres from a station's centre to whatever it faces; less and bodies touch furniture


@dataclass(frozen=True)
class Item:
    """A piece of equipment. Its front is where its heading points; `bottom` is above the floor when it hangs."""

    kind: str
    box: Footprint
    bottom: float = 0.0


@dataclass(frozen=True)
class Core:
    """The table with the people and the equipment that belong to it."""

    table: Footprint
    items: tuple[Item, ...]
    stations: dict[str, Placement]
    surfaces: dict[str, Footprint]
    lamps: tuple[tuple[float, float, float], ...]
    surgeon_side: int  # +1: to the left of the table's heading
    machine_side: int


def make_core(place: Placement, ceiling: float, rng: np.random.Generator) -> Core:
    """Arrange the team around a table that stands at `place` (heading towards the patient's head)."""
    table = footprint(place, 2.0, float(rng.uniform(0.5, 0.56)), float(rng.uniform(0.76, 0.88)))
    surgeon, machine_side = (int(rng.choice([-1, 1])) for _ in range(2))
    beside = table.width / 2 + STANDING_ROOM

    def station(forward: float, left: float, facing: float) -> Placement:
        return ahead(table, forward, left, facing)

    to_right, to_left = -np.pi / 2, np.pi / 2
    across = to_right if surgeon > 0 else to_left
    operating = float(rng.uniform(0.0, 0.2))
    stations = {
        "surgeon": station(operating, surgeon * beside, across),
        "assistant": station(operating + float(rng.uniform(-0.05, 0.1)), -surgeon * beside, -across),
        "second_assistant": station(operating - 0.68, surgeon * beside, across),
        "scrub_nurse": station(operating - 0.8, -surgeon * beside, -across),
    }
    surfaces = {
        "field": footprint(station(operating, 0, 0), 0.34, 0.3, table.height + 0.26),
        "mayo": footprint(station(operating - 0.85, 0, to_left), 0.44, 0.62, table.height + MAYO_ABOVE),
    }
    # the stand's post, outside the table on the second assistant's side, towards the feet
    post = footprint(
        station(operating - 1.14, surgeon * (table.width / 2 + 0.1), 0), 0.1, 0.1, table.height + MAYO_ABOVE
    )
    items = [Item("mayo_stand", post)]

    trolley_width = float(rng.uniform(1.1, 1.5))
    if rng.random() < 0.5:  # behind the nurse
        behind = beside + 0.12 + STANDING_ROOM + 0.3
        trolley = footprint(station(operating - 1.05, -surgeon * behind, across + np.pi), 0.6, trolley_width, 0.93)
    else:  # beyond the feet
        trolley = footprint(
            station(-1.0 - 0.62, -surgeon * (beside + 0.1), float(rng.uniform(-0.15, 0.15))), 0.6, trolley_width, 0.93
        )
    items.append(Item("trolley", trolley))
    surfaces["trolley"] = trolley

    head_end = 1.0 + STANDING_ROOM + 0.06
    stations["anaesthetist"] = station(head_end, -machine_side * 0.08, np.pi)
    facing_in = to_right if machine_side > 0 else to_left
    machine = footprint(
        station(
            head_end + float(rng.uniform(-0.1, 0.15)), machine_side * 1.25, facing_in + float(rng.uniform(-0.3, 0.3))
        ),
        0.66,
        float(rng.uniform(0.7, 0.9)),
        1.42,
    )
    items.append(Item("anaesthesia_machine", machine))
    stations["anaesthesia_machine"] = ahead(machine, 0.33 + STANDING_ROOM, 0, np.pi)
    surfaces["machine"] = footprint(ahead(machine, 0.2, 0), 0.3, machine.width * 0.8, 0.86)
    cart = footprint(station(head_end + 0.25, -machine_side * 1.15, -facing_in), 0.5, 0.62, 1.02)
    items.append(Item("anaesthesia_cart", cart))

    if rng.random() < 0.6:
        board = ahead(table, 0.62, machine_side * (table.width / 2 + 0.33), facing_in + np.pi)
        items.append(Item("arm_board", footprint(board, 0.66, 0.15, table.height), bottom=table.height - 0.1))
    lamps = _lamps(table, operating, ceiling, rng)
    return Core(table, tuple(items), stations, surfaces, lamps, surgeon, machine_side)


def _lamps(
    table: Footprint, operating: float, ceiling: float, rng: np.random.Generator
) -> tuple[tuple[float, float, float], ...]:
    centres = []
    count = 1 if rng.random() < 0.25 else 2
    start = rng.uniform(0, 2 * np.pi)
    for k in range(count):
        angle = start + k * np.pi + rng.uniform(-0.5, 0.5)
        radius = rng.uniform(0.3, 0.55)
        spot = ahead(table, operating + radius * np.cos(angle), radius * np.sin(angle))
        centres.append((spot.x, spot.y, float(rng.uniform(2.02, min(2.3, ceiling - 0.6)))))
    return tuple(centres)
