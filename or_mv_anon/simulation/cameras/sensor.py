"""What a surveillance camera's sensor and processing make of light: from linear radiance to 8-bit pictures.

In the order of a real camera: glare of the lens, vignetting, blur, exposure and white balance, noise (shot noise grows
with the square root of the light, read noise does not; Healey and Kondepudy 1994), a tone curve that bends highlights,
the transfer function of ITU-R BT.709, sharpening, 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]  # (H, W, 3) linear RGB
MIDDLE_GREY = 0.26  # what metering aims the scene's usual brightness at; rooms are white, so above 0.18
_BRIGHTEST_METERED = 4.0  # times the median: lamps and monitors beyond it do not darken the picture
_CURVE = np.linspace(0, 1, 4096, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """How one camera renders light. All strengths 0 give a plain picture."""

    exposure: float = 0.0  # stops above what metering gives
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)  # gains of red, green, blue
    glare: float = 0.06  # share of the highlights' light that spreads over the picture
    vignetting: float = 0.2  # light lost in the corners
    blur: float = 0.5  # standard deviation in pixels
    shot_noise: float = 0.0006  # variance per unit of light
    read_noise: float = 0.004  # standard deviation
    fixed_pattern: float = 0.006  # standard deviation of the pixels' gains
    saturation: float = 1.0
    knee: float = 0.6  # light above it is compressed
    sharpening: float = 0.4
    pattern_seed: int = 0


USUAL, OLD, INFRARED = "usual", "old", "infrared"
SENSORS = (USUAL, OLD, INFRARED)
_OLD: dict[str, Any] = {
    "glare": 0.25, "blur": 1.3, "shot_noise": 0.004, "read_noise": 0.02, "saturation": 0.45, "sharpening": 1.2,
}  # fmt: skip
_INFRARED: dict[str, Any] = {
    "balance": (2.4, 0.55, 0.2), "vignetting": 0.6, "blur": 1.0, "shot_noise": 0.003, "read_noise": 0.015,
    "saturation": 0.0,
}  # fmt: skip
"""Without the filter that keeps infrared out pictures are grey and weigh long waves most: skin is bright, blood, too.
The lamp beside the lens leaves the corners dark."""


def draw_sensor(rng: np.random.Generator, kind: str = USUAL) -> Sensor:
    """A camera out of the box: all of a site's cameras differ a little. `old` ones are dull, grainy and unsharp."""
    return replace(_drawn(rng), **{USUAL: {}, OLD: _OLD, INFRARED: _INFRARED}[kind])


def _drawn(rng: np.random.Generator) -> Sensor:
    warmth, tint = rng.normal(0, 0.04), rng.normal(0, 0.015)
    noise = rng.uniform(0.3, 1.2)
    return Sensor(
        exposure=float(rng.uniform(-0.35, 0.35)),
        balance=(float(1 + warmth), float(1 + tint), float(1 - warmth)),
        glare=float(rng.uniform(0.03, 0.1)),
        vignetting=float(rng.uniform(0.08, 0.35)),
        blur=float(rng.uniform(0.35, 0.8)),
        shot_noise=float(0.0005 * noise),
        read_noise=float(0.0025 * noise),
        fixed_pattern=float(rng.uniform(0.002, 0.008)),
        saturation=float(rng.uniform(0.8, 1.15)),
        knee=float(rng.uniform(0.5, 0.75)),
        sharpening=float(rng.uniform(0.2, 0.8)),
        pattern_seed=int(rng.integers(1 << 31)),
    )


def meter(pictures: list[Picture]) -> float:
    """The gain that brings the usual brightness of `pictures` to middle grey, as automatic exposure does once."""
    light = np.concatenate([luminance(picture).ravel()[::7] for picture in pictures])
    usual = max(float(np.median(light)), 1e-4)
    metered = np.minimum(light, usual * _BRIGHTEST_METERED)
    return MIDDLE_GREY / max(float(np.exp(np.log(metered + 1e-4).mean())), 1e-4)


def luminance(picture: Picture) -> NDArray[np.float32]:
    """Light (H, W) as the eye weighs it, ITU-R BT.709."""
    return np.asarray(picture @ np.array([0.2126, 0.7152, 0.0722], np.float32))


