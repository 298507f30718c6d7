"""The room itself: floor, walls with the door's opening and a corridor behind, coved edges, ceiling, its lamps."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room.blocks import box, panel
from or_mv_anon.simulation.room.filling import DOOR_WIDTH, wall_place
from or_mv_anon.simulation.room.floor import ahead
from or_mv_anon.simulation.room.grain import TILE_METRES
from or_mv_anon.simulation.room.plan import Layout
from or_mv_anon.simulation.room.shop import Bench, Shop
from or_mv_anon.simulation.room.solid import Solid
from or_mv_anon.simulation.scene import Material

WALL_TEXTURE = 3.0  # metres that one repeat of a wall picture covers
DOOR_HEIGHT = 2.1
CORRIDOR = 1.8  # metres, depth of the piece of corridor behind the door


def build_shell(shop: Shop, bench: Bench, layout: Layout) -> None:
    """Floor, ceiling, walls, door; in world coordinates."""
    x, y, ceiling = layout.plan.size
    style = bench.style
    bench.add(level(x, y, repeat=TILE_METRES), style.floor)
    bench.add(level(x, y, repeat=1.2, down=True).at(z=ceiling), style.ceiling)
    skirting = style.paint(_mean_colour(style.floor), roughness=0.4)
    for wall in range(4):
        place = wall_place(layout.plan.size, wall, 0)
        length = layout.plan.size[(wall + 1) % 2]
        offset = (layout.plan.door.x - place.x, layout.plan.door.y - place.y)
        along = -np.sin(place.heading) * offset[0] + np.cos(place.heading) * offset[1]
        out = np.cos(place.heading) * offset[0] + np.sin(place.heading) * offset[1]
        part = Bench(style, bench.rng)
        if abs(out) > 1e-6 or abs(along) > length / 2:
            _wall(part, style.wall, -length / 2, length / 2, 0, ceiling, ceiling)
            part.add(box(0.02, length, 0.1).at(0.01), skirting)
        else:
            low, high = along - DOOR_WIDTH / 2, along + DOOR_WIDTH / 2
            for start, end in ((-length / 2, low), (high, length / 2)):
                _wall(part, style.wall, start, end, 0, ceiling, ceiling)
                part.add(box(0.02, end - start, 0.1).at(0.01, (start + end) / 2), skirting)
            _wall(part, style.wall, low, high, DOOR_HEIGHT, ceiling, ceiling)
        shop.put(part, place)
    _door(shop, layout, bench)


def level(x: float, y: float, *, repeat: float, down: bool = False) -> Solid:
    """A level rectangle at z = 0 about the origin that faces up, or down; its texture repeats every so many metres."""
    corners = np.array([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]]) / 2
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    normal = [0.0, 0, -1.0 if down else 1.0]
    return Solid(corners, triangles[:, ::-1] if down else triangles, np.tile(normal, (4, 1)), corners[:, :2] / repeat)


def _wall(part: Bench, material: Material, start: float, end: float, low: float, high: float, ceiling: float) -> None:
    piece = panel(end - start, high - low).at(y=(start + end) / 2, z=low)
    uv = np.stack([piece.vertices[:, 1] / WALL_TEXTURE, piece.vertices[:, 2] / ceiling], axis=1)
    part.add(Solid(piece.vertices, piece.triangles, piece.normals, uv), material)


def _door(shop: Shop, layout: Layout, bench: Bench) -> None:
    style, rng = bench.style, bench.rng
    part = Bench(style, rng)
    frame = style.steel if rng.random() < 0.5 else style.trim
    for side in (-1, 1):
        part.add(box(0.2, 0.07, DOOR_HEIGHT + 0.07).at(-0.08, side * (DOOR_WIDTH / 2 + 0.02)), frame)
    part.add(box(0.2, DOOR_WIDTH + 0.1, 0.07).at(-0.08, z=DOOR_HEIGHT), frame)
    leaf = float(rng.uniform(0.12, 0.28))  # a sliding door, parked nearly out of sight
    side = int(rng.choice([-1, 1]))
    colour = style.paint(style.second_accent, roughness=0.4) if rng.random() < 0.5 else style.white
    part.add(box(0.05, leaf, DOOR_HEIGHT - 0.02).at(-0.1, side * (DOOR_WIDTH / 2 - leaf / 2), 0.01), colour)
    part.add(box(0.03, 0.03, 0.4, bevel=0.008).at(-0.06, side * (DOOR_WIDTH / 2 - leaf + 0.05), 0.9), style.chrome)
    dim = style.paint((0.30, 0.31, 0.32))
    wide = DOOR_WIDTH + 2.4
    part.add(level(CORRIDOR, wide, repeat=TILE_METRES).at(-CORRIDOR / 2, z=-0.002), style.floor)
    part.add(panel(wide, layout.plan.size[2]).at(-CORRIDOR), dim)
    for end in (-1, 1):
        part.add(panel(CORRIDOR, layout.plan.size[2]).at(-CORRIDOR / 2, end * wide / 2, turn=-end * np.pi / 2), dim)
    part.add(level(CORRIDOR, wide, repeat=1.2, down=True).at(-CORRIDOR / 2, z=2.6), style.ceiling)
    part.add(box(0.04, 1.0, 2.05).at(-CORRIDOR + 0.03, float(rng.uniform(-0.6, 0.6))), style.trim)
    part.add(box(0.1, wide * 0.8, 0.04).at(-CORRIDOR / 2, z=2.55), style.paint((1, 1, 1), emission=1.5))
    shop.put(part, layout.plan.door)
    sign = Bench(style, rng)
    sign.add(
        box(0.05, 0.3, 0.14, bevel=0.01).at(0.03, z=DOOR_HEIGHT + 0.16), style.paint((0.1, 0.6, 0.2), emission=0.7)
    )
    shop.put(sign, ahead(layout.plan.door, 0))


def build_ceiling_lamps(shop: Shop, bench: Bench, layout: Layout) -> list[tuple[float, float]]:
    """Lit panels in the ceiling, around the table or in rows, with air outlets; their places on the floor plan."""
    style, rng = bench.style, bench.rng
    x, y, ceiling = layout.plan.size
    glow = style.paint((1.0, 1.0, 0.97), emission=2.2)
    long, wide = (1.2, 0.3) if rng.random() < 0.5 else (1.2, 0.6)
    places = []
    columns, rows = (2, 3) if rng.random() < 0.5 else (3, 2)
    for i in range(columns):
        for j in range(rows):
            centre = ((i + 0.5) / columns - 0.5) * x * 0.9, ((j + 0.5) / rows - 0.5) * y * 0.9
            places.append(centre)
            part = Bench(style, rng)
            part.add(box(long + 0.06, wide + 0.06, 0.02), style.white)
            part.add(box(long, wide, 0.02).at(z=-0.006), glow)
            part.add(box(0.012, wide, 0.02).at(z=-0.01), style.white)
            for solid, material in part.pieces:
                bench.add(solid.on(centre, ceiling - 0.021), material)
    table = layout.plan.table
    if rng.random() < 0.6:  # the clean-air field above the table
        size = float(rng.uniform(1.6, 2.4))
        field = box(size, size, 0.04).at(table.x, table.y, ceiling - 0.045)
        bench.add(field, style.paint((0.80, 0.81, 0.81), roughness=0.7))
        for k in range(-2, 3):
            bench.add(box(size, 0.012, 0.01).at(table.x, table.y + k * size / 5, ceiling - 0.05), style.grey)
    for _ in range(int(rng.integers(2, 5))):
        spot = rng.uniform(-0.42, 0.42, 2) * (x, y)
        bench.add(box(0.5, 0.5, 0.015, bevel=0.005).on(spot, ceiling - 0.015), style.grey)
        bench.add(box(0.42, 0.42, 0.02).on(spot, ceiling - 0.02), style.white)
    return places


def _mean_colour(material: Material) -> tuple[float, float, float]:
    if material.texture is None:
        return material.colour
    r, g, b = (float(v) for v in (material.texture.reshape(-1, 3).mean(axis=0) / 255) ** 2.2 * 0.9)
    return r, g, b
