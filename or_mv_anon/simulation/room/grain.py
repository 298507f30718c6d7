"""Seamless procedural surfaces as sRGB pictures: floors, walls, ceilings, cloth prints."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Colour = tuple[float, float, float]

TILE_METRES = 2.0  # what one repeat of a floor texture covers


def noise(
    rng: np.random.Generator, size: int, *, slope: float = 1.0, stretch: float = 1.0, finest: float = 0.5
) -> NDArray[np.float64]:
    """Periodic noise (size, size) of mean 0 and deviation 1 whose spectrum falls as 1 / frequency^slope.

    `stretch` above 1 draws it out along the rows; `finest` is the highest frequency kept, 0.5 is every pixel.
    """
    fy, fx = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
    frequency = np.hypot(fy, fx * stretch)
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=(size, size))) * frequency**-slope * (frequency <= finest)
    spectrum[0, 0] = 0
    field = np.fft.ifft2(spectrum).real
    return np.asarray(field / field.std())


def srgb(colour: Colour) -> NDArray[np.float64]:
    """sRGB 0..255 of a linear colour 0..1."""
    linear = np.clip(np.asarray(colour, float), 0, 1)
    return np.asarray(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def shaded(colour: Colour, variation: NDArray[Any]) -> Picture:
    """A picture of one colour whose brightness varies by a share (H, W), such as 0.05 for 5 % brighter."""
    return _bytes(srgb(colour) * (1 + variation[..., None]))


def vinyl_floor(colour: Colour, rng: np.random.Generator, size: int = 1024) -> Picture:
    """Sheet vinyl with streaks or chips, scuffs, and a welded seam at the edge of every sheet."""
    streaks = noise(rng, size, slope=0.35, stretch=float(rng.choice([1.0, 6.0, 14.0])))
    wear = noise(rng, size, slope=1.6)
    picture = shaded(colour, 0.045 * streaks + 0.03 * wear).astype(float)
    chips = noise(rng, size, slope=0.5, finest=0.12)
    amount = rng.uniform(0.0, 0.2)
    picture[chips > 2.1] *= 1 - amount
    picture[chips < -2.1] *= 1 + amount
    for _ in range(int(rng.integers(5, 14))):  # scuffs of wheels
        start = rng.integers(0, size, 2)
        end = start + rng.normal(0, 60, 2)
        scuff = np.zeros((size, size), np.uint8)
        cv2.line(scuff, _point(start), _point(end), 255, 2, cv2.LINE_AA)
        picture *= 1 - 0.12 * (scuff / 255.0)[..., None]
    picture[:2] *= 0.86
    return _bytes(picture)


def tiled_floor(colour: Colour, rng: np.random.Generator, size: int = 1024) -> Picture:
    """Square floor tiles, each of its own shade, with joints."""
    across = int(rng.choice([4, 6]))
    shade = cv2.resize(rng.normal(size=(across, across)), (size, size), interpolation=cv2.INTER_NEAREST)
    picture = shaded(colour, 0.025 * shade + 0.03 * noise(rng, size, slope=0.4)).astype(float)
    return _bytes(_joints(picture, size // across, 3, 0.8))


def painted_wall(colour: Colour, rng: np.random.Generator, size: int = 512) -> Picture:
    """A painted wall with a little unevenness and some marks low down."""
    return shaded(colour, 0.006 * noise(rng, size, slope=1.4) + 0.005 * noise(rng, size, slope=0.2))


def tiled_wall(colour: Colour, rng: np.random.Generator, size: int = 1024) -> Picture:
    """Glazed wall tiles of 12 to 25 cm with pale or dark joints, over 3 m by 3 m."""
    across = int(rng.choice([12, 15, 20, 24]))
    size = size // across * across
    shade = cv2.resize(rng.normal(size=(across, across)), (size, size), interpolation=cv2.INTER_NEAREST)
    picture = shaded(colour, 0.012 * shade + 0.008 * noise(rng, size)).astype(float)
    return _bytes(_joints(picture, size // across, 3, float(rng.uniform(0.72, 0.9))))


def panelled_wall(colour: Colour, rng: np.random.Generator, size: int = 1024) -> Picture:
    """Steel or glass panels of 1 m by 1.5 m with sealed joints and a brushed look, over 3 m by 3 m."""
    picture = shaded(colour, 0.01 * noise(rng, size, stretch=0.1) + 0.012 * noise(rng, size, slope=1.5)).astype(float)
    for x in range(0, size, size // 3):
        picture[:, x : x + 4] *= 0.62
    for y in (0, size // 2):
        picture[y : y + 4] *= 0.62
    return _bytes(picture)


def with_dado(picture: Picture, colour: Colour, *, height: float, ceiling: float) -> Picture:
    """A wall picture, floor to ceiling, whose lower part (metres) is another colour with a protecting rail on top."""
    result = picture.astype(float)
    rows = len(picture)
    edge = rows - int(rows * height / ceiling)
    tint = srgb(colour) / np.maximum(picture.reshape(-1, 3).mean(axis=0), 1)
    result[edge:] *= tint
    rail = max(3, int(rows * 0.12 / ceiling))
    result[edge - rail // 2 : edge + rail // 2] = srgb((0.35, 0.34, 0.32))
    result[edge + rail // 2 : edge + rail // 2 + 3] *= 0.75
    return _bytes(result)


def ceiling_panels(colour: Colour, rng: np.random.Generator, size: int = 512) -> Picture:
    """Metal or mineral ceiling panels, 60 cm, perforated or plain; one repeat covers 1.2 m."""
    picture = shaded(colour, 0.01 * noise(rng, size, slope=0.3)).astype(float)
    if rng.random() < 0.5:
        picture[4::8, 4::8] *= 0.7
        picture[5::8, 4::8] *= 0.8
    return _bytes(_joints(picture, size // 2, 4, 0.7))


def _joints(picture: NDArray[Any], step: int, width: int, shade: float) -> NDArray[Any]:
    for start in range(0, len(picture), step):
        picture[start : start + width] *= shade
        picture[:, start : start + width] *= shade
    return picture


def _bytes(picture: NDArray[Any]) -> Picture:
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _point(values: NDArray[Any]) -> tuple[int, int]:
    return int(values[0]), int(values[1])
