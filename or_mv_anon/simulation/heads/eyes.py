"""Eyeballs: white, iris, pupil, on spheres where the base mesh has its eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.body import Body
from or_mv_anon.simulation.bodies.noise import SmoothNoise
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.surfaces import sheet_triangles
from or_mv_anon.simulation.scene import Material, Mesh, Surface

IRISES = {  # sRGB 0..1
    "brown": (0.28, 0.17, 0.09),
    "dark": (0.16, 0.1, 0.07),
    "hazel": (0.33, 0.25, 0.13),
    "blue": (0.25, 0.34, 0.42),
    "grey": (0.31, 0.34, 0.35),
}
_IRIS, _PUPIL = 0.40, 0.16  # radians from the optical axis, about 12.5 mm across in an adult's eye
_REACH = 1.75  # radians from the axis that the texture spans
_RINGS, _SPOKES, _TEXELS = 10, 20, 128


def eye_parts(body: Body, iris: str, rng: np.random.Generator) -> list[Part]:
    """Two eyeballs, 'eye_left' and 'eye_right', looking straight ahead at rest and turned by their bones."""
    look = Material(colour=(1, 1, 1), texture=paint_eye(iris, rng), roughness=0.12, specular=0.12)
    return [
        _eyeball(body, f"eye_{side}", f"helper-{side[0]}-eye", f"eye.{side[0].upper()}", look)
        for side in ("left", "right")
    ]


def _eyeball(body: Body, name: str, group: str, bone: str, look: Material) -> Part:
    shape = body.vertices[np.unique(body.groups[group].triangles)].astype(np.float64)
    centre = (shape.min(0) + shape.max(0)) / 2
    radius = float(np.linalg.norm(shape - centre, axis=1).mean())
    away = np.linspace(0, _REACH, _RINGS)[:, None]
    around = np.arange(_SPOKES) * 2 * np.pi / _SPOKES
    x, up = np.sin(away) * np.cos(around), np.sin(away) * np.sin(around)
    forward = np.broadcast_to(np.cos(away), x.shape)
    cornea = 1 + 0.035 * np.exp(-((away / 0.45) ** 2))
    normals = np.stack([x, -forward, up], -1)
    vertices = (centre + radius * cornea[..., None] * normals).reshape(-1, 3)
    share = away / _REACH / 2
    uv = np.stack([0.5 + share * np.cos(around), 0.5 + share * np.sin(around)], -1).reshape(-1, 2)
    triangles = sheet_triangles(_RINGS, _SPOKES, closed=True)[:, ::-1].copy()
    mesh = Mesh(
        vertices.astype(np.float32),
        triangles,
        look,
        normals.reshape(-1, 3).astype(np.float32),
        uv.astype(np.float32),
        surface=Surface.FACE,
        moves=True,
    )
    table = (np.ones(len(vertices), np.float32), (np.arange(len(vertices)), np.full(len(vertices), _bone(body, bone))))
    return Part(name, mesh, sparse.csr_matrix(table, shape=(len(vertices), len(body.labels))))


def _bone(body: Body, label: str) -> int:
    return body.labels.index(label)


def paint_eye(iris: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The texture (128, 128, 3) of an eyeball seen from in front, sRGB, its border at the back of the eye."""
    noise = SmoothNoise(rng)
    axis = (np.arange(_TEXELS) + 0.5) / _TEXELS * 2 - 1
    x, y = np.meshgrid(axis, -axis)
    away, angle = np.hypot(x, y) * _REACH, np.arctan2(y, x)
    plane = np.stack([x, y, np.zeros_like(x)], -1)
    veins = np.clip(noise(plane, 0.06), 0, 1) * np.clip((away - 0.5) / 0.5, 0, 1)
    white = np.array([0.86, 0.84, 0.82]) - veins[..., None] * np.array([0.0, 0.10, 0.10])
    white = white * (1 - 0.25 * np.clip(away - 0.6, 0, 1))[..., None]
    streaks = noise(np.stack([np.cos(angle) * 3, np.sin(angle) * 3, away * 0.6], -1), 0.22)
    tone = (
        1.15 * np.array(IRISES[iris]) * (1 + 0.35 * streaks + 0.35 * np.exp(-(((away - 0.22) / 0.07) ** 2)))[..., None]
    )
    ring = np.clip((away - _IRIS + 0.09) / 0.09, 0, 1)[..., None]
    tone = tone * (1 - 0.6 * ring)
    inside = np.clip((_IRIS - away) / 0.03 + 0.5, 0, 1)[..., None]
    colour = white * (1 - inside) + tone * inside
    colour = colour * np.clip((away - _PUPIL) / 0.03 + 0.5, 0.06, 1)[..., None]
    glint = np.exp(-((x + 0.09) ** 2 + (y - 0.10) ** 2) / 0.03**2)[..., None]  # the ceiling's lamps
    colour = colour + 0.75 * glint
    return (np.clip(colour, 0, 1) * 255 + 0.5).astype(np.uint8)
