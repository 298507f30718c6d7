"""Sews the garments of an outfit for a body, layer by layer, and says which skin they hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.clothes.cloth import Cloth
from or_mv_anon.simulation.clothes.figure import Field, Figure, inside
from or_mv_anon.simulation.clothes.footwear import clogs, feet_outline, overshoes, socks
from or_mv_anon.simulation.clothes.gloves import EXAMINATION_CUFF, SURGICAL_CUFF, gloves, gloves_outline
from or_mv_anon.simulation.clothes.gown import LEAD_APRON, PATIENT_GOWN, SURGICAL_GOWN, belt, knitted_cuffs
from or_mv_anon.simulation.clothes.outfits import Colour, Outfit
from or_mv_anon.simulation.clothes.pocket import badge, breast_pocket
from or_mv_anon.simulation.clothes.scrubs import SCRUB_TOP, WARM_UP_JACKET, trousers, trousers_outline
from or_mv_anon.simulation.clothes.sewing import garment
from or_mv_anon.simulation.clothes.tops import TopCut, sewn_top
from or_mv_anon.simulation.scene import Material

_OVERLAP = 0.05  # metres that an inner layer reaches under an outer one
_NARROW, _STRAIGHT = 0.009, 0.016  # metres that trousers stand off the legs, under a long garment and without one
_CARD = Material((0.75, 0.78, 0.82), roughness=0.4, specular=0.4)
_BAGS = Material((0.20, 0.38, 0.62), roughness=0.45, specular=0.4, cloth=0.3, cloth_scale=3.0)
_KNIT = Material((0.72, 0.73, 0.72), roughness=0.9, specular=0.08, cloth=0.3, cloth_scale=3.0)
_SOCKS: tuple[Colour, ...] = ((0.72, 0.73, 0.72), (0.03, 0.03, 0.04))


@dataclass(frozen=True, eq=False)
class Clothing:
    """Garments, and the outlines under which they hide the skin."""

    parts: Sequence[Part]
    covers: Sequence[Field]


def clothe(figure: Figure, outfit: Outfit, rng: np.random.Generator) -> Clothing:
    """Sew the garments of an outfit for a body; inner layers leave out what outer ones would hide."""
    return _Dressing(figure, outfit, rng).done()


@dataclass(frozen=True, eq=False)
class _Dressing:
    """Somebody being dressed."""

    figure: Figure
    outfit: Outfit
    rng: np.random.Generator
    parts: list[Part] = field(default_factory=list)
    covers: list[Field] = field(default_factory=list)

    def done(self) -> Clothing:
        outfit = self.outfit
        suit = None if outfit.scrubs is None else self._woven(outfit.scrubs)
        if outfit.gown is not None:
            self._gown(self._woven(outfit.gown))
        elif outfit.patient_gown is not None:
            self._top("patient_gown", PATIENT_GOWN, self._woven(outfit.patient_gown))
        elif outfit.jacket is not None:
            self._top("jacket", WARM_UP_JACKET, self._woven(outfit.jacket))
        elif suit is not None:
            self._scrub_top(suit)
        if outfit.apron is not None:
            rubber = Material(outfit.apron, roughness=0.55, specular=0.35, cloth=0.15)
            self._top("lead_apron", LEAD_APRON, rubber)
        if suit is not None:
            self._trousers(suit)
        if outfit.gloves is not None:
            self._gloves(outfit.gloves)
        if outfit.shoes is not None:
            self._shoes(outfit.shoes)
        return Clothing(self.parts, self.covers)

    def _add(self, name: str, cloth: Cloth, material: Material, cover: Field | None = None) -> None:
        self.parts.append(garment(name, cloth, material))
        if cover is not None:
            self.covers.append(cover)

    def _woven(self, colour: Colour) -> Material:
        """Cotton or its paper look-alike, washed more or less often."""
        fade = self.rng.uniform(0.88, 1.12)
        washed = self.rng.uniform(0.08, 0.25)
        grey = sum(colour) / 3
        red, green, blue = (fade * ((1 - washed) * share + washed * grey) for share in colour)
        return Material((red, green, blue), roughness=0.9, specular=0.08, cloth=0.7, cloth_scale=1.4, translucency=0.1)

    def _top(self, name: str, cut: TopCut, material: Material) -> Cloth:
        sewn = sewn_top(self.figure, self.rng, cut)
        if self.outfit.apron is not None and cut is not LEAD_APRON:
            sewn = sewn.cut(_OVERLAP - inside(LEAD_APRON.outline(self.figure), sewn))
        self._add(name, sewn, material, cut.outline(self.figure))
        return sewn

    def _gown(self, material: Material) -> None:
        sewn = self._top("gown", SURGICAL_GOWN, material)
        self._add("gown_belt", belt(self.figure, SURGICAL_GOWN, sewn), material)
        self._add("gown_cuffs", knitted_cuffs(self.figure), _KNIT)

    def _scrub_top(self, material: Material) -> None:
        sewn = self._top("scrub_top", SCRUB_TOP, material)
        if self.outfit.apron is None:
            self._add("pocket", breast_pocket(self.figure, sewn), material)
            self._add("badge", badge(self.figure, sewn), _CARD)

    def _trousers(self, material: Material) -> None:
        """Whole ones, or only what shows below the hem of a long garment."""
        long = [cut for cut, worn in self._long_garments() if worn is not None]
        waist = long[0].hem + 0.04 if long else 0.04
        legs = trousers(
            self.figure,
            self.rng,
            waist=self.figure.crotch + waist * self.figure.scale,
            ease=_NARROW if long else _STRAIGHT,
        )
        self._add("trousers", legs, material, trousers_outline(self.figure))

    def _long_garments(self) -> list[tuple[TopCut, Colour | None]]:
        return [(SURGICAL_GOWN, self.outfit.gown), (LEAD_APRON, self.outfit.apron)]

    def _gloves(self, colour: Colour) -> None:
        cuff = EXAMINATION_CUFF if self.outfit.gown is None else SURGICAL_CUFF
        rubber = Material(colour, roughness=0.4, specular=0.45, cloth=0.15, cloth_scale=4.0, translucency=0.15)
        self._add("gloves", gloves(self.figure, cuff), rubber, gloves_outline(self.figure, cuff))

    def _shoes(self, colour: Colour) -> None:
        """Clogs with socks, or bags over them."""
        wool = Material(_SOCKS[int(self.rng.integers(len(_SOCKS)))], roughness=0.9, specular=0.08)
        self._add("socks", socks(self.figure), wool, feet_outline(self.figure))
        if self.outfit.overshoes:
            self._add("overshoes", overshoes(self.figure, self.rng), _BAGS)
            return
        upper, sole = clogs(self.figure)
        self._add("clogs", upper, Material(colour, roughness=0.5, specular=0.35))
        dark = (colour[0] * 0.5 + 0.01, colour[1] * 0.5 + 0.01, colour[2] * 0.5 + 0.01)
        self._add("soles", sole, Material(dark, roughness=0.8))
