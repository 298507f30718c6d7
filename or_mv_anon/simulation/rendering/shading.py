"""Lights the samples that the geometry left behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from or_mv_anon.simulation.rendering import optics
from or_mv_anon.simulation.rendering.programs import MAX_LIGHTS, assign
from or_mv_anon.simulation.rendering.screen import ScreenPass
from or_mv_anon.simulation.rendering.shadows import Shadows
from or_mv_anon.simulation.rendering.targets import Targets
from or_mv_anon.simulation.scene import Light, View

if TYPE_CHECKING:
    import moderngl

Colour = tuple[float, float, float]


class Shading:
    """Three passes: what each point sees of the lights and the room, the same without noise, and its colour."""

    def __init__(self, context: moderngl.Context, side: int) -> None:
        files = {
            "visibility": ("lights.glsl", "shadow.glsl", "occlusion.glsl", "visibility.frag"),
            "blur": ("blur.frag",),
            "colour": ("lights.glsl", "light.glsl", "parts.glsl", "shading.frag"),
        }
        self._visibility, self._blur, self._colour = (
            ScreenPass(context, "sample.glsl", *names, defines={"SIDE": side}) for names in files.values()
        )
        units = {
            self._visibility: {"samples": 0, "shadow_test": 1, "shadow_depth": 2},
            self._blur: {"samples": 0, "rough_lights": 1, "rough_openness": 2},
            self._colour: {"samples": 0, "smooth_lights": 1, "smooth_openness": 2, "looks": 3},
        }
        for screen, names in units.items():
            for name, unit in names.items():
                assign(screen.program, name, unit)

    def set_scene(
        self, looks: moderngl.Texture, lights: Sequence[Light], ambient: tuple[Colour, Colour], shadows: Shadows
    ) -> None:
        """Take the table of the meshes' looks and new lights, whose shadows are those of `shadows`."""
        self._looks = looks
        positions, directions, colours = (np.zeros((MAX_LIGHTS, 3), np.float32) for _ in range(3))
        shapes = np.zeros((MAX_LIGHTS, 4), np.float32)
        for index, light in enumerate(lights):
            aim = np.subtract(light.target, light.position)
            positions[index] = light.position
            directions[index] = aim / np.linalg.norm(aim)
            colours[index] = light.colour
            full = light.cone / 2 * (1.0 - min(max(light.softness, 0.01), 1.0))
            shapes[index] = np.cos(light.cone / 2), np.cos(full), light.radius, shadows.tiles.get(index, -1)
        values = {
            "light_count": len(lights),
            "light_position": positions,
            "light_direction": directions,
            "light_colour": colours,
            "light_shape": shapes,
            "shadow_from_world": shadows.matrices.transpose(0, 2, 1),
            "shadow_lens": shadows.lenses,
            "ambient_below": ambient[0],
            "ambient_above": ambient[1],
        }
        for screen in (self._visibility, self._colour):
            for name, value in values.items():
                assign(screen.program, name, value)

    def run(self, view: View, targets: Targets, *, shadows: Shadows, exposure: float) -> None:
        """Compute the results of a view from its samples."""
        for screen in (self._visibility, self._blur, self._colour):
            assign(screen.program, "ray_from_pixel", optics.ray_from_pixel(view).T)
            assign(screen.program, "eye", tuple(view.centre))
        assign(self._visibility.program, "focal", float(view.matrix[0, 0]))
        assign(self._colour.program, "exposure", exposure)
        targets.samples.use(0)
        with shadows.bound(test_unit=1, read_unit=2):
            self._visibility.run(targets.rough.frame)
        targets.rough.use(1, 2)
        self._blur.run(targets.smooth.frame)
        targets.smooth.use(1, 2)
        self._looks.use(3)
        self._colour.run(targets.results)
