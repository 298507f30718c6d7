"""Skin as parts of a person: the face, the rest of the head, and the body below it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.base_mesh import MeshGroup, in_socket
from or_mv_anon.simulation.bodies.body import Body
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.surfaces import vertex_normals
from or_mv_anon.simulation.heads.face_paint import Complexion, paint_head, skin_tone
from or_mv_anon.simulation.heads.head_canvas import WET, head_uv
from or_mv_anon.simulation.scene import Material, Mesh, Surface


def skin_parts(
    body: Body, complexion: Complexion, rng: np.random.Generator, *, covered: NDArray[np.bool_] | None = None
) -> list[Part]:
    """The skin of somebody as three parts: 'face_skin', 'head_skin' and 'body_skin'.

    Args:
        body: whose skin.
        complexion: how it looks.
        rng: for its blotches.
        covered: bool (V,) base-mesh vertices that clothes or a cap always hide; triangles of three such are left out.
    """
    group = body.groups["skin"]
    if covered is not None:
        group = group.only(~np.asarray(covered[group.triangles].all(1)))
    socket = in_socket(group.corner_uv)
    face: NDArray[np.bool_] = np.isin(group.triangles, body.face).all(1) | socket
    own = head_uv(group.corner_uv)
    on_island: NDArray[np.bool_] = ((own > 0) & (own < 1)).all((1, 2)) | socket
    bones = [k for k, label in enumerate(body.labels) if label.startswith(("head", "neck"))]
    carried = np.asarray(body.weights[:, bones].sum(1)).ravel()
    head = on_island & (carried[group.triangles].mean(1) > 0.5)

    head_look = _look((1.0, 1.0, 1.0), paint_head(complexion, rng))
    tone = skin_tone(complexion.tone)
    red, green, blue = np.where(tone < 0.04045, tone / 12.92, ((tone + 0.055) / 1.055) ** 2.4).tolist()
    body_look = _look((red, green, blue), None)
    normals = vertex_normals(body.vertices, body.groups["skin"].triangles)
    return [
        _part("face_skin", body, _in_head_texture(group.only(head & face)), head_look, Surface.FACE, normals),
        _part("head_skin", body, _in_head_texture(group.only(head & ~face)), head_look, Surface.HEAD, normals),
        _part("body_skin", body, group.only(~head), body_look, Surface.BODY, normals),
    ]


def _look(colour: tuple[float, float, float], texture: NDArray[np.uint8] | None) -> Material:
    return Material(colour, texture, roughness=0.5, specular=0.35, translucency=0.5)


def _in_head_texture(group: MeshGroup) -> MeshGroup:
    uv = head_uv(group.corner_uv)
    uv[in_socket(group.corner_uv)] = WET
    return MeshGroup(group.triangles, uv)


def _part(
    name: str, body: Body, group: MeshGroup, look: Material, surface: Surface, normals: NDArray[np.float32]
) -> Part:
    source, triangles, uv = group.split()
    mesh = Mesh(body.vertices[source], triangles, look, normals[source], uv, surface=surface, moves=True)
    return Part(name, mesh, sparse.csr_matrix(body.weights[source]))
