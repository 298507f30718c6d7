"""Puts solids with materials together into equipment, equipment into the room, and the room into few meshes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from or_mv_anon.simulation.room.solid import Solid, join, upright
from or_mv_anon.simulation.room.style import BOX_CELLS, Style
from or_mv_anon.simulation.scene import Footprint, Material, Mesh, Placement


@dataclass(eq=False)
class Bench:
    """Something being built in its own frame: x to its front, y to its left, z up from the floor."""

    style: Style
    rng: np.random.Generator
    pieces: list[tuple[Solid, Material]] = field(default_factory=list)

    def add(self, solid: Solid, material: Material) -> None:
        """Fit a part."""
        self.pieces.append((solid, material))

    def add_box(self, solid: Solid) -> None:
        """Fit a part that looks like a printed carton."""
        column, row = self.rng.integers(0, BOX_CELLS, 2)
        inset = 0.02 / BOX_CELLS
        low = (column / BOX_CELLS + inset, row / BOX_CELLS + inset)
        high = ((column + 1) / BOX_CELLS - inset, (row + 1) / BOX_CELLS - inset)
        self.add(solid.textured(low, high), self.style.boxes)


class Shop:
    """Collects what was built, in world coordinates."""

    def __init__(self) -> None:
        self._groups: dict[int, tuple[Material, list[Solid]]] = {}

    def put(self, bench: Bench, place: Placement | Footprint, height: float = 0.0) -> None:
        """Set something down with its front along the place's heading."""
        rotation = upright(place.heading)
        for solid, material in bench.pieces:
            moved = solid.moved(rotation, (place.x, place.y, height))
            self._groups.setdefault(id(material), (material, []))[1].append(moved)

    def meshes(self) -> list[Mesh]:
        """One mesh per material."""
        return [as_mesh(join(*solids), material) for material, solids in self._groups.values()]


def as_mesh(solid: Solid, material: Material) -> Mesh:
    """A room's mesh of a solid in world coordinates."""
    return Mesh(
        solid.vertices.astype(np.float32),
        solid.triangles.astype(np.int32),
        material,
        solid.normals.astype(np.float32),
        solid.uv.astype(np.float32),
    )
