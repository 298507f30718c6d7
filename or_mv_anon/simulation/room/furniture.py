"""Storage and seats: shelves, cabinets, counters, desks, carts, stools, steps."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room import screens
from or_mv_anon.simulation.room.blocks import box, panel
from or_mv_anon.simulation.room.fittings import bottle, cable, castors, doors, drawers, screen, stack, star_base
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.turned import cylinder, rod
from or_mv_anon.simulation.scene import Footprint


def shelf(bench: Bench, place: Footprint) -> None:
    """Open shelving full of cartons and bins."""
    style, rng = bench.style, bench.rng
    depth, width, height = place.length, place.width, place.height
    frame = style.steel if rng.random() < 0.5 else style.white
    bench.add(box(0.015, width, height).at(-depth / 2 + 0.01), frame)
    for y in (-1, 1):
        bench.add(box(depth, 0.03, height).at(0, y * (width / 2 - 0.015)), frame)
    levels = np.linspace(0.1, height - 0.36, int(rng.integers(4, 6)))
    for z in levels:
        bench.add(box(depth, width - 0.06, 0.025).at(z=float(z)), frame)
        _fill(bench, depth, width - 0.1, float(z) + 0.026, 0.3)
    bench.add(box(depth, width, 0.025).at(z=height - 0.025), frame)
    if rng.random() < 0.5:
        _fill(bench, depth, width - 0.2, height, 0.25)


def _fill(bench: Bench, depth: float, width: float, z: float, room: float) -> None:
    rng = bench.rng
    y = -width / 2
    while y < width / 2 - 0.1:
        step = float(rng.uniform(0.1, 0.28))
        step = min(step, width / 2 - y)
        middle = y + step / 2
        draw = rng.random()
        if draw < 0.72:
            stack(
                bench,
                float(rng.uniform(0.0, 0.05)),
                middle,
                z,
                (depth * 0.8, step * 0.95, room * float(rng.uniform(0.5, 1))),
            )
        elif draw < 0.86:  # an open plastic bin
            colour = bench.style.trim if rng.random() < 0.5 else bench.style.paint(bench.style.second_accent)
            bench.add(box(depth * 0.7, step * 0.92, 0.12, bevel=0.01).at(0.03, middle, z), colour)
            bench.add(box(depth * 0.62, step * 0.8, 0.05).at(0.02, middle, z + 0.1), bench.style.white)
        y += step


def cabinet(bench: Bench, place: Footprint) -> None:
    """A tall closed cabinet, at times with glass doors and boxes behind them."""
    style, rng = bench.style, bench.rng
    depth, width, height = place.length - 0.03, place.width, place.height
    bench.add(box(depth, width, height - 0.08, bevel=0.006).at(-0.015, 0, 0.08), style.white)
    bench.add(box(depth - 0.05, width - 0.04, 0.08).at(-0.03, 0, 0), style.grey)
    front = depth / 2 - 0.015
    count = 2 if width < 1.2 else 3
    colour = style.trim if rng.random() < 0.3 else style.white
    if rng.random() < 0.4:
        doors(bench, front, width - 0.04, 0.1, 0.95, count, colour)
        bench.add(panel(width - 0.08, height - 1.1).at(front + 0.002, 0, 1.0), style.grey)
        for z in np.linspace(1.03, height - 0.4, 3):
            bench.add(box(0.012, width - 0.08, 0.02).at(front + 0.006, 0, float(z) - 0.02), style.steel)
            for k in range(int(width / 0.14)):
                size = (0.01, 0.12, float(rng.uniform(0.08, 0.24)))
                bench.add_box(box(*size).at(front + 0.006, -width / 2 + 0.12 + 0.14 * k, float(z)))
    else:
        doors(bench, front, width - 0.02, 0.1, height - 0.02, count, colour)


def counter(bench: Bench, place: Footprint) -> None:
    """A worktop on drawers and cupboards, with wall cupboards, a basin at times, and things on it."""
    style, rng = bench.style, bench.rng
    depth, width, height = place.length, place.width, place.height
    body = style.white if rng.random() < 0.7 else style.trim
    bench.add(box(depth - 0.05, width, height - 0.13, bevel=0.005).at(-0.02, 0, 0.1), style.white)
    bench.add(box(depth - 0.1, width - 0.02, 0.1).at(-0.04), style.grey)
    top = style.steel if rng.random() < 0.4 else style.paint((0.34, 0.35, 0.37), roughness=0.35)
    bench.add(box(depth, width, 0.035, bevel=0.008).at(z=height - 0.035), top)
    count = max(2, round(width / 0.6))
    step = width / count
    for k in range(count):
        part = Bench(style, rng)
        if rng.random() < 0.5:
            drawers(part, depth / 2 - 0.045, step, 0.13, (0.28, 0.22, 0.2), body)
        else:
            doors(part, depth / 2 - 0.045, step - 0.01, 0.12, height - 0.06, 1, body)
        for solid, material in part.pieces:
            bench.add(solid.at(y=-width / 2 + (k + 0.5) * step), material)
    if place.width > 1.4 and rng.random() < 0.75:
        z = float(rng.uniform(1.42, 1.5))
        tall = float(rng.uniform(0.5, 0.7))
        bench.add(box(0.33, width * 0.9, tall, bevel=0.005).at(-depth / 2 + 0.17, 0, z), style.white)
        doors(bench, -depth / 2 + 0.335, width * 0.9, z, z + tall, count, body)
    for _ in range(int(width / 0.22)):
        spot = rng.uniform(-0.42, 0.42) * width
        forward = float(rng.uniform(-0.3, 0.25)) * depth
        draw = rng.random()
        if draw < 0.5:
            stack(bench, forward, float(spot), height, (0.2, 0.2, float(rng.uniform(0.1, 0.3))))
        elif draw < 0.75:
            bottle(bench, 0.035, float(rng.uniform(0.15, 0.24)), (forward, float(spot), height), style.trim)
        else:
            bench.add(cylinder(0.06, 0.12, top=0.07, bevel=0.008).at(forward, float(spot), height), style.white)
    if rng.random() < 0.5:
        y = float(rng.uniform(-0.3, 0.3)) * width
        bench.add(box(0.36, 0.44, 0.01).at(0.02, y, height - 0.003), style.chrome)
        bench.add(rod((-0.2, y, height), (-0.2, y, height + 0.28), 0.014), style.chrome)
        bench.add(rod((-0.2, y, height + 0.27), (-0.02, y, height + 0.24), 0.012), style.chrome)


def desk(bench: Bench, place: Footprint) -> None:
    """A workstation: one or two screens, keyboard, mouse, papers, telephone; a chair would block its place."""
    style, rng = bench.style, bench.rng
    depth, width, height = place.length, place.width, place.height
    bench.add(box(depth, width, 0.03, bevel=0.008).at(z=height - 0.03), style.white)
    for side in (-1, 1):
        bench.add(box(depth * 0.85, 0.04, height - 0.03).at(-0.02, side * (width / 2 - 0.05)), style.grey)
    bench.add(box(0.02, width - 0.12, height * 0.55).at(-depth / 2 + 0.05, 0, height * 0.38), style.grey)
    count = 2 if width > 1.35 and rng.random() < 0.6 else 1
    for y in [0.0] if count == 1 else [-0.28, 0.28]:
        picture = screens.contents(int(rng.choice([4, 4, 2, 0])), style.patient, rng)
        screen(bench, picture, 0.5, (-0.1, y, height + 0.12), turn=-0.7 * y, lean=0.03)
        bench.add(box(0.18, 0.22, 0.012, bevel=0.004).at(-0.12, y, height), style.black)
        bench.add(rod((-0.14, y, height), (-0.13, y, height + 0.25), 0.02), style.black)
    bench.add(box(0.14, 0.44, 0.02, bevel=0.005).at(0.14, 0.05, height), style.black)
    bench.add(box(0.1, 0.06, 0.025, bevel=0.01).at(0.15, -0.26, height), style.grey)
    for _ in range(4):
        spot = (float(rng.uniform(-0.1, 0.2)), float(rng.uniform(-0.45, 0.45)) * width)
        paper = box(0.297, 0.21, 0.004).scaled(0.9, 0.9, 1).on(spot, height, turn=float(rng.normal(0, 0.3)))
        bench.add(paper, style.paint((0.78, 0.78, 0.76), roughness=0.9))
    stack(bench, -0.1, width * 0.4, height, (0.2, 0.16, 0.2))
    bench.add(box(0.4, 0.18, 0.42, bevel=0.01).at(-0.05, -width * 0.3, 0.06), style.black)
    for k in range(3):
        cable(bench, (-depth / 2 + 0.04, 0.1 * k, height - 0.1), (-depth / 2 + 0.06, -width * 0.3, 0.3), 0.25)


def crash_cart(bench: Bench, place: Footprint) -> None:
    """A red or blue emergency cart with a defibrillator and an oxygen bottle."""
    style, rng = bench.style, bench.rng
    depth, width, height = place.length, place.width, place.height
    red = style.paint((0.30, 0.05, 0.05) if rng.random() < 0.7 else (0.08, 0.14, 0.32), roughness=0.4)
    castors(bench, depth - 0.1, width - 0.1, radius=0.055)
    bench.add(box(depth - 0.03, width, height - 0.15, bevel=0.015).at(-0.02, 0, 0.12), style.white)
    drawers(bench, depth / 2 - 0.035, width, 0.15, (0.24, 0.2, 0.14, 0.1, 0.1), red)
    bench.add(box(depth, width + 0.03, 0.03, bevel=0.01).at(z=height - 0.03), style.housing)
    bench.add(box(0.26, 0.32, 0.24, bevel=0.03).at(-0.02, width * 0.2, height), style.housing)
    bench.add(
        panel(0.16, 0.11).at(0.112, width * 0.2, height + 0.09), style.screen(screens.vital_signs(style.patient, rng))
    )
    stack(bench, 0.0, -width * 0.25, height, (0.25, 0.2, 0.2))
    bench.add(cylinder(0.055, 0.6, bevel=0.03).at(-depth / 2 - 0.02, -width * 0.2, 0.25), style.steel)


def supply_cart(bench: Bench, place: Footprint) -> None:
    """A wire rack on wheels with bins and cartons."""
    style = bench.style
    depth, width, height = place.length, place.width, place.height
    castors(bench, depth - 0.06, width - 0.06, radius=0.055)
    for x in (-1, 1):
        for y in (-1, 1):
            post = cylinder(0.013, height - 0.1, segments=8).at(x * (depth / 2 - 0.02), y * (width / 2 - 0.02), 0.1)
            bench.add(post, style.chrome)
    for z in np.linspace(0.16, height - 0.35, 4):
        for k in range(7):
            wire = box(0.012, width - 0.04, 0.012).at((k / 6 - 0.5) * (depth - 0.04), 0, float(z))
            bench.add(wire, style.chrome)
        for y in (-1, 1):
            bench.add(box(depth - 0.04, 0.012, 0.03).at(0, y * (width / 2 - 0.02), float(z)), style.chrome)
        _fill(bench, depth, width - 0.08, float(z) + 0.014, 0.24)


def stool(bench: Bench, place: Footprint) -> None:
    """A round stool on a star base."""
    star_base(bench, place.length * 0.48)
    bench.add(cylinder(0.024, place.height - 0.15, segments=12).at(z=0.08), bench.style.chrome)
    bench.add(cylinder(place.length * 0.45, 0.08, bevel=0.03, segments=24).at(z=place.height - 0.08), bench.style.pad)
    bench.add(cylinder(place.length * 0.46, 0.015, segments=24).at(z=place.height - 0.096), bench.style.steel)


def step(bench: Bench, place: Footprint) -> None:
    """A step to stand on."""
    bench.add(box(place.length, place.width, 0.03, bevel=0.008).at(z=place.height - 0.03), bench.style.steel)
    bench.add(box(place.length * 0.92, place.width * 0.92, 0.006).at(z=place.height - 0.002), bench.style.black)
    for x in (-1, 1):
        for y in (-1, 1):
            corner = (x * (place.length / 2 - 0.03), y * (place.width / 2 - 0.03))
            bench.add(cylinder(0.013, place.height - 0.02, segments=8).on(corner), bench.style.chrome)
    for y in (-1, 1):
        side = box(place.length - 0.06, 0.014, 0.02).at(0, y * (place.width / 2 - 0.03), 0.06)
        bench.add(side, bench.style.chrome)
