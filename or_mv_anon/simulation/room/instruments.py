"""Sterile tables: blue or green cloths with shining instruments, bowls, swabs and packs on them."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room.blocks import box
from or_mv_anon.simulation.room.cloth import cover
from or_mv_anon.simulation.room.fittings import bottle
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.solid import Solid, join
from or_mv_anon.simulation.room.turned import cylinder, lathe, rod, tube
from or_mv_anon.simulation.scene import Footprint


def trolley(bench: Bench, place: Footprint) -> None:
    """An instrument trolley with a cloth nearly to the floor; x is its front."""
    rng = bench.rng
    top, hem = place.height, float(rng.uniform(0.25, 0.5))
    colour = bench.style.drape
    bench.add(cover(place.length, place.width, top, hem, rng), bench.style.fabric(colour, folds=0.5))
    for x in (-1, 1):
        for y in (-1, 1):
            corner = (x * (place.length / 2 - 0.05), y * (place.width / 2 - 0.06))
            bench.add(cylinder(0.016, hem + 0.1, segments=8).on(corner), bench.style.chrome)
            bench.add(cylinder(0.035, 0.04, segments=10).on(corner), bench.style.black)
    lay(bench, place.length, place.width, top + 0.006, count=int(rng.integers(22, 40)))
    if rng.random() < 0.7:
        sieve = (place.length * 0.5, place.width * 0.3)
        _tray(bench, sieve, (0.0, place.width * 0.28, top + 0.008))


def mayo_tray(bench: Bench, tray: Footprint) -> None:
    """The tray over the patient's legs with its cloth and the instruments in use."""
    rng = bench.rng
    top = tray.height
    bench.add(
        cover(tray.length, tray.width, top, top - 0.15, rng, flare=0.025, points=80),
        bench.style.fabric(bench.style.drape),
    )
    bench.add(box(tray.length * 0.96, tray.width * 0.96, 0.02).at(z=top - 0.022), bench.style.steel)
    lay(bench, tray.length, tray.width, top + 0.006, count=int(rng.integers(10, 18)), bowls=0)


def back_table(bench: Bench, place: Footprint) -> None:
    """A plain steel table with a towel, packs and a bowl."""
    rng = bench.rng
    bench.add(box(place.length, place.width, 0.025, bevel=0.006).at(z=place.height - 0.025), bench.style.steel)
    bench.add(box(place.length * 0.94, place.width * 0.94, 0.02).at(z=0.25), bench.style.steel)
    for x in (-1, 1):
        for y in (-1, 1):
            leg = cylinder(0.014, place.height - 0.06, segments=8)
            bench.add(leg.at(x * (place.length / 2 - 0.04), y * (place.width / 2 - 0.04), 0.04), bench.style.chrome)
            bench.add(
                cylinder(0.03, 0.04, segments=10).at(x * (place.length / 2 - 0.04), y * (place.width / 2 - 0.04)),
                bench.style.black,
            )
    cloth = cover(place.length * 0.8, place.width * 0.6, place.height, place.height - 0.16, rng, flare=0.015, points=60)
    bench.add(cloth, bench.style.fabric(bench.style.drape, folds=0.4))
    lay(bench, place.length * 0.7, place.width * 0.9, place.height + 0.008, count=8)
    for _ in range(int(rng.integers(2, 5))):
        spot = rng.uniform(-0.35, 0.35, 2) * (place.length, place.width)
        bench.add_box(box(0.16, 0.24, 0.1).on(spot, 0.27, turn=float(rng.normal(0, 0.3))))


def lay(bench: Bench, depth: float, width: float, top: float, *, count: int, bowls: int = 2) -> None:
    """Put instruments in rough rows, bowls and swabs on a table top."""
    rng, style = bench.rng, bench.style
    rows = max(2, int(width / 0.1))
    steel = []
    for k in range(count):
        y = ((k % rows) + 0.5) / rows * width - width / 2 + rng.normal(0, 0.012)
        x = rng.uniform(-0.3, 0.3) * depth
        turn = float(rng.normal(0, 0.15) + (np.pi if rng.random() < 0.2 else 0))
        steel.append(_instrument(rng).at(float(x), float(y), top, turn=turn))
    bench.add(join(*steel), style.chrome)
    for _ in range(bowls):
        spot = rng.uniform(-0.33, 0.33, 2) * (depth, width)
        radius = float(rng.uniform(0.05, 0.1))
        bowl = lathe(
            [
                (radius * 0.55, 0),
                (radius, radius * 0.7),
                (radius * 0.94, radius * 0.7),
                (radius * 0.5, 0.008),
                (0, 0.008),
            ]
        )
        bench.add(bowl.on(spot, top), style.steel)
    for _ in range(int(rng.integers(2, 6))):
        spot = rng.uniform(-0.4, 0.4, 2) * (depth, width)
        size = rng.uniform((0.06, 0.08, 0.01), (0.14, 0.18, 0.035))
        white = style.paint((0.72, 0.72, 0.70), roughness=0.95, specular=0.05)
        cloth = box(*size, bevel=0.008).on(spot, top, turn=float(rng.uniform(0, 3)))
        bench.add(cloth, white if rng.random() < 0.7 else style.fabric(style.drape))
    if rng.random() < 0.6:
        spot = rng.uniform(-0.35, 0.35, 2) * (depth, width)
        bottle(
            bench, 0.03, 0.14, (float(spot[0]), float(spot[1]), top), style.paint((0.35, 0.12, 0.03), roughness=0.25)
        )


def _instrument(rng: np.random.Generator) -> Solid:
    length = float(rng.uniform(0.13, 0.24))
    kind = rng.integers(3)
    if kind == 0:  # a clamp or scissors with its rings
        t = np.linspace(0, 2 * np.pi, 9)
        parts = []
        for side in (-1, 1):
            parts.append(
                rod(
                    (-length / 2, side * 0.016, 0.004),
                    (length / 2, -side * 0.003, 0.004),
                    0.0035,
                    top=0.002,
                    segments=5,
                )
            )
            ring = np.c_[-length / 2 - 0.014 + 0.013 * np.cos(t), side * 0.02 + 0.013 * np.sin(t), np.full(9, 0.004)]
            parts.append(tube(ring, 0.003, segments=5, closed=False))
        return join(*parts)
    if kind == 1:  # a retractor or a scalpel
        blade = box(length * 0.3, 0.014, 0.003).at(length * 0.4, 0, 0.002)
        return join(box(length, 0.011, 0.006, bevel=0.002), blade)
    return rod((-length / 2, 0, 0.005), (length / 2, 0, 0.004), 0.005, top=0.0025, segments=6)


def _tray(bench: Bench, size: tuple[float, float], place: tuple[float, float, float]) -> None:
    depth, width = size
    for x, y, a, b in ((0, 1, depth, 0.004), (0, -1, depth, 0.004), (1, 0, 0.004, width), (-1, 0, 0.004, width)):
        wall = box(a, b, 0.06).at(place[0] + x * depth / 2, place[1] + y * width / 2, place[2])
        bench.add(wall, bench.style.steel)
    bench.add(box(depth, width, 0.004).on(place), bench.style.steel)
    rng = bench.rng
    pieces = [
        _instrument(rng).at(
            place[0] + float(rng.uniform(-0.25, 0.25)) * depth,
            place[1] + float(rng.uniform(-0.4, 0.4)) * width,
            place[2] + float(rng.uniform(0.005, 0.05)),
            turn=float(rng.uniform(0, 6)),
        )
        for _ in range(14)
    ]
    bench.add(join(*pieces), bench.style.chrome)
