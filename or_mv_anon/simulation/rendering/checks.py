"""Refuses scenes that cannot be drawn, before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from or_mv_anon.core.errors import UserError
from or_mv_anon.simulation.rendering.programs import MAX_LIGHTS, MAX_REPEATS, MAX_SHADOWS
from or_mv_anon.simulation.scene import Light, Mesh


def check_scene(meshes: Sequence[Mesh], lights: Sequence[Light]) -> None:
    """Pass if the renderer can take all of this.

    Raises:
        UserError: too many lights, too many that cast shadows, or a mesh whose arrays do not fit together.
    """
    if len(lights) > MAX_LIGHTS:
        raise UserError(f"At most {MAX_LIGHTS} lights are possible, found {len(lights)}: merge some.")
    casting = sum(light.casts_shadow for light in lights)
    if casting > MAX_SHADOWS:
        raise UserError(f"At most {MAX_SHADOWS} lights can cast shadows, found {casting}: let fewer do so.")
    for place, mesh in enumerate(meshes):
        _check_mesh(f"Mesh {place}", mesh)


def _check_mesh(name: str, mesh: Mesh) -> None:
    count = len(mesh.vertices)
    if not count or not len(mesh.triangles):
        raise UserError(f"{name} has no vertices or no triangles and cannot be rendered: leave it out of the scene.")
    low, high = mesh.triangles.min(), mesh.triangles.max()
    if low < 0 or high >= count:
        raise UserError(f"{name} has triangles of vertices {low} to {high}: expected 0 to {count - 1}.")
    for what, array, width in (("vertices", mesh.vertices, 3), ("normals", mesh.normals, 3), ("uv", mesh.uv, 2)):
        if array is not None and array.shape != (count, width):
            raise UserError(f"{name} has {what} of shape {array.shape}: expected ({count}, {width}).")
    if mesh.uv is not None and np.abs(mesh.uv).max() > MAX_REPEATS:
        raise UserError(f"{name} repeats its picture more than {MAX_REPEATS} times: use a larger picture.")
    if not 0 <= mesh.person <= 255:
        raise UserError(f"{name} is of person {mesh.person}: people are numbered 1 to 255, 0 is the room.")
