"""Things with screens: booms, pendants, the endoscopy tower, electrosurgery, ultrasound, the C-arm."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room import screens
from or_mv_anon.simulation.room.blocks import box, panel
from or_mv_anon.simulation.room.fittings import cable, castors, screen
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.solid import tilt
from or_mv_anon.simulation.room.turned import cylinder, lathe, rod, tube
from or_mv_anon.simulation.scene import Footprint


def boom_monitor(bench: Bench, place: Footprint, ceiling: float) -> None:
    """A screen on a jointed arm from the ceiling."""
    style, rng = bench.style, bench.rng
    picture = screens.contents(int(rng.choice([0, 0, 2, 3])), style.patient, rng)
    low = place.height - place.width * 0.66
    screen(bench, picture, place.width, (0.04, 0, low), lean=-0.08)
    bench.add(box(0.05, 0.16, 0.16, bevel=0.02).at(-0.02, 0, low + 0.1), style.grey)
    side = float(rng.choice([-1, 1]))
    elbow = np.array([-0.25, side * 0.35, ceiling - 0.3])
    bench.add(rod((-0.05, 0, low + 0.2), (-0.05, 0, ceiling - 0.42), 0.022), style.white)
    bench.add(rod((-0.05, 0, ceiling - 0.42), elbow, 0.032), style.white)
    bench.add(cylinder(0.05, 0.3, segments=16).at(elbow[0], elbow[1], ceiling - 0.34), style.housing)
    bench.add(cylinder(0.12, 0.05, bevel=0.01).at(elbow[0], elbow[1], ceiling - 0.05), style.white)
    cable(bench, (-0.06, 0.02, low + 0.2), (-0.06, 0.02, ceiling - 0.45), 0.05, 0.007)


def pendant(bench: Bench, place: Footprint, ceiling: float) -> None:
    """A supply column from the ceiling: shelves with pumps and devices, gas outlets, sockets, hanging hoses."""
    style, rng = bench.style, bench.rng
    width = place.width
    bench.add(cylinder(0.07, ceiling - 2.0, segments=20).at(-0.12, 0, 2.0), style.white)
    bench.add(cylinder(0.2, 0.06, bevel=0.015).at(-0.12, 0, ceiling - 0.06), style.white)
    bench.add(box(0.17, 0.22, 1.15, bevel=0.03).at(-0.12, 0, 0.87), style.white)
    for k, z in enumerate((0.92, 1.2, 1.5)):
        bench.add(box(place.length, width, 0.025, bevel=0.008).at(0, 0, z), style.grey)
        bench.add(box(0.02, width, 0.03).at(place.length / 2, 0, z), style.steel)
        if k == 2:
            screen(bench, screens.vital_signs(style.patient, rng), 0.4, (0.1, 0, z + 0.05))
            bench.add(box(0.14, 0.3, 0.04).at(0.05, 0, z + 0.026), style.black)
        else:
            _device(
                bench, (0.04, float(rng.uniform(-0.05, 0.05)), z + 0.026), width * 0.7, float(rng.uniform(0.12, 0.2))
            )
    for k, colour in enumerate(((0.7, 0.7, 0.7), (0.03, 0.1, 0.5), (0.05, 0.05, 0.05), (0.65, 0.5, 0.02))):
        spot = (-0.12, 0.16, 1.75 - 0.1 * k)
        bench.add(cylinder(0.025, 0.02).moved(tilt(-np.pi / 2, "x"), spot), style.paint(colour))
        end = (0.1, 0.3 + 0.05 * k, 0.05)
        if rng.random() < 0.6:
            cable(bench, (spot[0], spot[1] + 0.03, spot[2]), end, 0.1, 0.008)
    for k in range(3):
        bench.add(box(0.08, 0.03, 0.18, bevel=0.008).at(0.0, -0.17 - 0.02 * k, 1.3 + 0.2 * k), style.housing)


def _device(bench: Bench, place: tuple[float, float, float], width: float, height: float, depth: float = 0.3) -> None:
    """A front-panel device: housing, display, knobs."""
    style, rng = bench.style, bench.rng
    shell = style.housing if rng.random() < 0.6 else style.grey
    x, y, z = place
    bench.add(box(depth, width, height, bevel=0.015).at(x, y, z), shell)
    front = x + depth / 2 + 0.001
    glow = style.paint(((0.1, 0.8, 0.3), (0.1, 0.5, 0.9), (0.9, 0.4, 0.1))[int(rng.integers(3))], emission=0.8)
    bench.add(panel(width * 0.38, height * 0.45).at(front + 0.001, y - width * 0.2, z + height * 0.3), style.black)
    bench.add(panel(width * 0.28, height * 0.22).at(front + 0.003, y - width * 0.2, z + height * 0.42), glow)
    for k in range(3):
        knob = cylinder(min(0.02, height * 0.18), 0.02, bevel=0.004, segments=12).moved(tilt(np.pi / 2), (0, 0, 0))
        bench.add(knob.at(front, y + width * (0.1 + 0.14 * k), z + height * 0.5), style.black if k else style.trim)


def tower(bench: Bench, place: Footprint) -> None:
    """The endoscopy tower: a screen on top of a rack of devices."""
    style, rng = bench.style, bench.rng
    depth, width = place.length, place.width
    castors(bench, depth - 0.08, width - 0.08, radius=0.06)
    bench.add(box(depth, width, 0.05, bevel=0.015).at(z=0.12), style.grey)
    for y in (-1, 1):
        bench.add(
            box(depth * 0.4, 0.035, place.height - 0.5).at(-depth * 0.15, y * (width / 2 - 0.02), 0.15), style.housing
        )
    bench.add(box(0.03, width - 0.08, place.height - 0.55).at(-depth / 2 + 0.1, 0, 0.17), style.grey)
    z = 0.2
    while z < place.height - 0.72:
        bench.add(box(depth * 0.8, width - 0.06, 0.02).at(z=z), style.grey)
        height = float(rng.uniform(0.1, 0.17))
        _device(bench, (0.0, 0.0, z + 0.022), width - 0.12, height, depth * 0.7)
        z += height + 0.08
    low = place.height - 0.42
    screen(bench, screens.endoscope(style.patient, rng), width * 0.92, (0.06, 0, low), lean=0.04)
    bench.add(rod((-0.1, 0, z - 0.1), (0.0, 0, low + 0.12), 0.03), style.steel)
    for k in range(4):
        start = (depth * 0.35, -0.2 + 0.12 * k, 0.4 + 0.17 * k)
        cable(bench, start, (depth * 0.5, 0.3, 0.25 + 0.1 * k), 0.2, 0.006)
    for y in (-1, 1):
        tank = cylinder(0.07, 0.5, bevel=0.03).at(-depth / 2 + 0.02, y * 0.12, 0.17)
        if rng.random() < 0.5:
            bench.add(tank, style.paint((0.35, 0.37, 0.4)))


def electrosurgical_unit(bench: Bench, place: Footprint) -> None:
    """A generator on a small trolley with pedals and cables."""
    style, rng = bench.style, bench.rng
    depth, width = place.length, place.width
    castors(bench, depth - 0.06, width - 0.06)
    bench.add(box(depth, width, 0.04, bevel=0.015).at(z=0.1), style.grey)
    for y in (-1, 1):
        bench.add(
            rod((-0.1, y * (width / 2 - 0.03), 0.12), (-0.1, y * (width / 2 - 0.03), place.height - 0.25), 0.016),
            style.steel,
        )
    for z in (0.42, place.height - 0.27):
        bench.add(box(depth * 0.9, width, 0.025, bevel=0.008).at(z=z), style.housing)
    _device(bench, (0, 0, place.height - 0.245), width - 0.04, 0.18, depth * 0.85)
    _device(bench, (0, 0, 0.446), width - 0.06, float(rng.uniform(0.1, 0.18)), depth * 0.75)
    basket = lathe([(0.0, 0), (0.12, 0), (0.13, 0.12), (0.124, 0.12), (0.114, 0.008), (0, 0.008)], segments=16)
    bench.add(basket.at(0.02, 0, 0.145), style.steel)
    for k in range(3):
        path = [
            (depth * 0.4, -0.12 + 0.1 * k, place.height - 0.15),
            (depth * 0.55, 0, 0.6),
            (depth * 0.5, 0.1 * k, 0.02),
        ]
        points = np.array(path)
        t = np.linspace(0, 2, 16)
        smooth = np.stack([np.interp(t, [0, 1, 2], points[:, j]) for j in range(3)], axis=1)
        colour = style.paint(((0.02, 0.02, 0.03), (0.05, 0.2, 0.55), (0.7, 0.7, 0.68))[k])
        bench.add(tube(smooth, 0.006, segments=6), colour)
    pedal = box(0.16, 0.2, 0.04, bevel=0.012).at(depth / 2 + 0.02, 0.05, 0.0)
    bench.add(pedal, style.paint((0.6, 0.42, 0.02)))


def ultrasound(bench: Bench, place: Footprint) -> None:
    """A cart with a keyboard, probes and a screen on an arm."""
    style, rng = bench.style, bench.rng
    depth, width = place.length, place.width
    castors(bench, depth - 0.1, width - 0.06, radius=0.065)
    bench.add(box(depth, width, 0.08, bevel=0.03).at(z=0.13), style.housing)
    bench.add(box(depth * 0.5, width * 0.6, 0.62, bevel=0.05).at(-0.05, 0, 0.2), style.housing)
    bench.add(box(depth * 0.6, width * 0.95, 0.05, bevel=0.02).moved(tilt(-0.12), (0.12, 0, 0.86)), style.white)
    bench.add(box(depth * 0.4, width * 0.75, 0.012).moved(tilt(-0.12), (0.12, 0, 0.912)), style.grey)
    screen(bench, screens.xray(style.patient, rng), 0.42, (-0.02, 0, place.height - 0.3), lean=0.05)
    bench.add(rod((-0.12, 0, 0.8), (-0.06, 0, place.height - 0.2), 0.03), style.grey)
    for k in range(3):
        spot = np.array([0.1, width / 2 + 0.02, 0.78 + 0.03 * k])
        bench.add(cylinder(0.02, 0.12, bevel=0.008).at(spot[0] + 0.08 * k, spot[1], spot[2]), style.white)
        cable(bench, spot + np.array([0.08 * k, 0, 0]), (-0.1, width / 2, 0.4), 0.3, 0.006)


def c_arm(bench: Bench, place: Footprint) -> None:
    """A mobile X-ray arm with its draped or bare detector."""
    style = bench.style
    castors(bench, place.length * 0.5, place.width - 0.15, radius=0.07)
    bench.add(
        box(place.length * 0.45, place.width * 0.7, 0.75, bevel=0.05).at(-place.length * 0.22, 0, 0.14), style.housing
    )
    bench.add(box(place.length * 0.3, 0.28, 0.5, bevel=0.04).at(-place.length * 0.2, 0, 0.86), style.housing)
    bench.add(box(0.5, 0.14, 0.16, bevel=0.02).at(0.05, 0, 1.06), style.trim)
    radius = min(0.68, place.height / 2 - 0.14)
    t = np.linspace(np.pi * 0.5, np.pi * 1.5, 30)
    centre = (0.3 + radius * 0.55, place.height / 2 + 0.08)
    arc = np.stack([centre[0] + radius * np.cos(t), np.zeros(30), centre[1] + radius * np.sin(t)], axis=1)
    bench.add(tube(arc, 0.055, segments=10), style.white)
    x = centre[0] + 0.02
    bench.add(cylinder(0.16, 0.22, bevel=0.03).at(x, 0, centre[1] + radius - 0.18), style.housing)
    bench.add(cylinder(0.13, 0.2, bevel=0.03).at(x, 0, centre[1] - radius - 0.03), style.grey)
    screen(bench, screens.xray(style.patient, bench.rng), 0.36, (-place.length * 0.3, 0.0, 1.38), lean=0.05)
