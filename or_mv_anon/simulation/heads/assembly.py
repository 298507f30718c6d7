"""What somebody looks like and wears above the neck: complexion, eyes, hair, cap, mask and glasses that go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.body import ELDERLY, YOUNG_ADULT, Body
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.heads.airway import AIRWAYS, airway_parts
from or_mv_anon.simulation.heads.caps import cap_parts, under_cap
from or_mv_anon.simulation.heads.eyes import eye_parts
from or_mv_anon.simulation.heads.eyewear import eyewear_parts
from or_mv_anon.simulation.heads.face_paint import Complexion
from or_mv_anon.simulation.heads.hair import hair_parts
from or_mv_anon.simulation.heads.masks import mask_parts

Colour = tuple[float, float, float]

_HAIR: tuple[Colour, ...] = (  # sRGB from black to blond
    (0.06, 0.05, 0.05),
    (0.14, 0.10, 0.07),
    (0.25, 0.17, 0.11),
    (0.38, 0.26, 0.16),
    (0.55, 0.42, 0.26),
)
_GREY: Colour = (0.55, 0.54, 0.53)
_FRAMES: tuple[Colour, ...] = ((0.015, 0.015, 0.018), (0.06, 0.03, 0.015), (0.25, 0.25, 0.27), (0.02, 0.05, 0.12))
_UNDER_A_CAP = 0.34  # share of the hair, from the hairline up, that may peep out


@dataclass(frozen=True)
class HeadStyle:
    """How a head is dressed.

    Attributes:
        complexion: skin and the colour of hair.
        iris: colour of the eyes, see `eyes.IRISES`.
        hair: see `hair.STYLES`.
        cap: see `caps.CAPS`, None bareheaded; with its linear colour.
        mask_colour: linear, of the mask that is at hand; None for somebody without one.
        fastening: of the mask, see `masks.FASTENINGS`.
        eyewear: see `eyewear.EYEWEAR`, None without; with its linear colour.
        airway: see `airway.AIRWAYS`, for a patient.
    """

    complexion: Complexion
    iris: str
    hair: str
    cap: str | None = None
    cap_colour: Colour = (0.4, 0.55, 0.7)
    mask_colour: Colour | None = None
    fastening: str = "loops"
    eyewear: str | None = None
    eyewear_colour: Colour = (0.02, 0.02, 0.02)
    airway: str | None = None


def hidden_by_cap(style: HeadStyle, body: Body) -> NDArray[np.bool_]:
    """Base-mesh vertices (V,) that the cap always hides."""
    return np.zeros(len(body.vertices), bool) if style.cap is None else under_cap(style.cap)


def head_parts(body: Body, style: HeadStyle, rng: np.random.Generator) -> list[Part]:
    """Everything on a head but its skin."""
    parts = eye_parts(body, style.iris, rng)
    below = None if style.cap is None else _UNDER_A_CAP
    parts += hair_parts(body, style.hair, style.complexion.hair, rng, below=below)
    if style.cap is not None:
        parts += cap_parts(body, style.cap, style.cap_colour, rng)
    if style.mask_colour is not None:
        parts += mask_parts(body, style.mask_colour, style.fastening, rng)
    if style.eyewear is not None:
        parts += eyewear_parts(body, style.eyewear, style.eyewear_colour)
    if style.airway is not None:
        parts += airway_parts(body, style.airway)
    return parts


def random_complexion(phenotype: Mapping[str, float], rng: np.random.Generator) -> Complexion:
    """Skin and hair that go with a body's origin, age and sex."""
    african, asian, caucasian = (phenotype.get(origin, 1 / 3) for origin in ("african", "asian", "caucasian"))
    tone = 0.85 * african + 0.38 * asian + 0.12 * caucasian + rng.normal(0, 0.07)
    years = 25 + 55 * (phenotype.get("age", YOUNG_ADULT) - YOUNG_ADULT) / (ELDERLY - YOUNG_ADULT)
    lightest = 1 + (len(_HAIR) - 1) * caucasian
    hair = np.array(_HAIR[min(int(rng.uniform(0, lightest)), len(_HAIR) - 1)])
    grey = np.clip((years - 40 + rng.normal(0, 8)) / 30, 0, 1)
    mixed = (1 - grey) * hair + grey * np.array(_GREY)
    male = phenotype.get("gender", 0.5) < 0.5
    return Complexion(
        tone=float(np.clip(tone, 0, 1)),
        hair=(float(mixed[0]), float(mixed[1]), float(mixed[2])),
        age=float(years),
        beard=float(rng.choice([0.0, 0.15, 0.3, 0.6, 1.0], p=[0.3, 0.25, 0.25, 0.1, 0.1])) if male else 0.0,
        lips=0.0 if male else float(rng.choice([0.0, 0.3, 0.6])),
        receding=float(np.clip(rng.normal((years - 35) / 50, 0.2), 0, 1)) if male else 0.0,
        brows=float(rng.uniform(0.3, 0.9) if male else rng.uniform(0.1, 0.6)),
        bald=bool(male and rng.random() < 0.12),
    )


def random_head(
    role: str, phenotype: Mapping[str, float], rng: np.random.Generator, *, caps: tuple[Colour, ...], mask: Colour
) -> HeadStyle:
    """How somebody of a role may look at a site.

    Args:
        role: such as 'surgeon'.
        phenotype: of the body.
        rng: what chooses.
        caps: linear colours, the first of gathered disposable caps, the others of caps of cloth.
        mask: linear colour of the masks at hand.
    """
    complexion = random_complexion(phenotype, rng)
    male = phenotype.get("gender", 0.5) < 0.5
    styles = ("cropped", "short", "swept") if male else ("bun", "short", "swept")
    hair = "bald" if complexion.bald else str(rng.choice(styles))
    dark = complexion.tone > 0.5
    iris = str(rng.choice(["brown", "dark"] if dark else ["brown", "hazel", "blue", "grey", "dark"]))
    if role == "patient":
        covered = rng.random() < 0.7
        breathing = str(rng.choice(AIRWAYS))
        return HeadStyle(complexion, iris, hair, "bouffant" if covered else None, caps[0], airway=breathing)
    cap = str(rng.choice(["bouffant", "skull"], p=[0.6, 0.4] if male else [0.75, 0.25]))
    colour = caps[0] if cap == "bouffant" else caps[int(rng.integers(1, len(caps)))]
    chances = {"surgeon": 0.75, "assistant": 0.55, "second_assistant": 0.5, "scrub_nurse": 0.5}.get(role, 0.35)
    eyewear = None
    if rng.random() < chances:
        kinds = ["loupes", "safety", "glasses"] if role == "surgeon" else ["safety", "glasses"]
        eyewear = str(rng.choice(kinds))
    fastening = str(rng.choice(["loops", "ties"], p=[0.6, 0.4]))
    frame = _FRAMES[int(rng.integers(len(_FRAMES)))]
    return HeadStyle(complexion, iris, hair, cap, colour, mask, fastening, eyewear, frame)
