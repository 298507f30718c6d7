"""Covers the patient: sterile drapes with an operating window and a screen towards the anaesthetist, or a blanket.

The cloth is a height field over the posed patient in the table's frame: every point of the body that it covers pushes
it up, the cloth spans the hollows between, and falls in folds over the table's sides and foot end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from or_mv_anon.simulation.room.blocks import sheet
from or_mv_anon.simulation.room.cloth import folds
from or_mv_anon.simulation.room.grain import noise
from or_mv_anon.simulation.room.shop import as_mesh
from or_mv_anon.simulation.room.solid import Solid, join, upright
from or_mv_anon.simulation.room.style import DRAPES
from or_mv_anon.simulation.room.turned import rod, tube
from or_mv_anon.simulation.scene import Footprint, Material, Mesh, RoomPlan

CELL = 0.02  # metres between the height field's points
GAP = 0.018  # metres from the body to the cloth
HEAD = 0.34  # metres from the top of the head that stay free: head and neck
SPAN = 0.16  # metres: hollows narrower than this are bridged by the cloth


@dataclass(frozen=True, eq=False)
class _Top:
    """The cloth's upper side in the table's frame: rows `forward` (towards the head), columns `left`, metres."""

    forward: NDArray[np.float64]
    left: NDArray[np.float64]
    height: NDArray[np.float64]

    def at(self, forward: NDArray[Any], left: NDArray[Any]) -> NDArray[np.float64]:
        """Heights at places, linear between the grid's points."""
        rows = (np.asarray(forward) - self.forward[0]) / CELL
        columns = (np.asarray(left) - self.left[0]) / CELL
        return np.asarray(ndimage.map_coordinates(self.height, [rows, columns], order=1, mode="nearest"))


def drape_patient(plan: RoomPlan, patient_points: NDArray[Any], rng: np.random.Generator) -> list[Mesh]:
    """Cloth over a patient who lies on the table, the head free.

    Args:
        plan: the room.
        patient_points: (N, 3) world points all over the posed patient, the head included, in metres.
        rng: chooses the kind of covering, its colour and its folds.

    Returns:
        Meshes in world coordinates that belong to the room; they do not move.
    """
    table = plan.table
    points = (np.asarray(patient_points, float) - (table.x, table.y, 0)) @ upright(table.heading)
    shoulders = float(points[:, 0].max()) - HEAD
    feet = float(min(points[:, 0].min() - 0.06, -0.9))
    colour = DRAPES[int(rng.integers(len(DRAPES)))]
    full = rng.random() < 0.75
    if full:
        start, end, hem = feet, shoulders, float(rng.uniform(0.3, 0.5))
    else:
        start, end, hem = feet, shoulders - float(rng.uniform(0.3, 0.55)), table.height - float(rng.uniform(0.25, 0.4))
        colour = ((0.60, 0.61, 0.60), (0.28, 0.40, 0.55), (0.55, 0.52, 0.38))[int(rng.integers(3))]
    cloth = Material(colour, roughness=0.95, specular=0.03, cloth=0.55, cloth_scale=1.0)
    top = _cover_points(points, table, start, end)
    pieces: list[tuple[Solid, Material]] = [(_falling(top, table, hem, rng), cloth)]
    if full:
        field = plan.surfaces.get("field")
        if field is not None:
            place = (np.array([field.x, field.y, 0]) - (table.x, table.y, 0)) @ upright(table.heading)
            pieces += _operating_window(top, (float(place[0]), float(place[1])), field, colour, rng)
        if rng.random() < 0.7:
            pieces += _screen(top, table, cloth, rng)
    rotation = upright(table.heading)
    return [as_mesh(solid.moved(rotation, (table.x, table.y, 0)), material) for solid, material in pieces]


