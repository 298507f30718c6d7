"""Hair as a few thin shells around the scalp whose holes grow outwards, so that it ends in strands, not in an edge."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.body import Body
from or_mv_anon.simulation.bodies.noise import SmoothNoise
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.surfaces import sheet_triangles, sheet_uv, vertex_normals
from or_mv_anon.simulation.heads.face_paint import Colour
from or_mv_anon.simulation.heads.head_frame import carried, cast, directions, inner_point, rigid_with_head
from or_mv_anon.simulation.scene import Material, Mesh, Surface

STYLES = ("bald", "cropped", "short", "swept", "bun")
_LENGTH = {"cropped": 0.006, "short": 0.016, "swept": 0.022, "bun": 0.011}  # metres off the scalp on the crown
_CENTRE = np.array([0.0, 0.0, 0.035])
_ROWS, _COLUMNS = 13, 49
_SHELLS = (0.12, 0.3, 0.48, 0.64)  # alpha below which each shell, from the inmost, has holes
# How low hair reaches, as elevation in degrees seen from the centre, by azimuth from the forehead to the nape.
_AZIMUTHS = [0, 20, 38, 52, 62, 70, 80, 87, 94, 108, 118, 128, 145, 180]
_LOWEST = [31, 32, 33, 24, 6, -22, -28, -20, 2, 4, -12, -36, -46, -45]


def hair_parts(
    body: Body, style: str, colour: Colour, rng: np.random.Generator, *, below: float | None = None
) -> list[Part]:
    """Hair of one of `STYLES` as parts 'hair' and, for a bun, 'bun'; nothing for a bald head.

    Args:
        body: on whose head.
        style: one of `STYLES`.
        colour: sRGB 0..1.
        rng: for its strands.
        below: under a cap, how far up hair still shows, as a share of the way from the hairline to the crown.
    """
    if style == "bald":
        return []
    strands = paint_strands(colour, rng)
    points, weights = carried(body, _scalp_places())
    centre = inner_point(body, _CENTRE)
    shape = points.reshape(_ROWS, _COLUMNS, 3)
    outward = shape - centre
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    up = np.linspace(0, 1, _ROWS)[:, None]
    front = np.clip(-outward[..., 1], 0, 1)
    style = style if below is None else "cropped"  # a cap presses hair flat
    length = _LENGTH[style] * (0.35 + 0.65 * np.clip(up / 0.35, 0, 1)) * np.ones(_COLUMNS)
    if style == "swept":
        length = length * (0.8 + 0.6 * front * up)
    length = length * (1 + 0.25 * SmoothNoise(rng)(shape, 0.03))
    rows = _ROWS if below is None else max(2, round(below * (_ROWS - 1)) + 1)
    parts = []
    for layer, cutoff in enumerate(_SHELLS):
        height = 0.0015 + (length - 0.0015) * (layer + 1) / len(_SHELLS)
        vertices = (shape + outward * height[..., None])[:rows].reshape(-1, 3).astype(np.float32)
        triangles = sheet_triangles(rows, _COLUMNS)
        mesh = Mesh(
            vertices,
            triangles,
            Material((1, 1, 1), strands, roughness=0.55, specular=0.35, alpha_cutoff=cutoff),
            vertex_normals(vertices, triangles),
            _strand_uv()[: len(vertices)],
            surface=Surface.HEAD,
            moves=True,
        )
        parts.append(Part(f"hair_{layer}", mesh, sparse.csr_matrix(weights[: len(vertices)])))
    if style == "bun" and below is None:
        parts.append(_bun(body, strands))
    return parts


def _bun(body: Body, strands: NDArray[np.uint8]) -> Part:
    """A knot of hair at the back of the head."""
    middle = inner_point(body, np.array([0.0, -0.118, 0.055]))
    rows, columns = 9, 17
    around = np.linspace(-np.pi, np.pi, columns)
    rise = np.linspace(-np.pi / 2, np.pi / 2, rows)[:, None]
    ball = np.stack(
        [np.cos(rise) * np.sin(around), -np.cos(rise) * np.cos(around), np.sin(rise) * np.ones(columns)], -1
    )
    vertices = (middle + ball * np.array([0.036, 0.030, 0.034])).reshape(-1, 3).astype(np.float32)
    triangles = sheet_triangles(rows, columns)
    look = Material((1, 1, 1), np.ascontiguousarray(strands[..., :3]), roughness=0.55, specular=0.35)
    uv = sheet_uv(rows, columns) * np.float32(0.6) + np.float32(0.3)
    normals = ball.reshape(-1, 3).astype(np.float32)
    mesh = Mesh(vertices, triangles, look, normals, uv, surface=Surface.HEAD, moves=True)
    return Part("bun", mesh, rigid_with_head(body, len(vertices)))


def paint_strands(colour: Colour, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Strands (128, 512, 4) running up the texture, sRGB; alpha is how far out each strand reaches."""
    noise = SmoothNoise(rng)
    v, u = np.meshgrid(1 - (np.arange(128) + 0.5) / 128, (np.arange(512) + 0.5) / 512, indexing="ij")
    turn = 2 * np.pi * u
    ring = np.stack([np.cos(turn), np.sin(turn), v * 0.12], -1)
    fine, broad = noise(ring, 0.016), noise(ring + 5, 0.07)
    alpha = np.clip(0.55 + 0.5 * fine + 0.15 * broad, 0, 1) * np.clip((v - 0.01) / 0.14, 0, 1)
    alpha = np.where(v > 0.25, np.maximum(alpha, 0.4), alpha)
    shade = 0.85 + 0.4 * fine + 0.15 * broad
    grey = np.clip(0.5 + noise(ring + 9, 0.012), 0, 1)[..., None] * 0.06
    rgb = np.array(colour) * shade[..., None] + grey
    return (np.clip(np.concatenate([rgb, alpha[..., None]], -1), 0, 1) * 255 + 0.5).astype(np.uint8)


@lru_cache(maxsize=1)
def _scalp_places() -> sparse.csr_matrix:
    azimuth = np.linspace(-np.pi, np.pi, _COLUMNS)
    lowest = np.radians(np.interp(np.degrees(np.abs(azimuth)), _AZIMUTHS, _LOWEST))
    share = np.linspace(0, 1, _ROWS)[:, None]
    elevation = lowest + (np.pi / 2 - 0.001 - lowest) * share
    rays = directions(np.broadcast_to(azimuth, elevation.shape), elevation)
    return cast(_CENTRE, rays.reshape(-1, 3))


def _strand_uv() -> NDArray[np.float32]:
    return sheet_uv(_ROWS, _COLUMNS)
