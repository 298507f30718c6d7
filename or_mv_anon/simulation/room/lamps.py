"""Surgical lamps on jointed arms from the ceiling, and the light that they and the ceiling's panels give."""

from __future__ import annotations

import numpy as np

from or_mv_anon.simulation.room.blocks import box
from or_mv_anon.simulation.room.floor import ahead
from or_mv_anon.simulation.room.plan import Layout
from or_mv_anon.simulation.room.shop import Bench
from or_mv_anon.simulation.room.solid import Solid, aim, join
from or_mv_anon.simulation.room.turned import ball, cylinder, lathe, rod, tube
from or_mv_anon.simulation.scene import Light, Material

BEAM = 1.9  # intensity of one surgical lamp; at a metre it is about three times as bright as the rest of the room


def build_lamps(bench: Bench, layout: Layout) -> list[Light]:
    """Lamp heads aimed at the operating field, their arms and the ceiling mount; in world coordinates."""
    style, rng = bench.style, bench.rng
    table, field = layout.plan.table, layout.plan.surfaces["field"]
    ceiling = layout.plan.size[2]
    mount_place = ahead(table, float(rng.uniform(-0.25, 0.25)), float(rng.uniform(-0.2, 0.2)))
    mount = np.array([mount_place.x, mount_place.y])
    bench.add(cylinder(0.2, 0.09, bevel=0.02).on(mount, ceiling - 0.09), style.white)
    bench.add(cylinder(0.06, 0.35, segments=16).on(mount, ceiling - 0.4), style.housing)
    kind = int(rng.integers(3))
    tint = np.array([1.0, float(rng.uniform(0.94, 0.985)), float(rng.uniform(0.84, 0.95))])
    lights = []
    for k, centre in enumerate(layout.plan.lamps):
        head = np.array(centre)
        aimed_at = np.array([field.x, field.y, field.height]) + np.r_[rng.normal(0, 0.06, 2), 0]
        downwards = (aimed_at - head) / np.linalg.norm(aimed_at - head)
        rotation = aim(-downwards)  # the head's own z points away from the patient
        for solid, material in _head(bench, kind):
            bench.add(solid.moved(rotation, head), material)
        _arm(bench, mount, ceiling - 0.28 - 0.1 * k, head - downwards * 0.1, ceiling)
        r, g, b = (float(v) for v in BEAM * tint * rng.uniform(0.85, 1.15))
        x, y, z = (float(v) for v in head + downwards * 0.06)
        lights.append(
            Light((x, y, z), (float(aimed_at[0]), float(aimed_at[1]), float(aimed_at[2])), (r, g, b), 0.75, 0.55, 0.14)
        )
    return lights


def ceiling_lights(layout: Layout, rng: np.random.Generator) -> list[Light]:
    """The panels' light as two wide spots, between them as bright as a well-lit theatre."""
    x, y, ceiling = layout.plan.size
    warm = float(rng.uniform(0.92, 1.02))
    level = float(rng.uniform(2.4, 3.2)) * (ceiling / 3) ** 2
    along_x = x > y
    lights = []
    for side in (-1, 1):
        spot = (side * x * 0.24, 0.0) if along_x else (0.0, side * y * 0.24)
        colour = (level, level * (0.5 + 0.5 * warm), level * warm)
        target = (spot[0] * 0.6, spot[1] * 0.6, 0.0)
        lights.append(Light((*spot, ceiling - 0.06), target, colour, 2.7, 0.35, 0.5))
    return lights


