"""Things that detectors take for people: gowns on a stand, coats on hooks, a device under a cloth. Real negatives."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room.blocks import box, sheet
from or_mv_anon.simulation.room.cloth import folds
from or_mv_anon.simulation.room.fittings import star_base
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.solid import Solid
from or_mv_anon.simulation.room.turned import ball, cylinder, rod
from or_mv_anon.simulation.scene import Footprint, Material

GARMENTS = (
    (0.09, 0.20, 0.30), (0.07, 0.19, 0.20), (0.62, 0.62, 0.60), (0.05, 0.07, 0.17), (0.20, 0.06, 0.10),
    (0.08, 0.19, 0.14),
)  # fmt: skip


def hanging_garment(rng: np.random.Generator, *, length: float, shoulders: float) -> Solid:
    """A gown or an apron on a hanger at the origin, hanging down along −z, its breadth along y."""
    angles = np.linspace(0, 2 * np.pi, 41)
    wave = folds(angles / (2 * np.pi) * 2.0, rng, per_metre=5)
    wave[-1] = wave[0]
    rings = []
    for t in np.linspace(0, 1, 12):
        slope = min(1.0, t / 0.14)
        breadth = shoulders / 2 * (0.25 + 0.75 * slope**0.7) * (1 + 0.12 * t)
        thick = 0.03 + 0.07 * slope * (0.7 + 0.5 * t)
        ripple = 1 + 0.18 * t * wave
        z = -length * t - 0.02 * t * np.cos(2 * angles)
        rings.append(
            np.stack([thick * np.cos(angles) * ripple, breadth * np.sin(angles) * (1 + 0.05 * t * wave), z], axis=1)
        )
    closed = [rings[0] * (0.05, 0.05, 1), *rings, rings[-1] * (0.1, 0.1, 1) + (0, 0, 0.03)]
    return sheet(np.stack(closed))


def sleeve(rng: np.random.Generator, *, length: float) -> Solid:
    """An empty sleeve hanging down from the origin."""
    angles = np.linspace(0, 2 * np.pi, 17)
    bend = float(rng.uniform(-0.06, 0.06))
    rings = []
    for t in np.linspace(0, 1, 8):
        radius = 0.055 * (1 - 0.3 * t) * (1 + 0.1 * np.sin(3 * angles + 9 * t))
        middle = np.array([bend * t, 0.03 * np.sin(2 * t), -length * t])
        rings.append(middle + np.stack([radius * np.cos(angles), 0.7 * radius * np.sin(angles), np.zeros(17)], axis=1))
    return sheet(np.stack([rings[0] * (0.1, 0.1, 1), *rings, rings[-1] * (0.1, 0.1, 1)]))


def _garment(bench: Bench, height: float, place: tuple[float, float], turn: float) -> None:
    rng = bench.rng
    cloth = bench.style.fabric(GARMENTS[int(rng.integers(len(GARMENTS)))], folds=0.6)
    shoulders = float(rng.uniform(0.36, 0.48))
    length = float(rng.uniform(0.75, min(1.15, height - 0.3)))
    bench.add(hanging_garment(rng, length=length, shoulders=shoulders).on(place, height, turn=turn), cloth)
    if rng.random() < 0.7:
        for side in (-1, 1):
            arm = sleeve(rng, length=0.5).at(0.02, side * shoulders * 0.46, -0.06)
            bench.add(arm.on(place, height, turn=turn), cloth)


def gown_stand(bench: Bench, place: Footprint) -> None:
    """A coat stand with gowns, at times with a cap or a visor on top."""
    style, rng = bench.style, bench.rng
    star_base(bench, place.length * 0.48)
    bench.add(cylinder(0.016, place.height - 0.08, segments=10).at(z=0.08), style.chrome)
    bench.add(rod((0, -0.2, place.height - 0.14), (0, 0.2, place.height - 0.14), 0.01), style.chrome)
    _garment(bench, place.height - 0.16, (0.05, 0.0), 0.0)
    if rng.random() < 0.5:
        _garment(bench, place.height - 0.2, (-0.07, 0.02), 0.15)
    if rng.random() < 0.6:  # a cap hung over the top
        cap = ball(0.1, segments=14).scaled(1.0, 0.9, 0.8).at(0.0, 0.0, place.height - 0.02)
        bench.add(cap, style.fabric(GARMENTS[int(rng.integers(len(GARMENTS)))], folds=0.7))


def hooks(bench: Bench, width: float) -> None:
    """Lead aprons and gowns on wall hooks; the hooks' bar is at the origin, the wall behind."""
    style, rng = bench.style, bench.rng
    bench.add(box(0.03, width, 0.06).at(0.015, 0, -0.03), style.steel)
    count = max(1, int(width / 0.24))
    for k in range(count):
        y = -width / 2 + (k + 0.5) * width / count
        bench.add(rod((0.03, y, 0), (0.1, y, 0.02), 0.008, segments=6), style.chrome)
        if rng.random() < 0.8:
            cloth: Material = style.fabric(GARMENTS[int(rng.integers(len(GARMENTS)))], folds=0.4)
            length, breadth = float(rng.uniform(0.7, 1.0)), float(rng.uniform(0.2, 0.42))
            bench.add(hanging_garment(rng, length=length, shoulders=breadth).at(0.13, y, 0.0), cloth)


def draped_device(bench: Bench, place: Footprint) -> None:
    """A microscope or a stand under a clear-white or coloured cloth, about as tall and broad as a person."""
    style, rng = bench.style, bench.rng
    height = place.height
    star_base(bench, place.length * 0.46)
    bench.add(cylinder(0.03, height * 0.5, segments=10).at(z=0.08), style.steel)
    angles = np.linspace(0, 2 * np.pi, 61)
    wave = folds(angles / (2 * np.pi) * 2.2, rng, per_metre=5)
    wave[-1] = wave[0]
    head = float(rng.uniform(0.1, 0.15))
    profile = [
        (height, 0.01), (height - 0.02, head * 0.7), (height - 0.1, head), (height - 0.22, head * 0.85),
        (height - 0.3, 0.16), (height - 0.36, 0.22), (height - 0.6, 0.21), (height - 0.9, 0.22), (0.45, 0.25),
        (0.3, 0.26),
    ]  # fmt: skip
    rings = []
    for z, radius in profile:
        t = (height - z) / height
        ripple = 1 + 0.2 * t * wave
        rings.append(
            np.stack([radius * np.cos(angles) * ripple * 0.8, radius * np.sin(angles) * ripple, np.full(61, z)], axis=1)
        )
    colour = (0.66, 0.68, 0.69) if rng.random() < 0.4 else style.drape
    bench.add(sheet(np.stack(rings)), style.fabric(colour, folds=0.5))
