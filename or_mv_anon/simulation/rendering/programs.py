"""Puts shader files together into compiled programs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import moderngl

MAX_LIGHTS = 16
MAX_SHADOWS = 4
MAX_REPEATS = 8  # of a picture on a mesh, either way from its corner


def build(
    context: moderngl.Context,
    vertex: str,
    *fragments: str,
    defines: Mapping[str, int] | None = None,
) -> moderngl.Program:
    """A program of one vertex shader file and fragment shader files that are joined in order."""
    counts = {"LIGHTS": MAX_LIGHTS, "SHADOWS": MAX_SHADOWS, "REPEATS": MAX_REPEATS, **(defines or {})}
    head = "#version 330 core\n" + "".join(f"#define {name} {value}\n" for name, value in counts.items())
    return context.program(
        vertex_shader=head + _source(vertex),
        fragment_shader=head + "\n".join(_source(name) for name in fragments),
    )


def assign(program: moderngl.Program, name: str, value: Any) -> None:
    """Set a uniform; one that this variant does not use, and the compiler removed, is left alone.

    Arrays go as float32 in their order, so matrices must come transposed: OpenGL stores columns.
    """
    uniform: Any = program.get(name, None)
    if uniform is None:
        return
    if isinstance(value, np.ndarray):
        uniform.write(np.ascontiguousarray(value, np.float32).tobytes())
    else:
        uniform.value = value


def _source(name: str) -> str:
    return (files(__package__) / "shaders" / name).read_text(encoding="utf-8")
