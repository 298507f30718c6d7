"""What stands about: infusion poles, suction, waste, laundry, buckets, gas bottles, screens, boxes."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room.blocks import box, sheet
from or_mv_anon.simulation.room.fittings import cable, castors, stack, star_base
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.solid import tilt
from or_mv_anon.simulation.room.turned import ball, cylinder, lathe, rod, tube
from or_mv_anon.simulation.scene import Footprint


def iv_pole(bench: Bench, place: Footprint) -> None:
    """A pole with hanging bags and bottles, lines, and one or two pumps."""
    style, rng = bench.style, bench.rng
    height = place.height
    star_base(bench, place.length * 0.46)
    bench.add(cylinder(0.014, height - 0.08, segments=10).at(z=0.08), style.chrome)
    bench.add(cylinder(0.019, height * 0.5, segments=10).at(z=0.08), style.chrome)
    for k in range(4):
        angle = k * np.pi / 2 + 0.4
        hook = 0.14 * np.array([np.cos(angle), np.sin(angle)])
        bench.add(rod((0, 0, height - 0.02), (*hook, height), 0.006, segments=6), style.chrome)
        if rng.random() < 0.65:
            _bag(bench, hook, height - 0.03, angle)
    for k in range(int(rng.integers(0, 4))):
        pump = box(0.13, 0.2, 0.13, bevel=0.015).at(0.07, 0, 0.95 + 0.16 * k)
        bench.add(pump, style.housing)
        lit = style.paint((0.1, 0.75, 0.35), emission=0.7)
        bench.add(box(0.004, 0.08, 0.035).at(0.137, -0.03, 1.02 + 0.16 * k), lit)


def _bag(bench: Bench, hook: np.ndarray, top: float, angle: float) -> None:
    style, rng = bench.style, bench.rng
    colour = ((0.72, 0.76, 0.78), (0.72, 0.76, 0.78), (0.70, 0.62, 0.30), (0.30, 0.02, 0.03))[int(rng.integers(4))]
    clear = style.paint(colour, roughness=0.18, specular=0.8)
    bag = box(0.035, 0.12, 0.22, bevel=0.016).at(0, 0, top - 0.26, turn=angle)
    bench.add(bag.on(hook), clear)
    label = box(0.037, 0.07, 0.06).at(0, 0, top - 0.2, turn=angle)
    bench.add(label.on(hook), style.paint((0.8, 0.8, 0.78)))
    start = np.array([*hook, top - 0.26])
    bench.add(cylinder(0.011, 0.06, segments=8).at(hook[0], hook[1], top - 0.34), clear)
    bench.add(
        tube([start, start - (0, 0, 0.5), np.array([0.05, 0, 0.9]), np.array([0.2, 0.1, 0.7])], 0.004, segments=5),
        clear,
    )


def suction(bench: Bench, place: Footprint) -> None:
    """Suction canisters on a trolley with their hoses."""
    style, rng = bench.style, bench.rng
    star_base(bench, place.length * 0.46, legs=4)
    bench.add(cylinder(0.02, place.height - 0.1, segments=10).at(z=0.08), style.chrome)
    clear = style.paint((0.66, 0.70, 0.72), roughness=0.15, specular=0.9)
    filled = style.paint((0.28, 0.03, 0.02), roughness=0.2, specular=0.7)
    for k in range(int(rng.integers(2, 5))):
        angle = k * np.pi / 2 + 0.3
        x, y = 0.12 * np.cos(angle), 0.12 * np.sin(angle)
        z = place.height * 0.5
        level = float(rng.uniform(0.02, 0.14))
        bench.add(cylinder(0.075, 0.23 - level, top=0.078, segments=16).at(x, y, z + level), clear)
        bench.add(cylinder(0.074, level, segments=16).at(x, y, z), filled if rng.random() < 0.3 else clear)
        bench.add(cylinder(0.082, 0.03, bevel=0.008, segments=16).at(x, y, z + 0.23), style.trim)
        cable(bench, (x, y, z + 0.26), (0.2 * np.cos(angle + 1), 0.2 * np.sin(angle + 1), 0.02), 0.05, 0.005)


def kick_bucket(bench: Bench, place: Footprint) -> None:
    """A steel bucket in a ring on castors, with used swabs."""
    style, rng = bench.style, bench.rng
    radius, height = place.length * 0.42, place.height
    profile = [(radius * 0.75, 0.06), (radius, height), (radius * 0.96, height), (radius * 0.72, 0.07), (0, 0.07)]
    bench.add(lathe([(0, 0.06), *profile], segments=24), style.chrome)
    ring = lathe([(radius * 0.9, 0.05), (radius, 0.05), (radius, 0.09), (radius * 0.9, 0.09), (radius * 0.9, 0.05)])
    bench.add(ring, style.black)
    for k in range(4):
        angle = k * np.pi / 2
        bench.add(cylinder(0.025, 0.05, segments=10).at(radius * np.cos(angle), radius * np.sin(angle)), style.black)
    for _ in range(int(rng.integers(2, 6))):
        spot = rng.uniform(-0.5, 0.5, 2) * radius
        swab = box(0.09, 0.08, 0.04, bevel=0.015).on(
            spot, height * float(rng.uniform(0.4, 0.75)), turn=float(rng.uniform(0, 3))
        )
        bench.add(swab, style.paint((0.7, 0.68, 0.66) if rng.random() < 0.5 else (0.5, 0.08, 0.07), roughness=0.95))


def waste_bin(bench: Bench, place: Footprint) -> None:
    """A bin: yellow for clinical waste, grey, black or steel; with a lid or an open bag."""
    style, rng = bench.style, bench.rng
    colours = ((0.55, 0.42, 0.06), (0.30, 0.31, 0.32), (0.05, 0.05, 0.055), (0.02, 0.12, 0.32), (0.35, 0.03, 0.03))
    colour = style.paint(colours[int(rng.integers(len(colours)))], roughness=0.45)
    depth, width, height = place.length * 0.9, place.width * 0.9, place.height
    if rng.random() < 0.5:
        bench.add(box(depth, width, height - 0.06, bevel=0.03).at(z=0.01), colour)
        bench.add(box(depth + 0.01, width + 0.01, 0.05, bevel=0.015).at(z=height - 0.055), colour)
        bench.add(box(0.04, 0.12, 0.02, bevel=0.005).at(depth / 2 + 0.01, 0, 0.03), style.black)
    else:
        radius = min(depth, width) / 2
        profile = [
            (0, 0.01),
            (radius * 0.8, 0.01),
            (radius, height),
            (radius * 0.97, height),
            (radius * 0.8, 0.12),
            (0, 0.12),
        ]
        bench.add(lathe(profile, segments=20), colour)
        rim = lathe(
            [
                (radius, height - 0.13),
                (radius * 1.03, height - 0.1),
                (radius * 1.02, height + 0.01),
                (radius * 0.95, height + 0.01),
                (radius * 0.9, height - 0.2),
                (0, height - 0.22),
            ],
            segments=20,
        )
        bag = ((0.62, 0.62, 0.60), (0.50, 0.40, 0.10), (0.03, 0.03, 0.035), (0.04, 0.2, 0.45))[int(rng.integers(4))]
        bench.add(rim, style.paint(bag, roughness=0.3, specular=0.5))
    label = box(0.004, 0.14, 0.1).at(depth / 2 + 0.004, 0, height * 0.55)
    bench.add(label, style.paint((0.78, 0.78, 0.76)))


def laundry(bench: Bench, place: Footprint) -> None:
    """Laundry or waste bags hanging in a frame on wheels."""
    style, rng = bench.style, bench.rng
    count = max(1, round(place.width / 0.45))
    step = place.width / count
    height = place.height
    for k in range(count):
        y = -place.width / 2 + (k + 0.5) * step
        radius = min(step, place.length) * 0.42
        full = float(rng.uniform(0.8, 1.05))
        angles = np.linspace(0, 2 * np.pi, 25)
        rings = []
        wave = 0.05 * np.sin(angles * 5 + rng.uniform(0, 6)) + 0.04 * np.sin(angles * 9 + rng.uniform(0, 6))
        for z, r in ((0.14, 0.0), (0.15, 0.7), (0.24, 0.98), (0.45, 1.06), (0.7, 0.97), (0.86, 0.93), (0.9, 1.02)):
            radii = radius * r * full * (1 + wave * (1 if z < 0.85 else 0.2))
            rings.append(np.c_[radii * np.cos(angles), radii * np.sin(angles), np.full(25, z * height / 0.9)])
        sack = np.stack(rings)[::-1]
        colour = ((0.66, 0.66, 0.64), (0.04, 0.16, 0.4), (0.03, 0.25, 0.15), (0.45, 0.36, 0.10), (0.28, 0.06, 0.07))[
            int(rng.integers(5))
        ]
        bench.add(sheet(sack).at(y=y), style.fabric(colour, folds=0.6))
        bench.add(cylinder(radius * 1.05, 0.02, segments=20).at(0, y, height - 0.02), style.chrome)
        bench.add(cylinder(radius * 0.95, 0.006, segments=20).at(0, y, height), style.fabric(colour, folds=0.6))
    for x in (-1, 1):
        for y in (-1, 1):
            post = cylinder(0.012, height - 0.06, segments=8).at(x * place.length * 0.44, y * place.width * 0.46, 0.06)
            bench.add(post, style.chrome)
    castors(bench, place.length * 0.88, place.width * 0.92, radius=0.03)


def gas_trolley(bench: Bench, place: Footprint) -> None:
    """Gas bottles on a sack truck."""
    style, rng = bench.style, bench.rng
    shoulders = ((0.7, 0.7, 0.7), (0.03, 0.1, 0.4), (0.25, 0.25, 0.26), (0.2, 0.3, 0.2))
    count = 2 if place.width > 0.44 else 1
    for k in range(count):
        y = (k - (count - 1) / 2) * 0.2
        height = place.height - 0.18
        profile = [(0, 0), (0.09, 0), (0.095, 0.02), (0.095, height * 0.8)]
        bench.add(
            lathe([*profile, (0, height * 0.8)], segments=18).at(0.02, y, 0.06),
            style.paint((0.04, 0.12, 0.06) if k else (0.5, 0.5, 0.5)),
        )
        dome = lathe([(0, 0), (0.095, 0), (0.08, 0.08), (0.03, 0.13), (0.02, 0.19), (0, 0.19)], segments=18)
        bench.add(dome.at(0.02, y, 0.06 + height * 0.8), style.paint(shoulders[int(rng.integers(4))]))
    for y in (-1, 1):
        bench.add(rod((-0.1, y * 0.16, 0.08), (-0.14, y * 0.16, place.height * 0.8), 0.014), style.trim)
        wheel = cylinder(0.09, 0.03, segments=16).moved(tilt(np.pi / 2, "x"), (-0.1, y * 0.19, 0.09))
        bench.add(wheel, style.black)
    bench.add(box(0.3, 0.34, 0.02).at(0.02, 0, 0.04), style.trim)


def folding_screen(bench: Bench, place: Footprint) -> None:
    """A framed privacy screen of one or more leaves."""
    style, rng = bench.style, bench.rng
    cloth = style.fabric(style.second_accent if rng.random() < 0.5 else (0.03, 0.10, 0.38), folds=0.25)
    leaves = 2 if place.width > 0.9 else 1
    step = place.width / leaves
    for k in range(leaves):
        y = -place.width / 2 + (k + 0.5) * step
        lean = (0.3 if k % 2 else -0.3) if leaves > 1 and place.length > 0.25 else 0.0
        part = box(0.012, step - 0.04, place.height - 0.24).at(0, y, 0.18, turn=lean)
        bench.add(part, cloth)
        for end in (-1, 1):
            post = cylinder(0.014, place.height - 0.06, segments=8).at(0, end * (step / 2 - 0.01), 0.05, turn=lean)
            bench.add(post.at(y=y), style.chrome)
            bench.add(box(0.3, 0.03, 0.03).at(0, y + end * (step / 2 - 0.02), 0.04), style.chrome)
            bench.add(ball(0.028, segments=10).at(0.13, y + end * (step / 2 - 0.02), 0.028), style.black)


def box_pile(bench: Bench, place: Footprint) -> None:
    """Cartons put down on the floor."""
    rng = bench.rng
    stack(bench, 0.0, -place.width * 0.2, 0.0, (place.length, place.width * 0.55, place.height))
    stack(
        bench,
        float(rng.normal(0, 0.02)),
        place.width * 0.28,
        0.0,
        (place.length * 0.8, place.width * 0.4, place.height * 0.6),
    )