def _cover_points(points: NDArray[Any], table: Footprint, start: float, end: float) -> _Top:
    covered = points[(points[:, 0] > start - 0.1) & (points[:, 0] < end + 0.1)]
    reach = np.abs(covered[:, 1]).max(initial=0.0) + 2 * CELL
    half = max(table.width / 2 + 0.03, float(reach))
    forward = np.linspace(start, end, round((end - start) / CELL) + 1)
    left = np.arange(-np.ceil(half / CELL), np.ceil(half / CELL) + 1) * CELL
    step = (forward[1] - forward[0], CELL)
    ground = table.height + 0.004
    field = np.full((len(forward), len(left)), ground)
    # every point lifts the grid points of its cell and their neighbours, so that no triangle cuts under it
    row = np.floor((covered[:, 0] - start) / step[0]).astype(int)
    column = np.floor((covered[:, 1] - left[0]) / CELL).astype(int)
    spacing = _spacing(covered)  # the body rises between its points
    spread = max(1, int(np.ceil(1.3 * spacing / CELL)))
    for i in range(-spread, spread + 2):
        for j in range(-spread, spread + 2):
            r, c = row + i, column + j
            inside = (r >= 0) & (r < len(forward)) & (c >= 0) & (c < len(left))
            np.maximum.at(field, (r[inside], c[inside]), covered[inside, 2] + GAP + 0.4 * spacing)
    size = int(SPAN / CELL) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    bridged = cv2.morphologyEx(field.astype(np.float32), cv2.MORPH_CLOSE, disc, borderType=cv2.BORDER_REPLICATE)
    small = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    soft = cv2.GaussianBlur(cv2.dilate(bridged, small), (0, 0), 2.0, borderType=cv2.BORDER_REPLICATE)
    height = cv2.GaussianBlur(np.maximum(soft, bridged), (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    return _Top(forward, left, np.maximum(height, field).astype(np.float64))


def _spacing(points: NDArray[Any]) -> float:
    """About how far apart the points are, seen from above, in metres."""
    if len(points) < 2:
        return 0.0
    extent = np.ptp(points[:, :2], axis=0)
    return float(np.sqrt(extent[0] * extent[1] / len(points)))


def _falling(top: _Top, table: Footprint, hem: float, rng: np.random.Generator) -> Solid:
    """The upper side with skirts on both sides and at the foot, as one cloth without seams."""
    rows, columns = top.height.shape
    small = 0.006 * cv2.resize(noise(rng, 64, slope=1.3), (columns, rows), interpolation=cv2.INTER_CUBIC)
    height = top.height + np.clip(small, -0.001, 0.02)
    grid = np.stack([*np.meshgrid(top.forward, top.left, indexing="ij"), height], axis=-1)
    drops = np.r_[0.03, np.linspace(0.1, 1.0, 9)]
    sides = []
    for end, outward in ((0, -1.0), (-1, 1.0)):
        edge = grid[:, end]
        wave = folds(top.forward, rng, per_metre=5.0)
        out = [
            edge
            + np.stack(
                [np.zeros(rows), outward * (0.012 + 0.05 * k**0.8 * (1 + wave)), -k * (edge[:, 2] - hem - 0.02 * wave)],
                axis=1,
            )
            for k in drops
        ]
        sides.append(np.stack(out, axis=1))
    wide = np.concatenate([sides[0][:, ::-1], grid, sides[1]], axis=1)
    lowest = wide[0]
    across = np.cumsum(np.r_[0, np.linalg.norm(np.diff(lowest[:, 1:], axis=0), axis=1)])
    wave = folds(across, rng, per_metre=4.0)
    foot = [
        np.stack(
            [
                lowest[:, 0] - 0.012 - 0.06 * k**0.8 * (1 + wave),
                lowest[:, 1] * (1 + 0.04 * k),
                lowest[:, 2] - k * np.maximum(lowest[:, 2] - hem - 0.02 * wave, 0),
            ],
            axis=1,
        )
        for k in drops[::-1]
    ]
    whole = np.concatenate([np.stack(foot), wide], axis=0)
    return sheet(whole)


def _patch(
    top: _Top, centre: tuple[float, float], size: tuple[float, float], lift: float, round_: float = 0.0
) -> Solid:
    """A piece of cloth or skin that lies on the drape, `lift` metres above it."""
    u, v = np.meshgrid(np.linspace(-1, 1, 25), np.linspace(-1, 1, 25), indexing="ij")
    squeeze = 1 - round_ * 0.29 * (u * v) ** 2
    forward = centre[0] + u * squeeze * size[0] / 2
    left = centre[1] + v * squeeze * size[1] / 2
    uv = np.stack([u, v], axis=-1) * 0.5 + 0.5
    return sheet(np.stack([forward, left, top.at(forward, left) + lift], axis=-1), uv)


def _operating_window(
    top: _Top,
    centre: tuple[float, float],
    field: Footprint,
    colour: tuple[float, float, float],
    rng: np.random.Generator,
) -> list[tuple[Solid, Material]]:
    """Skin with iodine or under clear film, a wound, and towels around, lying on the drape where the field is."""
    limits = (top.forward[0] + field.length / 2 + 0.08, top.forward[-1] - field.length / 2 - 0.08)
    centre = (float(np.clip(centre[0], *limits)), centre[1])
    skin = Material(
        (1.0, 1.0, 1.0), _skin_picture(rng), roughness=0.4, specular=0.45, translucency=0.3, casts_shadow=False
    )
    size = (field.length * float(rng.uniform(0.6, 0.85)), field.width * float(rng.uniform(0.6, 0.85)))
    towel = (0.07, 0.20, 0.13) if rng.random() < 0.5 else tuple(1.2 * v for v in colour)
    cloth = Material((towel[0], towel[1], towel[2]), roughness=0.97, specular=0.02, cloth=0.7, casts_shadow=False)
    pieces = [(_patch(top, centre, size, 0.01, 0.5), skin)]
    a, b = size[0] / 2 + 0.05, size[1] / 2 + 0.05
    strips = (
        ((a, 0), (0.13, 2 * b + 0.12)),
        ((-a, 0), (0.13, 2 * b + 0.12)),
        ((0, b), (2 * a, 0.13)),
        ((0, -b), (2 * a, 0.13)),
    )
    for (x, y), extent in strips:
        spot = (centre[0] + x, centre[1] + y)
        pieces.append((_patch(top, spot, extent, 0.014 + 0.004 * float(rng.random())), cloth))
    swab = Material((0.70, 0.68, 0.66), roughness=0.97, specular=0.02, cloth=0.5, casts_shadow=False)
    for _ in range(int(rng.integers(1, 5))):
        spot = (centre[0] + float(rng.uniform(-0.3, 0.3)), centre[1] + float(rng.uniform(-0.16, 0.16)))
        pieces.append((_patch(top, spot, (0.09, 0.1), 0.022), swab))
    return pieces


def _skin_picture(rng: np.random.Generator) -> NDArray[np.uint8]:
    tones = ((196, 150, 122), (168, 118, 88), (120, 80, 58), (84, 56, 42), (206, 164, 142))
    base = np.array(tones[int(rng.integers(len(tones)))], float)
    if rng.random() < 0.7:  # painted with iodine
        base *= (0.92, 0.66, 0.34)
    spread = noise(rng, 128, slope=1.5)
    picture = base * (1 + 0.06 * spread[..., None])
    wound = np.zeros((128, 128), np.float32)
    length = int(rng.integers(12, 40))
    cv2.ellipse(wound, (64, 64), (length, int(rng.integers(4, 14))), float(rng.uniform(-30, 30)), 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(wound, (0, 0), 2.0)[..., None]
    picture = picture * (1 - soft) + np.array([120.0, 18, 14]) * (1 + 0.2 * spread[..., None]) * soft
    return np.clip(picture, 0, 255).astype(np.uint8)


def _screen(top: _Top, table: Footprint, cloth: Material, rng: np.random.Generator) -> list[tuple[Solid, Material]]:
    """A drape hung over a bar across the chest, between the surgeons and the anaesthetist."""
    forward = float(top.forward[-1]) - 0.03
    high = table.height + float(rng.uniform(0.42, 0.62))
    half = table.width / 2 + float(rng.uniform(0.05, 0.25))
    across = np.linspace(-half, half, 61)
    wave = folds(across, rng, per_metre=4.0)
    rows = []
    for k in np.linspace(0, 1, 16):
        base = np.minimum(top.at(np.full(61, forward), np.clip(across, top.left[0], top.left[-1])), high - 0.1)
        beyond = np.clip(np.abs(across) - table.width / 2, 0, None)
        low = base - 0.02 - 1.5 * beyond
        sag = 0.03 * (1 - (across / half) ** 2) * (1 - k)
        rows.append(np.stack([forward - 0.05 * k + 0.03 * wave * k, across, high - sag - k * (high - low)], axis=1))
    posts = [rod((forward, s * half, table.height - 0.1), (forward, s * half, high), 0.011) for s in (-1, 1)]
    bar = tube([(forward, y, high) for y in np.linspace(-half, half, 9)], 0.011)
    metal = Material((0.5, 0.51, 0.52), roughness=0.25, specular=0.9)
    return [(sheet(np.stack(rows)[::-1]), cloth), (join(*posts, bar), metal)]
