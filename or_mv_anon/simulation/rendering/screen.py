"""Runs a fragment shader over a whole target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from or_mv_anon.simulation.rendering.programs import build

if TYPE_CHECKING:
    import moderngl


class ScreenPass:
    """One full-screen program."""

    def __init__(self, context: moderngl.Context, *fragments: str, defines: Mapping[str, int] | None = None) -> None:
        self.program = build(context, "screen.vert", *fragments, defines=defines)
        self._context = context
        self._array = context.vertex_array(self.program, [])

    def run(self, target: moderngl.Framebuffer) -> None:
        """Write the colour of every pixel of the target."""
        target.use()
        self._context.enable_only(self._context.NOTHING)
        self._array.render(vertices=3)

    def run_depth(self, target: moderngl.Framebuffer) -> None:
        """Write the depth of every pixel of the target, whatever was there."""
        target.use()
        self._context.enable_only(self._context.DEPTH_TEST)
        self._context.depth_func = "1"
        self._array.render(vertices=3)
        self._context.depth_func = "<"
