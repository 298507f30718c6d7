"""Brings pictures of one stream to one size and shape: smaller or differently shaped ones get black bars."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from or_mv_anon.video.pixels import Converter, PixelFormat, planes_of


@dataclass(frozen=True)
class Shape:
    """A coded picture's size in pixels, and how much wider than high each of its pixels is shown."""

    width: int
    height: int
    aspect: Fraction = Fraction(1)

    @property
    def area(self) -> int:
        """Pixels."""
        return self.width * self.height

    def inside(self, other: Shape) -> tuple[int, int]:
        """(width, height) in pixels of `other` at which a picture of this shape fills it without being stretched."""
        wide = self.width * self.aspect / other.aspect
        factor = min(other.width / wide, Fraction(other.height, self.height))
        return (
            min(other.width, max(2, round(wide * factor / 2) * 2)),
            min(other.height, max(2, round(self.height * factor / 2) * 2)),
        )

    def __str__(self) -> str:
        return f"{self.width}x{self.height}" + (f" (pixels {self.aspect})" if self.aspect != 1 else "")


class Fitter:
    """Makes frames of any shape and pixel format into ones of one shape and planar format."""

    def __init__(self, shape: Shape, pixel_format: PixelFormat) -> None:
        self._shape = shape
        self._format = pixel_format
        self._converter = Converter()

    def fit(self, native: av.VideoFrame, shape: Shape) -> av.VideoFrame:
        """`native`, which is shown in `shape`, in the middle of a frame of the fitter's shape; unchanged if it fits."""
        same = shape == self._shape
        if same and native.format.name == self._format.name:
            return native
        width, height = (self._shape.width, self._shape.height) if same else shape.inside(self._shape)
        scaled = self._converter.convert(native, name=self._format.name, width=width, height=height)
        return scaled if (width, height) == (self._shape.width, self._shape.height) else self._framed(scaled)

    def _framed(self, picture: av.VideoFrame) -> av.VideoFrame:
        framed = av.VideoFrame(self._shape.width, self._shape.height, self._format.name)
        for name in ("colorspace", "color_range", "color_primaries", "color_trc"):
            setattr(framed, name, getattr(picture, name))
        left, top = ((self._shape.width - picture.width) // 4 * 2, (self._shape.height - picture.height) // 4 * 2)
        for plane, part in zip(planes_of(framed, self._format), planes_of(picture, self._format), strict=True):
            plane.pixels[:] = plane.black
            rows, columns = part.pixels.shape
            x, y = left // plane.x_step, top // plane.y_step
            target = plane.pixels[y : y + rows, x : x + columns]
            np.copyto(target, part.pixels[: target.shape[0], : target.shape[1]])
        return framed
