"""How an HDR picture was mastered: the display's colours and its light, which encoders have to be told.

CTA-861.3 and SMPTE ST 2086; the layouts of FFmpeg's AVMasteringDisplayMetadata and AVContentLightMetadata.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

_CHROMA = 50_000  # steps per unit, as encoders count
_LIGHT = 10_000
_RATIONALS = 10  # red, green, blue and white, x and y each; least and most light


@dataclass(frozen=True)
class Mastering:
    """What a file says; None where it is silent.

    Attributes:
        display: red x, y, green x, y, blue x, y, white x, y in steps of 1/50000, least and most light in 1/10000 cd/m².
        light: brightest pixel and brightest average of a frame in cd/m².
    """

    display: tuple[int, ...] | None = None
    light: tuple[int, int] | None = None

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Mastering | None:
        """What a decoded frame carries."""
        display = _display(frame.side_data.get("MASTERING_DISPLAY_METADATA"))
        light: Any = frame.side_data.get("CONTENT_LIGHT_LEVEL")
        levels = None if light is None else tuple(np.frombuffer(bytes(light), np.uint32)[:2].tolist())
        return cls(display, levels) if display or levels else None

    def parameters(self, encoder: str) -> dict[str, str]:
        """Parameters of an encoder; empty where it takes none."""
        if encoder == "libsvtav1":
            names, numbers = ("mastering-display", "content-light"), (_CHROMA, _LIGHT)
        elif encoder in ("libx264", "libx265"):
            names = ("mastering-display", "cll") if encoder == "libx264" else ("master-display", "max-cll")
            numbers = (1, 1)
        else:
            return {}
        found = {}
        if self.display:
            values = [f"{v / numbers[0 if place < 8 else 1]:.12g}" for place, v in enumerate(self.display)]
            red, green, blue, white, (least, most) = (values[i : i + 2] for i in range(0, _RATIONALS, 2))
            pairs = {"G": green, "B": blue, "R": red, "WP": white, "L": [most, least]}
            found[names[0]] = "".join(f"{name}({','.join(pair)})" for name, pair in pairs.items())
        if self.light:
            found[names[1]] = f"{self.light[0]},{self.light[1]}"
        return found


def _display(data: Any) -> tuple[int, ...] | None:
    if data is None:
        return None
    numbers = np.frombuffer(bytes(data), np.int32).tolist()
    has_primaries, has_light = numbers[2 * _RATIONALS : 2 * _RATIONALS + 2]
    pairs = [numbers[2 * i : 2 * i + 2] for i in range(_RATIONALS)]
    if not (has_primaries and has_light) or any(below == 0 for _, below in pairs):
        return None
    values = [Fraction(above, below) for above, below in pairs]
    return tuple(round(v * (_CHROMA if place < 8 else _LIGHT)) for place, v in enumerate(values))
