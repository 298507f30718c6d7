"""Renders a scene for its cameras: linear colour, and of the same samples, whose and which surface a pixel shows.

Geometry is drawn once per view into packed samples; light is computed afterwards, once per pixel and once per sample
where surfaces meet. So many small triangles cost little, and colours and identities cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.simulation.rendering.checks import check_scene
from or_mv_anon.simulation.rendering.context import open_context
from or_mv_anon.simulation.rendering.geometry import Geometry
from or_mv_anon.simulation.rendering.shading import Colour, Shading
from or_mv_anon.simulation.rendering.shadows import Shadows
from or_mv_anon.simulation.rendering.targets import (
    SilhouetteTargets,
    Targets,
    make_silhouette_targets,
    make_targets,
)
from or_mv_anon.simulation.rendering.upload import MeshOnDevice, read, upload_looks, upload_textures
from or_mv_anon.simulation.scene import Floats, Light, Mesh, View

if TYPE_CHECKING:
    import moderngl


@dataclass(frozen=True, eq=False)
class Picture:
    """What a view shows.

    Attributes:
        colour: (H, W, 3) linear light; a white wall lit by a light of colour 1 at 1 m has 1.
        person: (H, W) number of the person, 0 for the room.
        surface: (H, W) `scene.Surface`.
        depth: (H, W) metres along the optical axis, infinite where nothing is.
    """

    colour: Floats
    person: NDArray[np.uint8]
    surface: NDArray[np.uint8]
    depth: Floats


class Renderer:
    """Holds a scene on the device and renders views of it. Use it as a context manager, in one thread."""

    def __init__(self, *, shadow_size: int = 1024, samples: int = 4) -> None:
        """Open the device.

        Args:
            shadow_size: texels along a side of each light's shadow map.
            samples: per pixel, a square number: 1 or 4.

        Raises:
            UserError: no context can be opened, or `samples` is not a square.
        """
        self._side = isqrt(samples)
        if self._side < 1 or self._side**2 != samples:
            raise UserError(f"Samples per pixel must be a square number such as 1 or 4, found {samples}.")
        self._context = open_context()
        self._device = str(self._context.info["GL_RENDERER"])
        self._context.front_face = "cw"  # pictures are drawn upside down, see optics
        self._geometry = Geometry(self._context, self._side)
        self._shading = Shading(self._context, self._side)
        self._shadows = Shadows(self._context, shadow_size)
        self._meshes: list[MeshOnDevice] = []
        self._textures: list[moderngl.Texture] = []
        self._targets: dict[tuple[int, int], Targets] = {}
        self._silhouettes: dict[tuple[int, int], SilhouetteTargets] = {}
        self.load((), (), ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)))

    @property
    def device(self) -> str:
        """Name of what renders, as OpenGL gives it."""
        return self._device

    def load(self, meshes: Sequence[Mesh], lights: Sequence[Light], ambient: tuple[Colour, Colour]) -> None:
        """Replace the scene.

        Args:
            meshes: all of it; meshes that move have `moves` set. Vertices are the rest positions cloth folds stick to.
                A material's `specular` up to 0.5 reflects 8 % of it head on, as plastics do; from there to 1 it turns
                into bare metal of the material's colour.
            lights: at most 16, of which at most 4 cast shadows. What is within 12 cm of a light casts none in it.
            ambient: linear light arriving from below and from above, as seen on a white surface facing it.

        Raises:
            UserError: too many lights, or a mesh that cannot be drawn.
        """
        check_scene(meshes, lights)
        with self._context:
            self._clear()
            by_image = upload_textures(self._context, meshes)
            self._meshes = [
                MeshOnDevice(self._context, mesh, by_image.get(id(mesh.material.texture))) for mesh in meshes
            ]
            looks = upload_looks(self._context, meshes)
            self._textures = [*by_image.values(), looks]
            self._shadows.light(lights)
            self._shading.set_scene(looks, lights, ambient, self._shadows)
        self.cast_shadows()

    def move(self, index: int, vertices: Floats, normals: Floats) -> None:
        """Put the mesh at place `index` of the loaded ones somewhere else; both arrays (V, 3)."""
        mesh = self._meshes[index]
        with self._context:
            mesh.move(vertices, normals)
        if not mesh.mesh.moves:
            self._shadows.forget_still()

    def show(self, index: int, visible: bool) -> None:
        """Show or hide a mesh, with its shadow."""
        mesh = self._meshes[index]
        if mesh.shown != visible and not mesh.mesh.moves:
            self._shadows.forget_still()
        mesh.shown = visible

    def cast_shadows(self) -> None:
        """Bring shadows up to date: once per instant, after everything has moved."""
        with self._context:
            self._shadows.cast(self._meshes)

    def render(self, view: View, *, exposure: float = 1.0) -> Picture:
        """Render a view; `exposure` multiplies its colour."""
        size = (view.width, view.height)
        with self._context:
            if size not in self._targets:
                self._targets[size] = make_targets(self._context, *size, self._side)
            targets = self._targets[size]
            self._geometry.draw(self._meshes, view, targets)
            self._shading.run(view, targets, shadows=self._shadows, exposure=exposure)
            colour = read(targets.colour)
            identity = read(targets.identity)
            depth = read(targets.depth)
        return Picture(
            np.ascontiguousarray(colour[..., :3]),
            np.ascontiguousarray(identity[..., 0]),
            np.ascontiguousarray(identity[..., 1]),
            depth[..., 0].copy(),
        )

    def alone(self, view: View, person: int, *, scale: float = 1.0) -> NDArray[np.uint8]:
        """(H, W) which `scene.Surface` of a person each pixel would show if nothing else were there, 0 elsewhere.

        The picture is `scale` times as large as the view's, rounded to whole pixels.
        """
        size = (max(1, round(view.width * scale)), max(1, round(view.height * scale)))
        with self._context:
            if size not in self._silhouettes:
                self._silhouettes[size] = make_silhouette_targets(self._context, *size, self._side)
            targets = self._silhouettes[size]
            meshes = [mesh for mesh in self._meshes if mesh.mesh.person == person]
            x, y, width, height = self._geometry.draw_alone(meshes, view, targets)
            drawn = read(targets.surface)[y : y + height, x : x + width, 0]
        surfaces = np.zeros(size[::-1], np.uint8)
        surfaces[y : y + height, x : x + width] = drawn
        return surfaces

    def close(self) -> None:
        """Free the device. The renderer cannot be used afterwards."""
        self._context.release()

    def __enter__(self) -> Renderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _clear(self) -> None:
        for mesh in self._meshes:
            mesh.release()
        for texture in self._textures:
            texture.release()
        self._meshes, self._textures = [], []
