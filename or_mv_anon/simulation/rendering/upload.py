"""Meshes and textures as they lie on the device, ready to be drawn by any of the programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.scene import Floats, Mesh

if TYPE_CHECKING:
    import moderngl

SRGB8, SRGB8_ALPHA8 = 0x8C41, 0x8C43


def smooth_normals(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """(V, 3) unit normals, the area-weighted mean of the triangles around each vertex; z where there are none."""
    corners = vertices[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(faces[:, axis], 3), len(vertices)) for axis in range(3)], axis=1
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.where(length > 0, total / np.maximum(length, 1e-30), (0.0, 0.0, 1.0)).astype(np.float32)


class MeshOnDevice:
    """One mesh's buffers; `low` and `high` (3,) bound it where it is now."""

    def __init__(self, context: moderngl.Context, mesh: Mesh, texture: moderngl.Texture | None) -> None:
        self.mesh = mesh
        self.texture = texture
        self.shown = True
        self.has_holes = texture is not None and mesh.material.alpha_cutoff > 0
        self._context = context
        normals = mesh.normals if mesh.normals is not None else smooth_normals(mesh.vertices, mesh.triangles)
        self._position = context.buffer(_packed(mesh.vertices), dynamic=mesh.moves)
        self._normal = context.buffer(_packed(normals), dynamic=mesh.moves)
        self._index = context.buffer(np.ascontiguousarray(mesh.triangles, np.int32).tobytes())
        self._uv = context.buffer(_packed(mesh.uv)) if texture is not None and mesh.uv is not None else None
        self._rest = context.buffer(_packed(mesh.vertices)) if mesh.material.cloth > 0 else None
        self._arrays: dict[int, moderngl.VertexArray] = {}
        self._bound(mesh.vertices)

    def move(self, vertices: Floats, normals: Floats) -> None:
        """Replace positions and normals, both (V, 3)."""
        expected = self.mesh.vertices.shape
        if vertices.shape != expected or normals.shape != expected:
            raise ValueError(f"Expected vertices and normals of {expected}, got {vertices.shape} and {normals.shape}.")
        self._position.write(_packed(vertices))
        self._normal.write(_packed(normals))
        self._bound(vertices)

    def draw(self, program: moderngl.Program) -> None:
        """Draw with a program whose uniforms are set."""
        array = self._arrays.get(program.glo)
        if array is None:
            sources = (
                (self._position, "3f", "position"),
                (self._normal, "3f", "normal"),
                (self._uv, "2f", "uv"),
                (self._rest, "3f", "rest"),
            )
            content = [source for source in sources if source[0] is not None and source[2] in program]
            array = self._context.vertex_array(program, content, self._index)
            self._arrays[program.glo] = array
        array.render()

    def release(self) -> None:
        """Free the device's memory; the texture belongs to the caller."""
        for array in self._arrays.values():
            array.release()
        for buffer in (self._position, self._normal, self._index, self._uv, self._rest):
            if buffer is not None:
                buffer.release()

    def _bound(self, vertices: Floats) -> None:
        self.low = vertices.min(axis=0)
        self.high = vertices.max(axis=0)


def upload_textures(context: moderngl.Context, meshes: Sequence[Mesh]) -> Mapping[int, moderngl.Texture]:
    """One texture per distinct image of the meshes, by the image's `id`."""
    textures: dict[int, moderngl.Texture] = {}
    for mesh in meshes:
        image = mesh.material.texture
        if image is None or mesh.uv is None or id(image) in textures:
            continue
        height, width, channels = image.shape
        texture = context.texture(
            (width, height),
            channels,
            np.ascontiguousarray(image[::-1], np.uint8).tobytes(),
            internal_format=SRGB8 if channels == 3 else SRGB8_ALPHA8,
        )
        texture.build_mipmaps()
        texture.anisotropy = min(4.0, context.max_anisotropy)
        textures[id(image)] = texture
    return textures


def upload_looks(context: moderngl.Context, meshes: Sequence[Mesh]) -> moderngl.Texture:
    """A row of two texels per mesh, by its place + 1: how light treats it, and whose and which surface it is."""
    table = np.zeros((len(meshes) + 1, 2, 4), np.float32)
    for row, mesh in zip(table[1:], meshes, strict=True):
        material = mesh.material
        row[0] = material.roughness, material.specular, material.translucency, material.emission
        row[1, :2] = mesh.person, int(mesh.surface)
    looks = context.texture((2, len(table)), 4, table.tobytes(), dtype="f4")
    looks.filter = (context.NEAREST, context.NEAREST)
    return looks


def read(texture: moderngl.Texture) -> NDArray[Any]:
    """(H, W, components) what lies in a texture, its first row the top of the picture."""
    kinds = {"f4": np.float32, "f2": np.float16, "u1": np.uint8}
    width, height = texture.size
    values = np.frombuffer(texture.read(alignment=1), kinds[texture.dtype])
    return values.reshape(height, width, texture.components)


def _packed(values: Floats) -> bytes:
    return np.ascontiguousarray(values, np.float32).tobytes()
