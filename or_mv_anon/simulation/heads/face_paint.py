"""The painted skin of head and face: tone, blood, lips, lids, brows, stubble, lines of age.

Everything is painted by place on the average head (see head_frame), so it lies right on every head. Colours are sRGB
0..1 while painting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.noise import SmoothNoise
from or_mv_anon.simulation.heads.hairline import beard, scalp
from or_mv_anon.simulation.heads.head_canvas import HeadCanvas, head_canvas
from or_mv_anon.simulation.heads.head_frame import BROW_LEVEL, EYE

Colour = tuple[float, float, float]
_TONES = np.array(  # sRGB from very light to very dark
    [[235, 199, 179], [229, 184, 158], [205, 154, 123], [163, 113, 82], [112, 74, 52], [70, 45, 34]], np.float32
) / np.float32(255)


@dataclass(frozen=True)
class Complexion:
    """How somebody's skin and hair look.

    Attributes:
        tone: 0 very light to 1 very dark skin.
        hair: sRGB 0..1 of hair and brows.
        age: years.
        beard: 0 shaved clean, 0.3 stubble, 1 full beard.
        lips: 0 natural to 1 painted.
        receding: 0 full hair to 1 high forehead.
        brows: 0 thin to 1 bushy.
        bald: no hair grows on the crown.
    """

    tone: float = 0.2
    hair: Colour = (0.2, 0.14, 0.1)
    age: float = 40.0
    beard: float = 0.0
    lips: float = 0.0
    receding: float = 0.0
    brows: float = 0.5
    bald: bool = False


def skin_tone(tone: float) -> NDArray[np.float32]:
    """sRGB (3,) 0..1 of a tone from 0 very light to 1 very dark."""
    at = np.clip(tone, 0, 1) * (len(_TONES) - 1)
    return np.array([np.interp(at, range(len(_TONES)), _TONES[:, k]) for k in range(3)], np.float32)


def paint_head(complexion: Complexion, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The head's texture (768, 384, 3), sRGB."""
    canvas = head_canvas()
    points, noise = canvas.points, SmoothNoise(rng)
    x, f, u = np.moveaxis(points, -1, 0)
    side = np.abs(x)
    front = np.clip((f - 0.03) / 0.03, 0, 1)
    light = 1 - complexion.tone
    colour = np.broadcast_to(skin_tone(complexion.tone), (*x.shape, 3)).copy()

    blood = (
        0.9 * _spot(side - 0.045, u + 0.022, 0.022) * front
        + 0.8 * _spot(x, u + 0.02, 0.011) * np.clip(f - 0.1, 0, 0.01) * 100
    )
    blood += 0.7 * canvas.ears + 0.35 * _spot(x, u + 0.092, 0.018) * front + 0.25 * (noise(points, 0.018) + 0.2)
    _tint(colour, blood, (1.01, 0.9, 0.89), 0.3 + 0.4 * light)
    _tint(colour, noise(points, 0.03) * 0.5 + noise(points + 1, 0.007) * 0.6, (0.94, 0.93, 0.92), 1.0)
    _tint(colour, noise(points + 2, 0.0016), (0.95, 0.95, 0.95), 1.0)
    freckles = np.clip(noise(points + 3, 0.0024) - 0.75, 0, 1) * _spot(side - 0.03, u + 0.01, 0.03) * front
    _tint(colour, freckles, (0.72, 0.6, 0.5), 2.5 * max(0.0, light - 0.5) * rng.uniform(0, 1))

    hollow = _spot(side - EYE[0] + 0.002, (u - EYE[2] + 0.013) * 1.7, 0.014) * front
    _tint(colour, hollow, (0.84, 0.8, 0.85), 0.5 + complexion.age / 130)
    _tint(colour, _spot(side - 0.013, u - EYE[2] - 0.004, 0.008) * front, (0.8, 0.76, 0.76), 0.8)
    _tint(colour, canvas.lids, (0.86, 0.78, 0.78), 0.8)
    _lines_of_age(colour, points, complexion.age, noise)
    _paint_lips(colour, canvas, complexion)
    _grow(colour, canvas, complexion, noise)
    _paint_brows(colour, points, complexion, noise)
    rim = np.where(canvas.upper, np.exp(-((canvas.lid_rim / 2.8) ** 2)), 0.7 * np.exp(-((canvas.lid_rim / 1.5) ** 2)))
    lash = np.array(complexion.hair, np.float32) * 0.35 + 0.02
    colour += (lash - colour) * np.clip(rim, 0, 0.92)[..., None]

    picture = (np.clip(colour, 0, 1) * 255 + 0.5).astype(np.uint8)
    picture[-24:, :24] = (np.clip(skin_tone(complexion.tone) * (0.95, 0.7, 0.68), 0, 1) * 255).astype(np.uint8)
    return picture


def _spot(across: NDArray[np.floating], along: NDArray[np.floating], radius: float) -> NDArray[np.floating]:
    return np.exp(-(across**2 + along**2) / radius**2)


