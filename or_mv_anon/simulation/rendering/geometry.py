"""Draws meshes: into packed samples for shading, or one person's surfaces alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from or_mv_anon.simulation.rendering import optics
from or_mv_anon.simulation.rendering.folds import FOLDS_PER_REPEAT, fold_block
from or_mv_anon.simulation.rendering.programs import assign, build
from or_mv_anon.simulation.rendering.screen import ScreenPass
from or_mv_anon.simulation.rendering.targets import SilhouetteTargets, Targets
from or_mv_anon.simulation.rendering.upload import MeshOnDevice
from or_mv_anon.simulation.scene import View

if TYPE_CHECKING:
    import moderngl

Window = tuple[int, int, int, int]

STEEPEST_CREASE = 4.0  # slope of the steepest creases of the strongest cloth
CREASE_TINT = 0.12  # how much darker its creases are


class Geometry:
    """The programs that draw meshes for cameras."""

    def __init__(self, context: moderngl.Context, side: int) -> None:
        self._context = context
        self._side = side
        self._programs = {
            variant: build(
                context, "geometry.vert", "texel.glsl", "geometry.frag", defines={name: 1 for name in variant}
            )
            for painted in ((), ("TEXTURED",), ("TEXTURED", "PIERCED"))
            for variant in (frozenset(painted), frozenset((*painted, "WOVEN")))
        }
        self._marking = {
            pierced: build(
                context,
                "silhouette.vert",
                "texel.glsl",
                "silhouette.frag",
                defines={"MARKED": 1, "TEXTURED": 1} if pierced else {"MARKED": 1},
            )
            for pierced in (False, True)
        }
        self._vote = ScreenPass(context, "parts.glsl", "vote.frag", defines={"SIDE": side})
        self._empty = ScreenPass(context, "empty.frag")
        folds = fold_block()
        self._folds = context.texture3d(folds.shape[2::-1], 4, folds.tobytes())

    def draw(self, meshes: Sequence[MeshOnDevice], view: View, targets: Targets) -> None:
        """Fill the samples of a view with whatever is nearest."""
        self._clear(targets.geometry)
        clip = optics.clip_from_world(view)
        eye = view.centre
        for program in self._programs.values():
            assign(program, "clip_from_world", clip.T)
            assign(program, "eye", tuple(eye))
            assign(program, "forward", tuple(view.rotation[2]))
            assign(program, "picture", 0)
            assign(program, "folds", 1)
        self._folds.use(1)
        visible = [
            (float(np.linalg.norm((mesh.low + mesh.high) / 2 - eye)), number, mesh)
            for number, mesh in enumerate(meshes, 1)
            if mesh.shown and not optics.outside(clip, mesh.low, mesh.high)
        ]
        for _, number, mesh in sorted(visible, key=lambda entry: entry[:2]):
            self._draw_mesh(mesh, number)

    def draw_alone(self, meshes: Sequence[MeshOnDevice], view: View, targets: SilhouetteTargets) -> Window:
        """Mark every pixel with the surface that it would show if nothing but these meshes were there.

        Returns:
            The columns and rows (x, y, width, height) that were written; nothing shows elsewhere.
        """
        clip = optics.clip_from_world(view)
        visible = [mesh for mesh in meshes if mesh.shown and not optics.outside(clip, mesh.low, mesh.high)]
        if not visible:
            return 0, 0, 0, 0
        low = np.min([mesh.low for mesh in visible], axis=0)
        high = np.max([mesh.high for mesh in visible], axis=0)
        x, y, width, height = optics.window(clip, low, high, targets.surface.size)
        side = self._side
        targets.drawing.scissor = (x * side, y * side, width * side, height * side)
        targets.result.scissor = (x, y, width, height)
        self._clear(targets.drawing)
        for program in self._marking.values():
            assign(program, "clip_from_world", clip.T)
        for mesh in visible:
            program = self._marking[mesh.has_holes]
            assign(program, "mark", int(mesh.mesh.surface))
            if mesh.has_holes and mesh.texture is not None:
                mesh.texture.use(0)
                assign(program, "alpha_cutoff", mesh.mesh.material.alpha_cutoff)
            mesh.draw(program)
        targets.marks.use(0)
        self._vote.run(targets.result)
        return x, y, width, height

    def _clear(self, target: moderngl.Framebuffer) -> None:
        target.use()  # or a clear keeps to the scissors of the target before
        target.clear(depth=1.0)
        self._empty.run(target)
        self._context.enable_only(self._context.DEPTH_TEST)

    def _draw_mesh(self, mesh: MeshOnDevice, number: int) -> None:
        material = mesh.mesh.material
        wanted = (("TEXTURED", mesh.texture is not None), ("PIERCED", mesh.has_holes), ("WOVEN", material.cloth > 0))
        program = self._programs[frozenset(name for name, used in wanted if used)]
        assign(program, "mesh", number)
        assign(program, "colour", material.colour)
        if mesh.texture is not None:
            mesh.texture.use(0)
            assign(program, "alpha_cutoff", material.alpha_cutoff)
        if material.cloth > 0:
            frequency = 10.0 * material.cloth_scale / FOLDS_PER_REPEAT
            assign(program, "fold_frequency", frequency)
            assign(program, "fold_depth", material.cloth * STEEPEST_CREASE / frequency)
            assign(program, "fold_tint", material.cloth * CREASE_TINT)
        mesh.draw(program)
