"""The pictures on the device that a view is rendered into, one set per picture size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import moderngl


@dataclass(frozen=True)
class Visibility:
    """How much of each light with a shadow points see, and of the room around, with their depth."""

    lights: moderngl.Texture
    openness: moderngl.Texture
    frame: moderngl.Framebuffer

    def use(self, lights_unit: int, openness_unit: int) -> None:
        """Bind for reading."""
        self.lights.use(lights_unit)
        self.openness.use(openness_unit)


@dataclass(frozen=True)
class Targets:
    """Packed samples (side times as wide and high as the picture), visibility at half size, and the results."""

    samples: moderngl.Texture
    geometry: moderngl.Framebuffer
    rough: Visibility
    smooth: Visibility
    colour: moderngl.Texture
    identity: moderngl.Texture
    depth: moderngl.Texture
    results: moderngl.Framebuffer


@dataclass(frozen=True)
class SilhouetteTargets:
    """Where one person alone is drawn: marks of all samples, and which surface every pixel shows."""

    marks: moderngl.Texture
    surface: moderngl.Texture
    drawing: moderngl.Framebuffer
    result: moderngl.Framebuffer


def make_targets(context: moderngl.Context, width: int, height: int, side: int) -> Targets:
    """Targets for pictures of `width` × `height` pixels, `side` × `side` samples each."""
    fine = (width * side, height * side)
    half = (-(-width // 2), -(-height // 2))
    samples = _texture(context, fine, 4, "u4")
    colour = _texture(context, (width, height), 4, "f4")
    identity = _texture(context, (width, height), 2, "u1")
    depth = _texture(context, (width, height), 1, "f4")
    return Targets(
        samples,
        context.framebuffer([samples], context.depth_renderbuffer(fine)),
        _visibility(context, half),
        _visibility(context, half),
        colour,
        identity,
        depth,
        context.framebuffer([colour, identity, depth]),
    )


def make_silhouette_targets(context: moderngl.Context, width: int, height: int, side: int) -> SilhouetteTargets:
    """Targets for pictures of `width` × `height` pixels, `side` × `side` samples each."""
    fine = (width * side, height * side)
    marks = _texture(context, fine, 1, "u1")
    surface = _texture(context, (width, height), 1, "u1")
    drawing = context.framebuffer([marks], context.depth_renderbuffer(fine))
    return SilhouetteTargets(marks, surface, drawing, context.framebuffer([surface]))


def _visibility(context: moderngl.Context, size: tuple[int, int]) -> Visibility:
    lights = _texture(context, size, 4, "f1")
    openness = _texture(context, size, 2, "f4")
    return Visibility(lights, openness, context.framebuffer([lights, openness]))


def _texture(context: moderngl.Context, size: tuple[int, int], components: int, kind: str) -> moderngl.Texture:
    texture = context.texture(size, components, dtype=kind)
    texture.filter = (context.NEAREST, context.NEAREST)
    return texture
