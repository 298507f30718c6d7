"""The anaesthetist's corner: the machine with its ventilator and hoses, and the drug cart."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room import screens
from or_mv_anon.simulation.room.blocks import box
from or_mv_anon.simulation.room.fittings import bottle, cable, castors, drawers, hanging, screen
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.solid import tilt
from or_mv_anon.simulation.room.turned import ball, cylinder, lathe, rod, tube
from or_mv_anon.simulation.scene import Footprint


def anaesthesia_machine(bench: Bench, place: Footprint) -> None:
    """Drawers, work top, vaporizers, gas meters, absorber, ventilator screen, patient monitor on an arm."""
    style, rng = bench.style, bench.rng
    depth, width = place.length * 0.85, place.width
    castors(bench, depth - 0.1, width - 0.12, radius=0.06)
    bench.add(box(depth, width, 0.06, bevel=0.02).at(z=0.12), style.grey)
    bench.add(box(depth - 0.1, width - 0.06, 0.64, bevel=0.02).at(-0.03, 0, 0.18), style.housing)
    drawers(bench, depth / 2 - 0.08, width - 0.3, 0.22, (0.16, 0.16, 0.2), style.white)
    bench.add(box(depth, width + 0.04, 0.035, bevel=0.012).at(0.02, 0, 0.82), style.white)
    bench.add(box(depth * 0.5, width, 0.52, bevel=0.03).at(-depth * 0.22, 0, 0.86), style.housing)
    bench.add(box(0.01, width * 0.92, 0.05).at(depth * 0.035, 0, 0.92), style.trim)
    for k in range(int(rng.integers(2, 4))):  # vaporizers, colour-coded by their drug
        y = -width * 0.32 + 0.13 * k
        bench.add(box(0.12, 0.1, 0.2, bevel=0.015).at(depth * 0.08, y, 1.0), style.housing)
        colour = ((0.65, 0.5, 0.02), (0.25, 0.05, 0.35), (0.03, 0.2, 0.55))[k]
        bench.add(cylinder(0.045, 0.05, bevel=0.008).at(depth * 0.08, y, 1.2), style.paint(colour))
        bench.add(box(0.005, 0.06, 0.04).at(depth * 0.08 + 0.062, y, 1.1), style.paint(colour))
    meters = style.paint((0.70, 0.74, 0.76), roughness=0.2, specular=0.7)
    for k, colour in enumerate(((0.6, 0.62, 0.6), (0.04, 0.15, 0.5), (0.05, 0.05, 0.05))):
        y = width * 0.24 + 0.05 * k
        bench.add(cylinder(0.014, 0.22, segments=10).at(depth * 0.06, y, 1.02), meters)
        bench.add(cylinder(0.018, 0.03, segments=10).at(depth * 0.08, y, 0.98), style.paint(colour))
    side = float(rng.choice([-1, 1]))
    absorber = (depth * 0.15, -side * (width / 2 - 0.02), 0.6)
    bench.add(
        cylinder(0.085, 0.22, bevel=0.01).on(absorber), style.paint((0.66, 0.68, 0.66), roughness=0.2, specular=0.6)
    )
    bench.add(cylinder(0.09, 0.06, bevel=0.01).at(absorber[0], absorber[1], 0.8), style.grey)
    bag_arm = np.array([depth * 0.32, -side * (width / 2 - 0.05), 1.12])
    bench.add(tube([(*absorber[:2], 0.86), (*absorber[:2], 1.1), tuple(bag_arm)], 0.013), style.chrome)
    bag = lathe(
        [(0.0, -0.3), (0.05, -0.28), (0.075, -0.2), (0.07, -0.12), (0.03, -0.03), (0.02, 0.0), (0, 0)], segments=14
    )
    bench.add(bag.on(bag_arm), style.paint((0.03, 0.10, 0.13), roughness=0.6))
    screen(bench, screens.ventilator(style.patient, rng), 0.34, (depth * 0.1, side * 0.05, 1.4), lean=0.1)
    bench.add(rod((-0.1, side * width * 0.3, 1.36), (-0.1, side * width * 0.36, 1.72), 0.02), style.steel)
    monitor = (-0.02, side * width * 0.32, 1.52 if width > 0.8 else 1.56)
    screen(bench, screens.vital_signs(style.patient, rng), 0.42, monitor, turn=-side * 0.3, lean=0.08)
    bench.add(box(0.25, 0.3, 0.02).at(0.12, 0.05 * side, 0.858), style.paint((0.75, 0.76, 0.72)))
    for _ in range(5):
        spot = rng.uniform((-0.02, -0.3), (0.2, 0.3))
        bench.add_box(box(0.07, 0.11, 0.035).on(spot, 0.857, turn=float(rng.uniform(0, 3))))
    back = -depth * 0.47
    bench.add(box(0.012, width * 0.6, 0.34, bevel=0.004).at(back - 0.004, 0, 0.95), style.grey)
    for k in range(6):
        bench.add(box(0.01, width * 0.5, 0.012).at(back - 0.012, 0, 1.08 + 0.03 * k), style.black)
    for k in range(4):
        y = width * (0.12 * k - 0.18)
        bench.add(cylinder(0.018, 0.03, segments=10).moved(tilt(-np.pi / 2), (back, y, 1.0)), style.black)
        bend = [
            (back - 0.03, y, 1.0),
            (back - 0.07, y, 0.93),
            (back - 0.06, 0.7 * y, 0.5),
            (back - 0.05, 0.3 * y, 0.02),
        ]
        bench.add(tube(bend, 0.008, segments=6), style.black)


def breathing_hoses(bench: Bench, machine: np.ndarray, head: np.ndarray, patient: np.ndarray) -> None:
    """Two corrugated hoses from the machine to the patient's head, and the monitor's cables; world coordinates.

    Args:
        bench: to build on.
        machine: (3,) where the hoses leave the machine.
        head: (3,) beside the patient's head, where they meet.
        patient: (3,) near the patient's mouth.
    """
    style = bench.style
    colours = ((0.70, 0.72, 0.70), (0.45, 0.60, 0.66))
    aside = np.cross(head - machine, [0.0, 0, 1])
    aside /= max(np.linalg.norm(aside), 1e-6)
    ripple = np.tile([0.0125, 0.0155], 90)
    for sign, colour in zip((-1, 1), colours, strict=True):
        path = hanging(machine + sign * 0.06 * aside, head + sign * 0.02 * aside, 0.22, points=180)
        bench.add(tube(path, ripple, segments=8), style.paint(colour, roughness=0.35, specular=0.5))
    joint = style.paint((0.6, 0.63, 0.66), roughness=0.3)
    bench.add(rod(head - 0.025 * aside, head + 0.025 * aside, 0.013), joint)
    over = 0.6 * patient + 0.4 * head + (0, 0, 0.05)
    bench.add(tube([head, over, patient], 0.010), joint)
    bench.add(ball(0.016).on(head), joint)
    for k in range(2):
        end = head + aside * (0.1 + 0.06 * k) - (0, 0, 0.04)
        cable(bench, machine + np.array([0, 0, 0.3 + 0.1 * k]), end, 0.4, 0.004)


def anaesthesia_cart(bench: Bench, place: Footprint) -> None:
    """A cart of many small coloured drawers with drugs, syringes, a sharps box and a light."""
    style, rng = bench.style, bench.rng
    depth, width, height = place.length, place.width, place.height
    castors(bench, depth - 0.1, width - 0.1, radius=0.05)
    bench.add(box(depth - 0.04, width, height - 0.15, bevel=0.015).at(-0.02, 0, 0.12), style.housing)
    fronts = [style.white, style.trim, style.paint(style.second_accent)]
    sizes = [0.08, 0.08, 0.08, 0.12, 0.16, 0.2]
    z = 0.16
    for k, size in enumerate(reversed(sizes)):
        drawers(bench, depth / 2 - 0.04, width, z, (size,), fronts[(k // 2) % 3])
        z += size
    bench.add(box(depth, width + 0.02, 0.03, bevel=0.01).at(0, 0, height - 0.04), style.white)
    for y in (-1, 1):
        bench.add(box(depth, 0.012, 0.06).at(0, y * width / 2, height - 0.01), style.grey)
    for _ in range(int(rng.integers(3, 8))):
        spot = rng.uniform(-0.36, 0.36, 2) * (depth, width)
        bench.add_box(
            box(0.06, 0.1, float(rng.uniform(0.04, 0.14))).on(spot, height - 0.01, turn=float(rng.uniform(0, 3)))
        )
    for k in range(3):
        bottle(
            bench,
            0.022,
            0.12,
            (-depth * 0.3, -0.2 + 0.1 * k, height - 0.01),
            style.paint((0.5, 0.3, 0.08), roughness=0.2),
        )
    box_of_sharps = box(0.13, 0.13, 0.2, bevel=0.02).at(0, width / 2 + 0.07, height - 0.3)
    bench.add(box_of_sharps, style.paint((0.75, 0.55, 0.02)))
