"""Who wears what: colours of a site's laundry, and the outfit that goes with a role."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]

SCRUB_COLOURS: dict[str, Colour] = {
    "teal": (0.02, 0.20, 0.22),
    "ceil blue": (0.17, 0.31, 0.55),
    "navy": (0.018, 0.032, 0.085),
    "green": (0.05, 0.25, 0.16),
    "burgundy": (0.16, 0.015, 0.035),
    "royal blue": (0.045, 0.11, 0.30),
    "grey": (0.13, 0.14, 0.16),
}
GOWN_COLOURS: dict[str, Colour] = {
    "blue": (0.10, 0.27, 0.50),
    "light blue": (0.24, 0.43, 0.62),
    "green": (0.06, 0.27, 0.20),
    "petrol": (0.03, 0.20, 0.26),
}
SURGICAL_GLOVES: dict[str, Colour] = {
    "latex": (0.72, 0.66, 0.53),
    "white": (0.74, 0.74, 0.71),
    "green": (0.16, 0.38, 0.28),
    "blue": (0.10, 0.30, 0.50),
}
EXAMINATION_GLOVES: dict[str, Colour] = {"nitrile": (0.06, 0.16, 0.52), "violet": (0.20, 0.13, 0.45)}
SHOES: tuple[Colour, ...] = ((0.7, 0.7, 0.68), (0.02, 0.025, 0.03), (0.03, 0.10, 0.30), (0.04, 0.25, 0.2))
CAP_COLOURS: tuple[Colour, ...] = ((0.35, 0.52, 0.72), (0.40, 0.62, 0.50), (0.66, 0.70, 0.72), (0.16, 0.36, 0.62))
MASK_COLOURS: tuple[Colour, ...] = ((0.34, 0.54, 0.72), (0.42, 0.62, 0.56), (0.70, 0.72, 0.74))
STERILE_ROLES = ("surgeon", "assistant", "second_assistant", "scrub_nurse")


@dataclass(frozen=True)
class Palette:
    """What a site's laundry and stores hand out; colours are linear RGB.

    Attributes:
        scrubs: suits, the first for most people.
        gown: sterile gowns.
        jacket: warm-up jackets.
        gloves: sterile gloves.
        examination_gloves: the others.
        patient: printed patient gowns.
        caps: disposable caps, then those of cloth.
        mask: face masks.
        overshoes: whether visitors wear them.
    """

    scrubs: tuple[Colour, ...]
    gown: Colour
    jacket: Colour
    gloves: tuple[Colour, ...]
    examination_gloves: Colour
    patient: Colour
    caps: tuple[Colour, ...]
    mask: Colour
    overshoes: bool


def site_palette(seed: int) -> Palette:
    """The clothes of a site: two sites with different seeds mostly look different."""
    rng = np.random.default_rng([seed, 0x636C6F74])
    suits = list(SCRUB_COLOURS.values())
    sterile = list(SURGICAL_GLOVES.values())
    first, second = rng.choice(len(suits), 2, replace=False)
    gowns = list(GOWN_COLOURS.values())
    pair = rng.choice(len(sterile), 2, replace=False)
    light = np.array(suits[first]) * 1.4 + 0.03
    return Palette(
        scrubs=(suits[first], suits[second]),
        gown=gowns[rng.integers(len(gowns))],
        jacket=(float(light[0]), float(light[1]), float(light[2])),
        gloves=(sterile[pair[0]], sterile[pair[1]]),
        examination_gloves=list(EXAMINATION_GLOVES.values())[rng.integers(len(EXAMINATION_GLOVES))],
        patient=(0.50, 0.56, 0.62) if rng.random() < 0.6 else (0.42, 0.55, 0.50),
        caps=(CAP_COLOURS[rng.integers(len(CAP_COLOURS))], suits[first], suits[rng.integers(len(suits))]),
        mask=MASK_COLOURS[rng.integers(len(MASK_COLOURS))],
        overshoes=bool(rng.random() < 0.3),
    )


@dataclass(frozen=True)
class Outfit:
    """What somebody wears below the neck.

    Attributes:
        scrubs: colour of top and trousers, None without.
        gown: colour of a surgical gown.
        jacket: colour of a warm-up jacket.
        apron: colour of a lead apron.
        patient_gown: colour of a patient's gown.
        gloves: colour of gloves; over the cuffs of a gown, short without one.
        shoes: colour of clogs, None barefoot.
        overshoes: whether bags are worn over the shoes.
    """

    scrubs: Colour | None = None
    gown: Colour | None = None
    jacket: Colour | None = None
    apron: Colour | None = None
    patient_gown: Colour | None = None
    gloves: Colour | None = None
    shoes: Colour | None = None
    overshoes: bool = False


def outfit_for(role: str, palette: Palette, rng: np.random.Generator) -> Outfit:
    """What somebody of a role puts on at a site."""
    if role == "patient":
        return Outfit(patient_gown=palette.patient)
    scrubs = palette.scrubs[0] if rng.random() < 0.75 else palette.scrubs[1]
    shoes = SHOES[rng.integers(len(SHOES))]
    bags = palette.overshoes and rng.random() < (0.9 if role == "student" else 0.4)
    if role in STERILE_ROLES:
        return Outfit(scrubs, gown=palette.gown, gloves=palette.gloves[rng.integers(2)], shoes=shoes, overshoes=bags)
    jacket = palette.jacket if rng.random() < {"anaesthetist": 0.35, "circulating_nurse": 0.4}.get(role, 0.15) else None
    gloved = rng.random() < {"anaesthetist": 0.6, "circulating_nurse": 0.4}.get(role, 0.15)
    apron = (0.05, 0.07, 0.16) if role == "technician" and rng.random() < 0.5 else None
    examination = palette.examination_gloves if gloved else None
    return Outfit(scrubs, jacket=jacket, apron=apron, gloves=examination, shoes=shoes, overshoes=bags)