def _tint(colour: NDArray[np.float32], amount: NDArray[np.floating], by: Colour, strength: float) -> None:
    """Multiply by a tint where the amount is 1, by its inverse where it is -1."""
    exponent = (strength * np.asarray(amount, np.float32))[..., None]
    colour *= np.asarray(by, np.float32) ** exponent


def _lines_of_age(colour: NDArray[np.float32], points: NDArray[np.float32], age: float, noise: SmoothNoise) -> None:
    x, f, u = np.moveaxis(points, -1, 0)
    side, wave = np.abs(x), noise(points, 0.03) * 0.003 - 12 * x**2 * 0.2
    front = np.clip((f - 0.03) / 0.03, 0, 1)
    fold = np.interp(u, [-0.062, -0.05, -0.025, -0.016], [0.034, 0.033, 0.021, 0.017])
    ends = np.clip((-0.014 - u) / 0.008, 0, 1) * np.clip((u + 0.062) / 0.014, 0, 1)
    nasolabial = np.exp(-(((side - fold) / 0.0035) ** 2)) * ends * front
    _tint(colour, nasolabial, (0.86, 0.82, 0.81), np.clip((age - 18) / 40, 0.1, 1.0))
    forehead = sum(np.exp(-(((u - level - wave) / 0.0018) ** 2)) for level in (0.060, 0.069, 0.077))
    fade = np.clip((0.045 - side) / 0.02, 0, 1) * np.clip(0.6 + noise(points + 4, 0.02), 0, 1)
    _tint(colour, forehead * front * fade, (0.9, 0.87, 0.86), np.clip((age - 30) / 35, 0, 1))
    crow = np.exp(-((np.sin((np.arctan2(u - EYE[2], side - 0.04)) * 9) / 0.35) ** 2)) * _spot(
        side - 0.056, u - EYE[2], 0.009
    )
    _tint(colour, crow, (0.85, 0.82, 0.8), np.clip((age - 35) / 30, 0, 1))


def _paint_lips(colour: NDArray[np.float32], canvas: HeadCanvas, complexion: Complexion) -> None:
    natural = skin_tone(complexion.tone) * np.array([0.88, 0.72, 0.74], np.float32) + np.array(
        [0.02, 0.01, 0.02], np.float32
    )
    painted = natural * 0.45 + np.array([0.33, 0.09, 0.12], np.float32)
    lips = natural + (painted - natural) * complexion.lips * 0.7
    colour += (lips - colour) * (0.75 * canvas.lips)[..., None]
    u, side = canvas.points[..., 2], np.abs(canvas.points[..., 0])
    slit = np.exp(-(((u + 0.0545) / 0.0014) ** 2)) * (side < 0.024) * canvas.lips
    _tint(colour, slit, (0.55, 0.42, 0.42), 1.0)


def _grow(colour: NDArray[np.float32], canvas: HeadCanvas, complexion: Complexion, noise: SmoothNoise) -> None:
    """The dark of hair roots on scalp and cheeks."""
    hair, points = np.array(complexion.hair, np.float32), canvas.points
    edge = noise(points, 0.004) * 0.003
    roots = np.clip((scalp(points, receding=complexion.receding) + edge) / 0.008, 0, 1) * (1 - canvas.ears)
    if complexion.bald:
        roots = roots * np.clip((0.035 - points[..., 2]) / 0.02, 0, 1) * 0.6
    grain = 0.92 + 0.1 * noise(points, 0.0015)
    colour += (hair * 0.85 - colour) * np.clip(0.97 * roots * grain, 0, 1)[..., None]
    if complexion.beard > 0:
        depth = np.clip((beard(points) + edge * 1.5) / 0.009, 0, 1) * (1 - canvas.lips)
        specks = np.clip(0.55 + 0.9 * noise(points, 0.0013), 0, 1)
        cover = depth * (complexion.beard * 0.85 * (0.45 + 0.55 * specks))
        colour += (hair * 0.9 + 0.02 - colour) * np.clip(cover, 0, 0.95)[..., None]


def _paint_brows(
    colour: NDArray[np.float32], points: NDArray[np.float32], complexion: Complexion, noise: SmoothNoise
) -> None:
    x, f, u = np.moveaxis(points, -1, 0)
    side = np.abs(x)
    arch = BROW_LEVEL + np.interp(side, [0.008, 0.018, 0.036, 0.047, 0.056], [-0.0065, -0.004, 0.0005, -0.001, -0.006])
    half = np.interp(side, [0.008, 0.016, 0.034, 0.055], [0.0050, 0.0058, 0.0052, 0.0022]) * (
        0.62 + 0.5 * complexion.brows
    )
    across = (u - arch) / half
    body = (
        np.exp(-(np.abs(across) ** 3)) * np.clip((side - 0.0085) / 0.004, 0, 1) * np.clip((0.057 - side) / 0.006, 0, 1)
    )
    slanted = points * np.array([1.0, 0.0, 0.35], np.float32)
    strokes = np.clip(0.9 + 0.35 * noise(slanted, 0.0016), 0.45, 1)
    cover = body * strokes * (f > 0.04) * (0.72 + 0.25 * complexion.brows)
    hair = np.array(complexion.hair, np.float32) * 0.75
    colour += (hair - colour) * np.clip(cover, 0, 0.95)[..., None]
