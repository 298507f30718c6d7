"""Between a frame's planes and the upright RGB pictures that networks see and draw, without converting the frame.

A cut-out is converted alone, at the planes' own resolution and depth: nothing outside the region is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.video.pixels import Plane

Samples = Sequence[NDArray]
LUMA_WEIGHTS = {  # matrix coefficients -> (red, blue), ITU-T H.273, table 4
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601
    6: (0.299, 0.114),
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
    10: (0.2627, 0.0593),
}
BT601 = 6


@dataclass(frozen=True)
class Colours:
    """How samples become red, green and blue: `red` and `blue` are their shares in the luma."""

    red: float
    blue: float

    @classmethod
    def of_matrix(cls, coefficients: int = BT601) -> Colours:
        """Of the matrix coefficients' number in ITU-T H.273; BT.709 where it is none with luma and chroma."""
        return cls(*LUMA_WEIGHTS.get(coefficients, LUMA_WEIGHTS[1]))

    def rgb(self, samples: Samples, planes: Sequence[Plane]) -> NDArray[np.float32]:
        """The picture ``(h, w, 3)``, RGB 0-1, in the first plane's resolution.

        Args:
            samples: of one cut-out, an array per plane.
            planes: what the samples mean.
        """
        size = samples[0].shape[::-1]
        parts = [
            cv2.resize((part.astype(np.float32) - zero) / span, size, interpolation=cv2.INTER_LINEAR)
            for part, (zero, span) in zip(samples, _scales(planes), strict=True)
        ]
        if len(parts) == 1:
            return np.clip(np.dstack([parts[0]] * 3), 0, 1)
        if not planes[1].is_chroma:  # the channels of a picture: green, blue, red
            return np.clip(np.dstack([parts[2], parts[0], parts[1]]), 0, 1)
        luma, for_blue, for_red = parts
        red = luma + 2 * (1 - self.red) * for_red
        blue = luma + 2 * (1 - self.blue) * for_blue
        green = (luma - self.red * red - self.blue * blue) / (1 - self.red - self.blue)
        return np.clip(np.dstack([red, green, blue]), 0, 1)

    def samples(self, rgb: NDArray[np.float32], planes: Sequence[Plane], like: Samples) -> list[NDArray[np.float32]]:
        """The inverse of `rgb`: per plane the samples of a picture, in the shapes of `like`, not rounded.

        Args:
            rgb: ``(h, w, 3)``, 0-1, of any size.
            planes: what the samples mean.
            like: the cut-out's samples.
        """
        red, green, blue = cv2.split(rgb)
        if len(planes) == 1 or planes[1].is_chroma:
            luma = self.red * red + (1 - self.red - self.blue) * green + self.blue * blue
            parts = [luma, (blue - luma) / (2 * (1 - self.blue)), (red - luma) / (2 * (1 - self.red))]
        else:
            parts = [green, blue, red]
        return [
            zero + span * _resized(part, old.shape)
            for part, (zero, span), old in zip(parts[: len(planes)], _scales(planes), like, strict=True)
        ]


def blended(
    drawn: Samples, strict: Samples, planes: Sequence[Plane], *, ring: float, seam: float
) -> list[NDArray[np.integer]]:
    """`drawn` inside `strict`, per plane, in the planes' own depth.

    Args:
        drawn: samples of a cut-out, not rounded.
        strict: what the strict operator drew there; it stays as it is in the outermost ring.
        planes: what the samples mean.
        ring: its width as a share of the cut-out's shorter side.
        seam: the width over which the two are blended, inside the ring, as such a share.
    """
    weights = _weights(strict[0].shape, ring=ring, seam=seam)
    mixed = []
    for new, old, plane in zip(drawn, strict, planes, strict=True):
        weight = _resized(weights, old.shape)
        weight[[0, -1]] = 0  # the outermost samples stay strict however small the cut-out is
        weight[:, [0, -1]] = 0
        values = np.rint(old + weight * (new - old)).clip(0, (1 << plane.depth) - 1)
        mixed.append(values.astype(old.dtype))
    return mixed


def as_plane(samples: NDArray, plane: Plane) -> Plane:
    """A cut-out's samples as a plane of their own."""
    return replace(plane, pixels=samples)


def _weights(shape: tuple[int, ...], *, ring: float, seam: float) -> NDArray[np.float32]:
    """0 in the ring, 1 inside the seam, a raised cosine between."""
    ramps = []
    for length in shape:
        middle = np.arange(length) + 0.5
        depth = np.minimum(middle, length - middle) / min(shape)
        share = np.clip((depth - ring) / max(seam, 1e-6), 0, 1)
        ramps.append((0.5 - 0.5 * np.cos(np.pi * share)).astype(np.float32))
    weights: NDArray[np.float32] = np.outer(*ramps)
    return weights


def _scales(planes: Sequence[Plane]) -> list[tuple[float, float]]:
    """For each plane the sample that means 0, and how many samples mean 1."""
    luma = planes[0]
    chroma_span = (1 << luma.depth) - 1 if luma.black == 0 else 224 << (luma.depth - 8)
    return [(plane.black, chroma_span if plane.is_chroma else plane.white - plane.black) for plane in planes]


def _resized(picture: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    how = cv2.INTER_AREA if shape[0] * shape[1] < picture.size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, shape[::-1], interpolation=how), np.float32)
