"""Flat things on the walls: windows, light boxes, screens, clocks, notices, glove boxes, rails, switches, radiators."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room import prints, screens
from or_mv_anon.simulation.room.blocks import box, panel
from or_mv_anon.simulation.room.decoys import hooks
from or_mv_anon.simulation.room.filling import Panel
from or_mv_anon.simulation.room.fittings import cable, screen
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.solid import tilt
from or_mv_anon.simulation.room.turned import cylinder


def build_panel(bench: Bench, item: Panel) -> None:
    """Build one thing on a wall, in the wall's frame: x into the room, z up from the floor."""
    maker = {
        "window": _window,
        "light_box": _light_box,
        "wall_screen": _wall_screen,
        "glove_boxes": _glove_boxes,
        "clock": _clock,
        "poster": _poster,
        "sharps": _sharps,
        "radiator": _radiator,
        "gas_rail": _gas_rail,
        "switches": _switches,
    }.get(item.kind)
    if maker is not None:
        maker(bench, item)
    elif item.kind == "hooks":
        part = Bench(bench.style, bench.rng)
        hooks(part, item.width)
        for solid, material in part.pieces:
            bench.add(solid.at(z=item.high), material)


def _window(bench: Bench, item: Panel) -> None:
    style, rng = bench.style, bench.rng
    height = item.high - item.low
    glass = style.screen(prints.corridor(rng), brightness=float(rng.uniform(0.15, 0.6)))
    bench.add(panel(item.width, height).at(0.004, 0, item.low), glass)
    for y in (-1, 0, 1):
        if y or rng.random() < 0.5:
            bench.add(box(0.03, 0.05, height).at(0.015, y * item.width / 2, item.low), style.steel)
    for z in (item.low - 0.05, item.high):
        bench.add(box(0.04, item.width + 0.1, 0.05).at(0.02, 0, z), style.steel)
    if rng.random() < 0.4:  # a blind, half down
        drop = float(rng.uniform(0.2, 0.8)) * height
        for k in range(int(drop / 0.04)):
            slat = box(0.002, item.width - 0.06, 0.035).at(0.03, 0, item.high - 0.04 * (k + 1))
            bench.add(slat, style.paint((0.66, 0.66, 0.64)))


def _light_box(bench: Bench, item: Panel) -> None:
    style, rng = bench.style, bench.rng
    height = item.high - item.low
    bench.add(box(0.08, item.width, height, bevel=0.01).at(0.04, 0, item.low), style.white)
    count = max(1, int(item.width / 0.4))
    step = (item.width - 0.06) / count
    for k in range(count):
        y = -item.width / 2 + 0.03 + (k + 0.5) * step
        lit = rng.random() < 0.6
        material = style.screen(screens.xray(style.patient, rng)) if lit else style.paint((0.72, 0.75, 0.76))
        bench.add(panel(step - 0.02, height - 0.08).at(0.083, y, item.low + 0.05), material)


def _wall_screen(bench: Bench, item: Panel) -> None:
    picture = screens.contents(int(bench.rng.choice([0, 2, 3, 4])), bench.style.patient, bench.rng)
    width = min(item.width, (item.high - item.low) / 0.625)
    bench.add(box(0.06, 0.4, 0.3).at(0.03, 0, item.low + 0.15), bench.style.grey)
    screen(bench, picture, width, (0.1, 0, item.low))


def _glove_boxes(bench: Bench, item: Panel) -> None:
    height = (item.high - item.low) / 3
    bench.add(box(0.012, item.width, item.high - item.low).at(0.006, 0, item.low), bench.style.steel)
    for k in range(3):
        bench.add_box(box(0.1, item.width - 0.03, height - 0.02).at(0.062, 0, item.low + k * height))
        bench.add(box(0.002, 0.09, 0.04).at(0.113, 0, item.low + (k + 0.35) * height), bench.style.grey)


def _clock(bench: Bench, item: Panel) -> None:
    style, rng = bench.style, bench.rng
    if rng.random() < 0.35:
        bench.add(box(0.06, 0.5, 0.2, bevel=0.01).at(0.03, 0, item.low + 0.06), style.black)
        bench.add(panel(0.44, 0.165).at(0.062, 0, item.low + 0.08), style.screen(prints.digital_clock(rng)))
        return
    radius = item.width / 2
    middle = item.low + radius
    bench.add(cylinder(radius, 0.05, bevel=0.01, segments=28).moved(tilt(np.pi / 2), (0, 0, middle)), style.grey)
    side = radius * 1.36
    bench.add(panel(side, side).at(0.052, 0, middle - side / 2), style.printed(prints.clock_face(rng)))


def _poster(bench: Bench, item: Panel) -> None:
    height = min(item.high - item.low, item.width * 1.4)
    bench.add(panel(item.width, height).at(0.006, 0, item.low), bench.style.printed(prints.poster(bench.rng)))


def _sharps(bench: Bench, item: Panel) -> None:
    bench.add(box(0.16, item.width, 0.26, bevel=0.02).at(0.09, 0, item.low), bench.style.paint((0.7, 0.5, 0.01)))
    bench.add(
        box(0.14, item.width * 0.9, 0.05, bevel=0.01).at(0.09, 0, item.low + 0.26), bench.style.paint((0.5, 0.04, 0.03))
    )


def _radiator(bench: Bench, item: Panel) -> None:
    count = int(item.width / 0.07)
    for k in range(count):
        y = -item.width / 2 + (k + 0.5) * item.width / count
        bench.add(box(0.08, 0.045, item.high - item.low, bevel=0.015).at(0.07, y, item.low), bench.style.white)
    for z in (item.low + 0.05, item.high - 0.12):
        bench.add(box(0.05, item.width, 0.05).at(0.07, 0, z), bench.style.white)


def _gas_rail(bench: Bench, item: Panel) -> None:
    style, rng = bench.style, bench.rng
    height = item.high - item.low
    bench.add(box(0.06, item.width, height, bevel=0.012).at(0.03, 0, item.low), style.white)
    colours = (
        (0.65, 0.66, 0.66),
        (0.03, 0.1, 0.5),
        (0.04, 0.04, 0.04),
        (0.6, 0.45, 0.01),
        (0.45, 0.04, 0.03),
        (0.5, 0.2, 0.01),
    )
    for k in range(int(item.width / 0.13)):
        y = -item.width / 2 + 0.08 + 0.13 * k
        colour = style.paint(colours[int(rng.integers(len(colours)))])
        if rng.random() < 0.5:
            bench.add(
                cylinder(0.03, 0.03, segments=14).moved(tilt(np.pi / 2), (0.058, y, item.low + height / 2)), colour
            )
        else:
            bench.add(box(0.012, 0.07, 0.07, bevel=0.004).at(0.062, y, item.low + height / 2 - 0.035), colour)
        if rng.random() < 0.35:
            cable(bench, (0.08, y, item.low + height / 2), (0.05, y + float(rng.normal(0, 0.2)), 0.1), 0.02, 0.008)


def _switches(bench: Bench, item: Panel) -> None:
    bench.add(box(0.012, item.width, 0.09, bevel=0.004).at(0.006, 0, item.low), bench.style.white)
    if bench.rng.random() < 0.4:
        bench.add(box(0.05, 0.1, 0.1, bevel=0.01).at(0.025, 0, item.low + 0.14), bench.style.paint((0.5, 0.02, 0.02)))
