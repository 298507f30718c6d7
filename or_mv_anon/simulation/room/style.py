"""The look of one hospital: its colours and materials, drawn once per room so that two rooms differ."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from or_mv_anon.simulation.room import grain
from or_mv_anon.simulation.room.grain import Colour, Picture
from or_mv_anon.simulation.room.prints import boxes_atlas
from or_mv_anon.simulation.room.screens import patient_name
from or_mv_anon.simulation.scene import Material

BOX_CELLS = 8

FLOORS: tuple[Colour, ...] = (
    (0.34, 0.34, 0.40), (0.30, 0.36, 0.40), (0.22, 0.36, 0.34), (0.46, 0.44, 0.40), (0.14, 0.26, 0.42),
    (0.40, 0.33, 0.24), (0.24, 0.30, 0.24), (0.52, 0.53, 0.54), (0.20, 0.22, 0.25),
)  # fmt: skip
WALLS: tuple[Colour, ...] = (
    (0.72, 0.73, 0.71), (0.66, 0.72, 0.70), (0.74, 0.70, 0.60), (0.52, 0.64, 0.56), (0.56, 0.64, 0.72),
    (0.78, 0.78, 0.78), (0.64, 0.62, 0.58), (0.36, 0.52, 0.50), (0.60, 0.66, 0.50),
)  # fmt: skip
DRAPES: tuple[Colour, ...] = (
    (0.09, 0.20, 0.31), (0.06, 0.19, 0.21), (0.17, 0.30, 0.43), (0.07, 0.18, 0.14), (0.12, 0.17, 0.27),
)  # fmt: skip
ACCENTS: tuple[Colour, ...] = (
    (0.09, 0.17, 0.34), (0.08, 0.26, 0.30), (0.30, 0.08, 0.09), (0.17, 0.30, 0.20), (0.34, 0.24, 0.10),
    (0.30, 0.30, 0.32), (0.22, 0.34, 0.46), (0.45, 0.42, 0.36),
)  # fmt: skip


@dataclass(eq=False)
class Style:
    """Materials that a room's equipment shares, and its colours."""

    floor: Material
    wall: Material
    ceiling: Material
    boxes: Material
    drape: Colour
    accent: Colour
    second_accent: Colour
    patient: str
    body: Colour  # of powder-coated housings
    _painted: dict[tuple[object, ...], Material] = field(default_factory=dict)

    def paint(
        self, colour: Colour, *, roughness: float = 0.5, specular: float = 0.35, emission: float = 0.0
    ) -> Material:
        """A plain surface; the same arguments give the same material, so that its meshes can be merged."""
        key = (*colour, roughness, specular, emission)
        if key not in self._painted:
            self._painted[key] = Material(colour, roughness=roughness, specular=specular, emission=emission)
        return self._painted[key]

    def fabric(self, colour: Colour, *, folds: float = 0.5, scale: float = 1.0) -> Material:
        """A cloth surface, merged as `paint` is."""
        key = ("cloth", *colour, folds, scale)
        if key not in self._painted:
            self._painted[key] = Material(
                colour, roughness=0.95, specular=0.04, cloth=folds, cloth_scale=scale, translucency=0.15
            )
        return self._painted[key]

    @property
    def steel(self) -> Material:
        """Brushed stainless steel."""
        return self.paint((0.46, 0.47, 0.48), roughness=0.3, specular=0.9)

    @property
    def chrome(self) -> Material:
        """Polished metal."""
        return self.paint((0.55, 0.56, 0.57), roughness=0.16, specular=1.0)

    @property
    def housing(self) -> Material:
        """The powder-coated or plastic shell of devices."""
        return self.paint(self.body, roughness=0.45, specular=0.35)

    @property
    def white(self) -> Material:
        """White laminate."""
        return self.paint((0.74, 0.75, 0.75), roughness=0.4, specular=0.35)

    @property
    def grey(self) -> Material:
        """Grey plastic."""
        return self.paint((0.30, 0.31, 0.33), roughness=0.55)

    @property
    def black(self) -> Material:
        """Black plastic and rubber."""
        return self.paint((0.025, 0.026, 0.03), roughness=0.55, specular=0.3)

    @property
    def pad(self) -> Material:
        """Dark upholstery."""
        return self.paint((0.03, 0.032, 0.038), roughness=0.65, specular=0.25)

    @property
    def trim(self) -> Material:
        """The hospital's colour on equipment."""
        return self.paint(self.accent, roughness=0.45, specular=0.35)

    def screen(self, picture: Picture, *, brightness: float = 0.9) -> Material:
        """A lit picture."""
        return Material((1.0, 1.0, 1.0), picture, roughness=0.25, specular=0.4, emission=brightness, casts_shadow=False)

    def printed(self, picture: Picture, *, roughness: float = 0.7) -> Material:
        """A picture on paper or plastic."""
        return Material((0.85, 0.85, 0.85), picture, roughness=roughness, specular=0.2, casts_shadow=False)


def make_style(rng: np.random.Generator, ceiling: float) -> Style:
    """Choose a hospital's looks; `ceiling` is the room's height in metres."""
    floor_colour, wall_colour = _near(FLOORS, rng), _near(WALLS, rng)
    floor = grain.tiled_floor if rng.random() < 0.2 else grain.vinyl_floor
    wall_maker = (grain.painted_wall, grain.tiled_wall, grain.panelled_wall)[int(rng.integers(3))]
    wall = wall_maker(wall_colour, rng)
    if rng.random() < 0.4:
        lower = _near(WALLS, rng) if rng.random() < 0.5 else _near(ACCENTS, rng)
        lower = (0.4 * lower[0] + 0.3, 0.4 * lower[1] + 0.3, 0.4 * lower[2] + 0.3)
        wall = grain.with_dado(wall, lower, height=float(rng.uniform(0.9, 1.4)), ceiling=ceiling)
    body = _near(((0.62, 0.63, 0.62), (0.55, 0.58, 0.62), (0.66, 0.62, 0.52), (0.42, 0.45, 0.48)), rng)
    shine = float(rng.uniform(0.28, 0.5))
    return Style(
        floor=Material((1, 1, 1), floor(floor_colour, rng), roughness=shine, specular=0.4),
        wall=Material(
            (1, 1, 1), wall, roughness=0.35 if wall_maker is not grain.painted_wall else 0.8, casts_shadow=False
        ),
        ceiling=Material((1, 1, 1), grain.ceiling_panels(_near(((0.66, 0.66, 0.65),), rng), rng), casts_shadow=False),
        boxes=Material((0.9, 0.9, 0.9), boxes_atlas(rng, BOX_CELLS), roughness=0.6, specular=0.25),
        drape=_near(DRAPES, rng),
        accent=_near(ACCENTS, rng),
        second_accent=_near(ACCENTS, rng),
        patient=patient_name(rng),
        body=body,
    )


def _near(colours: tuple[Colour, ...], rng: np.random.Generator) -> Colour:
    base = np.array(colours[int(rng.integers(len(colours)))])
    r, g, b = (float(v) for v in np.clip(base * rng.normal(1, 0.06) * rng.normal(1, 0.015, 3), 0.01, 0.85))
    return r, g, b