def _head(bench: Bench, kind: int) -> list[tuple[Solid, Material]]:
    style = bench.style
    glass = style.paint((1.0, 0.98, 0.93), emission=4.5, roughness=0.2)
    dim = style.paint((0.80, 0.81, 0.82), roughness=0.2, specular=0.7)
    shell = style.paint((0.68, 0.70, 0.72), roughness=0.35, specular=0.5)
    parts: list[tuple[Solid, Material]] = []
    if kind == 0:  # a closed dome with lenses in rings
        parts.append(
            (lathe([(0, 0), (0.30, 0), (0.33, 0.02), (0.31, 0.07), (0.2, 0.12), (0, 0.14)], segments=32), shell)
        )
        parts.append((lathe([(0, -0.006), (0.285, -0.006), (0.285, 0.002), (0, 0.002)], segments=32), dim))
        parts.append((_lenses([(0.0, 1), (0.1, 6), (0.19, 12), (0.255, 18)], 0.026), glass))
    elif kind == 1:  # an open ring with petals
        ring = lathe(
            [(0.24, 0), (0.34, 0), (0.345, 0.03), (0.32, 0.06), (0.26, 0.06), (0.24, 0.03), (0.24, 0)], segments=36
        )
        parts.append((ring, shell))
        for k in range(6):
            angle = k * np.pi / 3
            petal = cylinder(0.088, 0.05, bevel=0.012, segments=20)
            spot = (0.165 * np.cos(angle), 0.165 * np.sin(angle))
            parts.append((petal.on(spot), shell))
            parts.append((cylinder(0.07, 0.006, segments=20).on(spot, -0.005), glass))
        parts.append((cylinder(0.06, 0.08, bevel=0.01).at(z=0), shell))
        parts.append((_lenses([(0.29, 20)], 0.022), glass))
    else:  # a cross of pads
        parts.append((cylinder(0.12, 0.08, bevel=0.02, segments=24), shell))
        for k in range(4):
            pad = box(0.24, 0.2, 0.05, bevel=0.015).at(0.22, 0, 0)
            face = box(0.2, 0.16, 0.006).at(0.22, 0, -0.004)
            parts.append((pad.at(turn=k * np.pi / 2), shell))
            parts.append((face.at(turn=k * np.pi / 2), glass))
        parts.append((cylinder(0.09, 0.006).at(z=-0.005), glass))
    grip = rod((0, 0, 0), (0, 0, -0.13), 0.018, top=0.026, segments=12)
    parts.append((grip, style.paint((0.5, 0.62, 0.66))))
    rail = tube([(0.36 * np.cos(t), 0.36 * np.sin(t), 0.05) for t in np.linspace(0.6, 2.5, 12)], 0.011)
    parts.append((rail, style.grey))
    return parts


def _lenses(rings: list[tuple[float, int]], radius: float) -> Solid:
    lens = cylinder(radius, 0.006, segments=10)
    spots = [(r, 2 * np.pi * k / count) for r, count in rings for k in range(count)]
    return join(*(lens.at(r * np.cos(a), r * np.sin(a), -0.011) for r, a in spots))


def _arm(bench: Bench, mount: np.ndarray, height: float, yoke: np.ndarray, ceiling: float) -> None:
    style, rng = bench.style, bench.rng
    top = np.array([*mount, height])
    level = min(ceiling - 0.12, max(height, yoke[2] + 0.35))
    top[2] = level
    across = yoke[:2] - mount
    distance = np.linalg.norm(across)
    aside = np.array([-across[1], across[0]]) / max(distance, 1e-6) * float(rng.choice([-1, 1]))
    reach = float(rng.uniform(0.35, 0.6))
    elbow = np.array([*(mount + across * 0.5 + aside * reach), level])
    above = np.array([yoke[0], yoke[1], max(yoke[2] + 0.16, min(level - 0.1, yoke[2] + 0.3))])
    bench.add(rod(top, elbow, 0.038), style.white)
    bench.add(cylinder(0.055, 0.14, bevel=0.015, segments=16).at(elbow[0], elbow[1], level - 0.09), style.housing)
    bench.add(rod(elbow - (0, 0, 0.05), above, 0.032), style.white)
    bench.add(ball(0.045).on(above), style.housing)
    bench.add(rod(above, yoke, 0.02), style.housing)
    bench.add(ball(0.04).on(yoke), style.housing)
