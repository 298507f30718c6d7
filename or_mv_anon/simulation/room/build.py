"""Makes a whole operating room from a seed: its plan, its meshes and its lights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from or_mv_anon.simulation.room import anaesthesia, clutter, decoys, devices, furniture, instruments
from or_mv_anon.simulation.room.fittings import floor_cable
from or_mv_anon.simulation.room.floor import ahead
from or_mv_anon.simulation.room.lamps import build_lamps, ceiling_lights
from or_mv_anon.simulation.room.panels import build_panel
from or_mv_anon.simulation.room.plan import Layout, lay_out
from or_mv_anon.simulation.room.shell import build_ceiling_lamps, build_shell
from or_mv_anon.simulation.room.shop import Bench, Shop
from or_mv_anon.simulation.room.style import Style, make_style
from or_mv_anon.simulation.room.table import arm_board, mayo_frame, operating_table
from or_mv_anon.simulation.scene import Footprint, Light, Mesh, Placement, RoomPlan

Colour = tuple[float, float, float]

MAKERS: dict[str, Callable[[Bench, Footprint], None]] = {
    "trolley": instruments.trolley,
    "back_table": instruments.back_table,
    "anaesthesia_machine": anaesthesia.anaesthesia_machine,
    "anaesthesia_cart": anaesthesia.anaesthesia_cart,
    "arm_board": arm_board,
    "shelf": furniture.shelf,
    "cabinet": furniture.cabinet,
    "counter": furniture.counter,
    "desk": furniture.desk,
    "crash_cart": furniture.crash_cart,
    "supply_cart": furniture.supply_cart,
    "stool": furniture.stool,
    "step": furniture.step,
    "tower": devices.tower,
    "electrosurgical_unit": devices.electrosurgical_unit,
    "ultrasound": devices.ultrasound,
    "c_arm": devices.c_arm,
    "iv_pole": clutter.iv_pole,
    "suction": clutter.suction,
    "kick_bucket": clutter.kick_bucket,
    "bin": clutter.waste_bin,
    "laundry": clutter.laundry,
    "gas_trolley": clutter.gas_trolley,
    "folding_screen": clutter.folding_screen,
    "box_pile": clutter.box_pile,
    "gown_stand": decoys.gown_stand,
    "draped_device": decoys.draped_device,
}
FROM_THE_CEILING: dict[str, Callable[[Bench, Footprint, float], None]] = {
    "boom_monitor": devices.boom_monitor,
    "pendant": devices.pendant,
}


@dataclass(frozen=True, eq=False)
class Room:
    """An empty operating room.

    Attributes:
        plan: where things are.
        meshes: everything that does not move, in world coordinates.
        lights: surgical lamps first, then the ceiling's.
        ambient: linear RGB of the light from below and from above.
    """

    plan: RoomPlan
    meshes: list[Mesh]
    lights: list[Light]
    ambient: tuple[Colour, Colour]


def make_room(seed: int) -> Room:
    """The operating room that belongs to a seed; the same seed gives the same room to the last vertex."""
    layout = lay_out(seed)
    rng = np.random.default_rng([seed, 12])
    style = make_style(rng, layout.plan.size[2])
    shop = Shop()
    world = Bench(style, rng)
    build_shell(shop, world, layout)
    build_ceiling_lamps(shop, world, layout)
    lights = build_lamps(world, layout)
    lights += ceiling_lights(layout, rng)
    _furnish(shop, style, layout, rng)
    _connect(world, layout)
    shop.put(world, Placement(0.0, 0.0, 0.0))
    return Room(layout.plan, shop.meshes(), lights, _ambient(style, rng))


def _furnish(shop: Shop, style: Style, layout: Layout, rng: np.random.Generator) -> None:
    ceiling = layout.plan.size[2]
    table, mayo = layout.plan.table, layout.plan.surfaces["mayo"]
    part = Bench(style, rng)
    operating_table(part, table)
    shop.put(part, table)
    part = Bench(style, rng)
    instruments.mayo_tray(part, mayo)
    shop.put(part, mayo)
    for item in layout.items:
        part = Bench(style, rng)
        if item.kind == "mayo_stand":
            c, s = np.cos(item.box.heading), np.sin(item.box.heading)
            x, y = mayo.x - item.box.x, mayo.y - item.box.y
            mayo_frame(part, item.box, (float(c * x + s * y), float(c * y - s * x), mayo.height))
        elif item.kind in FROM_THE_CEILING:
            FROM_THE_CEILING[item.kind](part, item.box, ceiling)
        else:
            MAKERS[item.kind](part, item.box)
        shop.put(part, item.box)
    for panel in layout.panels:
        part = Bench(style, rng)
        build_panel(part, panel)
        shop.put(part, panel.place)


def _connect(world: Bench, layout: Layout) -> None:
    """Hoses from the anaesthesia machine to the patient's head; cables over the floor."""
    rng, style = world.rng, world.style
    table = layout.plan.table
    machine = next(item.box for item in layout.items if item.kind == "anaesthesia_machine")
    side = layout.core.machine_side
    port = ahead(machine, machine.length * 0.3, 0.1)
    beside = ahead(table, 0.68, side * 0.2)
    mouth = ahead(table, 0.76, side * 0.035)
    anaesthesia.breathing_hoses(
        world,
        np.array([port.x, port.y, 0.84]),
        np.array([beside.x, beside.y, table.height + 0.17]),
        np.array([mouth.x, mouth.y, table.height + 0.265]),
    )
    colours = ((0.03, 0.03, 0.035), (0.03, 0.03, 0.035), (0.6, 0.18, 0.02), (0.3, 0.31, 0.32), (0.03, 0.12, 0.4))
    powered = [
        i.box for i in layout.items if i.kind in {"anaesthesia_machine", "tower", "electrosurgical_unit", "suction"}
    ]
    x, y, _ = layout.plan.size
    for box in powered:
        back = ahead(box, -box.length / 2 - 0.02)
        towards = np.array([np.sign(back.x) * x / 2, back.y]) if x / 2 - abs(back.x) < y / 2 - abs(back.y) else None
        end = towards if towards is not None else np.array([back.x, np.sign(back.y) * y / 2])
        colour = colours[int(rng.integers(len(colours)))]
        floor_cable(world, (back.x, back.y), end, 0.008, style.paint(colour, roughness=0.5))
    foot = ahead(table, -0.3, 0.0)
    for kind in ("electrosurgical_unit", "suction"):
        for item in layout.items:
            if item.kind == kind:
                front = ahead(item.box, item.box.length / 2)
                floor_cable(world, (front.x, front.y), (foot.x, foot.y), 0.007, style.black)


def _ambient(style: Style, rng: np.random.Generator) -> tuple[Colour, Colour]:
    level = float(rng.uniform(0.40, 0.52))
    floor = style.floor.texture
    assert floor is not None
    bounce = (floor.reshape(-1, 3).mean(axis=0) / 255) ** 2.2
    low = 0.75 * level * (0.4 + 0.6 * bounce / bounce.max())
    return (float(low[0]), float(low[1]), float(low[2])), (level, level, level * 1.02)