def develop(radiance: Picture, sensor: Sensor, *, gain: float, noise: np.random.Generator) -> NDArray[np.uint8]:
    """The picture (H, W, 3) RGB that the camera hands to its encoder.

    Args:
        radiance: linear light as the lens shows it.
        sensor: the camera's.
        gain: of `meter`.
        noise: of this very frame.
    """
    height, width = radiance.shape[:2]
    total = np.array(sensor.balance, np.float32) * np.float32(gain * 2**sensor.exposure)
    light = np.ascontiguousarray(radiance) * total
    if sensor.glare > 0:
        light += _glare(light, sensor.glare)
    light *= _gains(height, width, sensor.vignetting, sensor.fixed_pattern, sensor.pattern_seed)
    if sensor.blur > 0:
        light = cv2.GaussianBlur(light, (0, 0), sensor.blur)
    light = _add_noise(light, sensor, noise)
    return _to_bytes(_display(light, sensor), sensor.sharpening)


def _glare(light: Picture, share: float) -> Picture:
    """Light of what is brighter than white, spread near and far; at a quarter of the size, since it is smooth."""
    height, width = light.shape[:2]
    bright = np.clip(light - 1, 0, 6)
    small = cv2.resize(bright, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    near = cv2.GaussianBlur(small, (0, 0), max(0.5, width / 400))
    far = cv2.GaussianBlur(small, (0, 0), max(0.5, width / 60))
    spread = share * (0.6 * near + 0.4 * far)
    return np.asarray(cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR))


@lru_cache(maxsize=32)
def _gains(height: int, width: int, vignetting: float, pattern: float, seed: int) -> NDArray[np.float32]:
    """Gain (H, W, 1) of each pixel: darker corners, and pixels that differ."""
    y, x = np.mgrid[:height, :width]
    square = ((x + 0.5) / width * 2 - 1) ** 2 + ((y + 0.5) / height * 2 - 1) ** 2
    fixed = np.random.default_rng(seed).normal(1, pattern, (height, width)) if pattern else 1.0
    return ((1 - vignetting * (square / 2) ** 1.5) * fixed)[..., None].astype(np.float32)


def _add_noise(light: Picture, sensor: Sensor, rng: np.random.Generator) -> Picture:
    if sensor.shot_noise == 0 and sensor.read_noise == 0:
        return light
    spread = np.sqrt(np.clip(light, 0, 4) * np.float32(sensor.shot_noise) + np.float32(sensor.read_noise**2))
    grain = rng.standard_normal(light.shape, dtype=np.float32)
    # Demosaicing and noise reduction leave grain that is correlated between neighbours.
    grain = 0.5 * grain + 1.2 * cv2.GaussianBlur(grain, (0, 0), 0.9)
    return np.asarray(light + spread * grain)


def _display(light: Picture, sensor: Sensor) -> Picture:
    """Knee and transfer function, through a table; values 0..1."""
    if sensor.saturation != 1:
        grey = luminance(light)[..., None]
        light = grey + np.float32(sensor.saturation) * (light - grey)
    root = np.sqrt(np.clip(light, 0, 4, dtype=np.float32)) * np.float32((len(_CURVE) - 1) / 2)
    return _table(sensor.knee)[(root + 0.5).astype(np.int32)]


@lru_cache(maxsize=32)
def _table(knee: float) -> NDArray[np.float32]:
    """Display values of light 0..4, indexed by its square root so that dark tones keep their steps."""
    light = (_CURVE * 2) ** 2
    bent = np.where(light < knee, light, knee + (1 - knee) * (1 - np.exp(-(light - knee) / (1 - knee))))
    coded = np.where(bent < 0.018, 4.5 * bent, 1.099 * np.maximum(bent, 1e-9) ** 0.45 - 0.099)
    return coded.astype(np.float32)


def _to_bytes(shown: Picture, sharpening: float) -> NDArray[np.uint8]:
    if sharpening > 0:
        shown = shown + np.float32(sharpening) * (shown - cv2.GaussianBlur(shown, (0, 0), 1.0))
    scaled: NDArray[Any] = np.clip(shown * 255 + 0.5, 0, 255)
    return scaled.astype(np.uint8)
