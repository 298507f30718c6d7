"""One depth map per light that casts a shadow, four in one texture, what never moves drawn only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from or_mv_anon.simulation.rendering import optics
from or_mv_anon.simulation.rendering.programs import MAX_SHADOWS, assign, build
from or_mv_anon.simulation.rendering.screen import ScreenPass
from or_mv_anon.simulation.rendering.upload import MeshOnDevice
from or_mv_anon.simulation.scene import Light

if TYPE_CHECKING:
    import moderngl


class Shadows:
    """The shadow maps of all lights."""

    def __init__(self, context: moderngl.Context, size: int) -> None:
        self._context = context
        self._size = size
        self._solid = build(context, "silhouette.vert", "texel.glsl", "silhouette.frag")
        self._pierced = build(context, "silhouette.vert", "texel.glsl", "silhouette.frag", defines={"TEXTURED": 1})
        self._copy = ScreenPass(context, "copy_depth.frag")
        self._maps = [context.depth_texture((2 * size, 2 * size)) for _ in range(2)]
        self._targets = [context.framebuffer(depth_attachment=depth) for depth in self._maps]
        self._still, self._whole = self._targets
        self._test = context.sampler(repeat_x=False, repeat_y=False, compare_func="<=")
        self._read = context.sampler(
            repeat_x=False, repeat_y=False, filter=(context.NEAREST, context.NEAREST), compare_func=""
        )
        self.light(())

    def light(self, lights: Sequence[Light]) -> None:
        """Take new lights; the maps are stale until `cast`."""
        casting = [index for index, light in enumerate(lights) if light.casts_shadow]
        lenses = [optics.shadow_from_world(lights[index]) for index in casting]
        self.tiles = {light: tile for tile, light in enumerate(casting)}
        self.matrices = np.zeros((MAX_SHADOWS, 4, 4), np.float32)
        self.lenses = np.zeros((MAX_SHADOWS, 3), np.float32)
        for tile, (matrix, lens) in enumerate(lenses):
            self.matrices[tile] = matrix
            self.lenses[tile] = lens
        self._still_is_drawn = False

    def cast(self, meshes: Sequence[MeshOnDevice]) -> None:
        """Draw the maps anew for where the meshes are now."""
        casters = [mesh for mesh in meshes if mesh.shown and mesh.mesh.material.casts_shadow]
        self._context.enable_only(self._context.DEPTH_TEST)
        if not self._still_is_drawn:
            self._still.use()
            self._still.clear(depth=1.0)
            self._draw(self._still, [mesh for mesh in casters if not mesh.mesh.moves])
            self._still_is_drawn = True
        self._whole.viewport = (0, 0, 2 * self._size, 2 * self._size)
        self._maps[0].use(0)
        self._read.use(0)
        self._copy.run_depth(self._whole)
        self._read.clear(0)
        self._draw(self._whole, [mesh for mesh in casters if mesh.mesh.moves])

    def forget_still(self) -> None:
        """Something that stands still was shown or hidden: draw it all again next time."""
        self._still_is_drawn = False

    @contextmanager
    def bound(self, *, test_unit: int, read_unit: int) -> Iterator[None]:
        """Bind the maps twice, for comparing and for reading; samplers would outrule later textures' own settings."""
        for unit, sampler in ((test_unit, self._test), (read_unit, self._read)):
            self._maps[1].use(unit)
            sampler.use(unit)
        yield
        self._test.clear(test_unit)
        self._read.clear(read_unit)

    def _draw(self, target: moderngl.Framebuffer, casters: Sequence[MeshOnDevice]) -> None:
        target.use()
        for tile in self.tiles.values():
            matrix = self.matrices[tile]
            target.viewport = (tile % 2 * self._size, tile // 2 * self._size, self._size, self._size)
            for program in (self._solid, self._pierced):
                assign(program, "clip_from_world", matrix.T)
            for mesh in casters:
                if optics.outside(matrix, mesh.low, mesh.high):
                    continue
                if mesh.has_holes and mesh.texture is not None:
                    mesh.texture.use(0)
                    assign(self._pierced, "alpha_cutoff", mesh.mesh.material.alpha_cutoff)
                    mesh.draw(self._pierced)
                else:
                    mesh.draw(self._solid)
