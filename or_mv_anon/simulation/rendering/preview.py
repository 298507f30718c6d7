"""Quick pictures of meshes, for looking at them while building and in tests; the camera stage does better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.rendering.renderer import Renderer
from or_mv_anon.simulation.rendering.shading import Colour
from or_mv_anon.simulation.scene import Floats, Light, Mesh, View

STUDIO_LIGHTS = (
    Light((2.0, -3.0, 3.0), (0.0, 0.0, 1.0), (9.0, 9.0, 8.6), 1.2, radius=0.25),
    Light((-3.0, -1.5, 2.5), (0.0, 0.0, 1.0), (3.0, 3.2, 3.6), 1.2, radius=0.4),
)
STUDIO_AMBIENT: tuple[Colour, Colour] = ((0.16, 0.15, 0.14), (0.34, 0.35, 0.37))


def preview(
    meshes: Sequence[Mesh],
    views: Sequence[View],
    *,
    lights: Sequence[Light] = STUDIO_LIGHTS,
    ambient: tuple[Colour, Colour] = STUDIO_AMBIENT,
    exposure: float = 1.0,
) -> list[NDArray[np.uint8]]:
    """One sRGB picture (H, W, 3) uint8 per view, with a simple filmic tone curve."""
    with Renderer() as renderer:
        renderer.load(meshes, lights, ambient)
        return [filmic(renderer.render(view, exposure=exposure).colour) for view in views]


def filmic(colour: Floats) -> NDArray[np.uint8]:
    """Linear light as sRGB (H, W, 3) uint8, after Narkowicz, "ACES Filmic Tone Mapping Curve" (2015)."""
    light = np.maximum(colour, 0.0) * 0.8
    toned = np.clip(light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14), 0.0, 1.0)
    srgb = np.where(toned <= 0.0031308, 12.92 * toned, 1.055 * toned ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(255 * srgb), np.uint8)
