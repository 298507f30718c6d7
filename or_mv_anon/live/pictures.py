"""What leaves the line: pictures in the output's format, covered copies of them, and the slate."""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.operators.cells import Method, cover
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import is_full_range, is_rgb, plane_rows, planes_of, working_format

FORMAT = "yuv420p"
GREY, WHITE, NEUTRAL = 90, 220, 128  # luma, luma, chroma
NO_SIGNAL = "no signal"


class Fitter:
    """Brings frames to the output's size and format: 8-bit 4:2:0, limited range."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size` is (width, height), both even."""
        self._size = size
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The same picture, scaled to the size whatever its aspect; the given frame itself where nothing changes."""
        name, full = frame.format.name, is_full_range(frame)
        if (name, frame.width, frame.height, full) == (FORMAT, *self._size, False):
            return frame
        return self._reformatter.reformat(
            frame, *self._size, FORMAT,
            dst_colorspace=Colorspace.ITU709 if is_rgb(name) else None,
            src_color_range=ColorRange.JPEG if full or is_rgb(name) else ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG, threads=1,
        )  # fmt: skip


def turned_upright(frame: av.VideoFrame) -> av.VideoFrame:
    """A frame whose display matrix asks for a turn, as an upright one; timestamps are not kept."""
    turn = Orientation(rotation=round(-frame.rotation / 90) % 4 * 90)
    return av.VideoFrame.from_ndarray(turn.upright(frame.to_ndarray(format="bgr24")), format="bgr24")


def covered_copy(frame: av.VideoFrame, method: Method, config: OperatorConfig) -> av.VideoFrame:
    """A copy of a fitted frame with the whole picture covered; the frame may still be read by others."""
    copy = av.VideoFrame(frame.width, frame.height, FORMAT)
    for target, source in zip(copy.planes, frame.planes, strict=True):
        plane_rows(target, np.uint8)[:, : source.width] = plane_rows(source, np.uint8)[:, : source.width]
    box = np.array([[0, 0, frame.width, frame.height]], np.float32)
    cover(planes_of(copy, working_format(FORMAT)), box, method, config)
    return copy


def slate(size: tuple[int, int]) -> av.VideoFrame:
    """A plain grey picture that says that there is no signal."""
    frame = av.VideoFrame(*size, FORMAT)
    for plane, value in zip(frame.planes, (GREY, NEUTRAL, NEUTRAL), strict=True):
        plane_rows(plane, np.uint8)[...] = value
    luma: NDArray[np.uint8] = np.full((size[1], size[0]), GREY, np.uint8)
    (width, height), _ = cv2.getTextSize(NO_SIGNAL, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
    scale = 0.4 * size[0] / width
    corner = (round(0.3 * size[0]), round((size[1] + scale * height) / 2))
    cv2.putText(luma, NO_SIGNAL, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, WHITE, max(1, round(2 * scale)), cv2.LINE_AA)
    plane_rows(frame.planes[0], np.uint8)[:, : size[0]] = luma
    return frame
