"""What the operators may know about a pixel format: planes, chroma steps, depth, and which value shows black."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

FULL_RANGE = int(ColorRange.JPEG)
LIMITED_RANGE = int(ColorRange.MPEG)
UNSPECIFIED_SPACE = 2  # AVCOL_SPC_UNSPECIFIED
BT709 = 1  # AVCOL_SPC_BT709


@dataclass(frozen=True)
class Plane:
    """One plane of a picture, in coded orientation; `pixels` is a writable view into the frame.

    Painting ``black + share × (white - black)`` into every plane paints a grey of that share: on chroma planes both
    values are the neutral one.
    """

    pixels: NDArray[Any]  # (H, W) uint8 or uint16
    x_step: int  # picture pixels per plane pixel, horizontally
    y_step: int  # and vertically
    is_chroma: bool
    depth: int  # bits in use, in the low bits of a uint16
    black: int
    white: int


@dataclass(frozen=True)
class PixelFormat:
    """A planar format that the operators work on: YUV or grey, or the channels of an image."""

    name: str
    depth: int  # bits per sample, 8-16
    chroma: tuple[int, int] | None  # (x_step, y_step) of the chroma planes, None where there are none


@cache
def depth_of(name: str) -> int:
    """Bits per sample of a pixel format, the deepest component's."""
    return max(component.bits for component in av.VideoFormat(name, 16, 16).components)


@cache
def has_alpha(name: str) -> bool:
    """Whether a format holds transparency."""
    return any(component.is_alpha for component in av.VideoFormat(name, 16, 16).components)


@cache
def is_rgb(name: str) -> bool:
    """Whether a format holds red, green and blue (a palette included) and not luma and chroma."""
    video_format = av.VideoFormat(name, 16, 16)
    return video_format.is_rgb or video_format.has_palette or video_format.is_bayer or name.startswith("xyz")


@cache
def working_format(name: str) -> PixelFormat:
    """The planar format that frames of format `name` are brought to: itself, or the nearest that loses nothing.

    RGB becomes 4:4:4, packed and semi-planar YUV become planar, alpha goes, odd depths go up to the next one that
    encoders take (8, 10, 12, 16), floats become 16 bit.
    """
    video_format = av.VideoFormat(name, 64, 64)
    depth = depth_of(name)
    rgb = is_rgb(name)
    colour = len(video_format.components) >= 3 or rgb
    kept = next((d for d in (8, 10, 12) if depth <= d), 16)
    suffix = "" if kept == 8 else f"{kept}le"
    if not colour:
        return PixelFormat(f"gray{suffix}", kept, None)
    across, down = (1, 1) if rgb else (64 // video_format.chroma_width(64), 64 // video_format.chroma_height(64))
    layout, steps = ("444", (1, 1)) if across == 1 else ("422", (2, 1)) if down == 1 else ("420", (2, 2))
    if name.startswith("yuvj"):
        return PixelFormat(f"yuvj{layout}p", 8, steps)
    return PixelFormat(f"yuv{layout}p{suffix}", kept, steps)


class Converter:
    """Brings frames to one format and size without touching their colours; keeps its scaler between frames."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def convert(self, frame: av.VideoFrame, *, name: str, width: int, height: int) -> av.VideoFrame:
        """The same picture in format `name`: sample range kept, RGB to BT.709 limited range."""
        if is_rgb(frame.format.name):
            return self._reformatter.reformat(
                frame, width, height, name,
                dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1,
            )  # fmt: skip
        sample_range = ColorRange.JPEG if is_full_range(frame) else ColorRange.MPEG
        return self._reformatter.reformat(
            frame, width, height, name, src_color_range=sample_range, dst_color_range=sample_range, threads=1
        )


def is_full_range(frame: av.VideoFrame) -> bool:
    """Whether samples run from 0 to the largest value, and not from 16 to 235 (scaled to the depth)."""
    return int(frame.color_range) == FULL_RANGE or frame.format.name.startswith("yuvj")


def planes_of(frame: av.VideoFrame, pixel_format: PixelFormat) -> list[Plane]:
    """Views into the planes of `frame`, which must own its pixels and have the working format `pixel_format`."""
    depth, full = pixel_format.depth, is_full_range(frame)
    dtype = np.dtype(np.uint8 if depth == 8 else np.uint16)
    planes = []
    for number, plane in enumerate(frame.planes):
        rows = plane_rows(plane, dtype)
        is_chroma = number > 0 and pixel_format.chroma is not None
        x_step, y_step = pixel_format.chroma if is_chroma and pixel_format.chroma else (1, 1)
        if is_chroma:
            black = white = 1 << (depth - 1)
        else:
            black = 0 if full else 16 << (depth - 8)
            white = (1 << depth) - 1 if full else 235 << (depth - 8)
        planes.append(Plane(rows[:, : plane.width], x_step, y_step, is_chroma, depth, black, white))
    return planes


def plane_rows(plane: Any, dtype: Any) -> NDArray[Any]:
    """All samples (height, line length) of a PyAV plane, padding included, topmost row first; a writable view."""
    rows = np.frombuffer(plane, dtype).reshape(plane.height, -1)
    return rows[::-1] if plane.line_size < 0 else rows


def planes_of_picture(picture: NDArray[np.uint8]) -> list[Plane]:
    """Writable views of the channels of a BGR picture ``(h, w, 3)``."""
    return [
        Plane(picture[..., channel], x_step=1, y_step=1, is_chroma=False, depth=8, black=0, white=255)
        for channel in range(picture.shape[2])
    ]
