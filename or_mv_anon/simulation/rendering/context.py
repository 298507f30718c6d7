"""Opens a graphics context with no window: a GPU's where there is one, else the CPU's (Mesa llvmpipe)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from or_mv_anon.core.errors import UserError

if TYPE_CHECKING:
    import moderngl


def open_context() -> moderngl.Context:
    """A standalone OpenGL 3.3 core context over EGL.

    Raises:
        UserError: moderngl is not installed, or no EGL driver gives a context.
    """
    try:
        import moderngl
    except ImportError as error:
        raise UserError(
            'Rendering needs the simulation extra, which is not installed: pip install "or_mv_anon[sim]".'
        ) from error
    try:
        settings: dict[str, Any] = {"require": 330, "backend": "egl"}
        return moderngl.create_standalone_context(**settings)
    except Exception as error:
        raise UserError(
            f"No OpenGL 3.3 context could be opened through EGL ({error}). On Debian or Ubuntu install it with: "
            "apt-get install libegl1 libgl1-mesa-dri (a GPU is used when its driver provides EGL)."
        ) from error
