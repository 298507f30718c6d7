"""Parts that many pieces of equipment share: castors, drawers, screens, handles, hanging cables, bottles."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from or_mv_anon.simulation.room.blocks import box, panel
from or_mv_anon.simulation.room.grain import Picture
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.solid import tilt, upright
from or_mv_anon.simulation.room.turned import cylinder, lathe, rod, tube
from or_mv_anon.simulation.scene import Material


def castors(bench: Bench, depth: float, width: float, *, radius: float = 0.045) -> None:
    """Four wheels under a base of that size."""
    for x in (-1, 1):
        for y in (-1, 1):
            wheel = cylinder(radius, 0.03, bevel=0.006, segments=12).moved(tilt(np.pi / 2, "x"), (0, 0.015, radius))
            spin = float(bench.rng.uniform(-0.6, 0.6))
            bench.add(wheel.at(x * depth / 2, y * width / 2, turn=spin), bench.style.black)
            bench.add(cylinder(0.012, 0.04, segments=8).at(x * depth / 2, y * width / 2, 2 * radius), bench.style.steel)


def star_base(bench: Bench, radius: float, *, legs: int = 5, height: float = 0.07) -> None:
    """A wheeled star, as under stools and infusion poles."""
    for k in range(legs):
        angle = 2 * np.pi * k / legs
        foot = np.array([np.cos(angle), np.sin(angle)]) * radius
        bench.add(rod((0, 0, height + 0.02), (*foot, height), 0.018, top=0.012, segments=8), bench.style.chrome)
        bench.add(cylinder(0.03, 0.03, bevel=0.006, segments=10).on(foot, 0.0), bench.style.black)
        bench.add(cylinder(0.012, height - 0.02, segments=8).on(foot, 0.02), bench.style.black)


def drawers(bench: Bench, x: float, width: float, low: float, heights: ArrayLike, front: Material) -> None:
    """Drawer fronts one above the other on a face at `x`, with handles."""
    z = low
    for height in np.asarray(heights, float):
        bench.add(box(0.02, width - 0.03, height - 0.012, bevel=0.004).at(x + 0.01, 0, z), front)
        bench.add(
            box(0.025, min(0.22, width * 0.4), 0.016, bevel=0.005).at(x + 0.03, 0, z + height * 0.68), bench.style.grey
        )
        z += height


def doors(bench: Bench, x: float, width: float, low: float, high: float, count: int, front: Material) -> None:
    """Cupboard doors side by side on a face at `x`."""
    step = width / count
    for k in range(count):
        y = -width / 2 + (k + 0.5) * step
        bench.add(box(0.018, step - 0.01, high - low - 0.01, bevel=0.003).at(x + 0.009, y, low + 0.005), front)
        side = 1 if k % 2 else -1
        handle = box(0.02, 0.014, 0.14, bevel=0.005).at(x + 0.03, y - side * step * 0.38, (low + high) / 2)
        bench.add(handle, bench.style.grey)


def screen(
    bench: Bench, picture: Picture, width: float, place: ArrayLike, *, turn: float = 0.0, lean: float = 0.0
) -> None:
    """A flat screen of `width` metres whose lower edge's middle is at `place`; `lean` tips it to look up (radians)."""
    height = width * 0.625
    matrix = upright(turn) @ tilt(-lean)
    frame = width * 0.035
    shell = box(0.035, width + 2 * frame, height + 2 * frame, bevel=0.008)
    bench.add(shell.at(-0.0195, 0, -frame).moved(matrix, place), bench.style.black)
    bench.add(
        panel(width, height).moved(matrix, np.asarray(place, float) + matrix @ (0.001, 0, 0)),
        bench.style.screen(picture),
    )


def hanging(start: ArrayLike, end: ArrayLike, sag: float, *, points: int = 14) -> np.ndarray:
    """Points (N, 3) of a cable or hose that hangs between two ends, `sag` metres lower in the middle."""
    t = np.linspace(0, 1, points)[:, None]
    a, b = np.asarray(start, float), np.asarray(end, float)
    path = a + (b - a) * t
    path[:, 2] -= 4 * sag * (t * (1 - t))[:, 0]
    path[:, 2] = np.maximum(path[:, 2], 0.012)
    return np.asarray(path)


def cable(bench: Bench, start: ArrayLike, end: ArrayLike, sag: float, radius: float = 0.006) -> None:
    """A dark cable between two points."""
    bench.add(tube(hanging(start, end, sag), radius, segments=6), bench.style.black)


def floor_cable(bench: Bench, start: ArrayLike, end: ArrayLike, radius: float, material: Material) -> None:
    """A cable that wanders over the floor from one place (x, y) to another."""
    a, b = np.asarray(start, float), np.asarray(end, float)
    t = np.linspace(0, 1, 28)
    aside = np.array([a[1] - b[1], b[0] - a[0]])
    phase = bench.rng.uniform(0, 6.28, 2)
    wander = np.sin(np.pi * t) * (0.16 * np.sin(5 * t + phase[0]) + 0.07 * np.sin(11 * t + phase[1]))
    path = a + (b - a) * t[:, None] + aside * wander[:, None]
    bench.add(tube(np.c_[path, np.full(len(t), radius)], radius, segments=6), material)


def bottle(bench: Bench, radius: float, height: float, place: tuple[float, float, float], material: Material) -> None:
    """A bottle or canister with a neck and a cap."""
    profile = [(0, 0), (radius * 0.92, 0), (radius, 0.01), (radius, height * 0.72), (radius * 0.45, height * 0.86)]
    bench.add(lathe([*profile, (radius * 0.45, height * 0.9), (0, height * 0.9)], segments=14).on(place), material)
    cap = cylinder(radius * 0.5, height * 0.1, segments=12).at(place[0], place[1], place[2] + height * 0.9)
    bench.add(cap, bench.style.white)


def stack(bench: Bench, x: float, y: float, z: float, room: tuple[float, float, float]) -> None:
    """A small pile of cartons on a spot of `room` (depth, width, height) metres."""
    rng = bench.rng
    top = z
    depth, width = room[0] * rng.uniform(0.6, 0.95), room[1] * rng.uniform(0.7, 0.98)
    height = float(rng.uniform(0.05, 0.16))
    while top + height < z + room[2]:
        bench.add_box(box(depth, width, height).at(x, y, top, turn=float(rng.normal(0, 0.05))))
        top += height
        if rng.random() < 0.45:
            break
        height = float(rng.uniform(0.04, 0.12))
