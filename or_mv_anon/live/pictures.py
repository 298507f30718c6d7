"""What leaves the line: pictures in the output's format, covered copies of them, and the slate."""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.core.records import Regions
from or_mv_anon.operators.cells import Method
from or_mv_anon.operators.line import cover_frame
from or_mv_anon.video.frame import Frame, PictureScaler
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import is_full_range, is_rgb, plane_rows, working_format

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


def protected(
    frame: Frame, regions: Regions | None, fit: Fitter, method: Method, config: OperatorConfig
) -> tuple[av.VideoFrame, str | None]:
    """What leaves the line of one frame: a covered copy in the output's size, as the frame may still be read by others.

    Args:
        frame: upright.
        regions: see `operators.line.FrameLine`.
        fit: to the output.
        method, config: of covering.

    Returns:
        The picture, and what went wrong, if it is black for it.
    """
    fitted = fit(frame.native)
    if regions is not None:
        if not len(regions):
            return fitted, None
        across, down = fitted.width / frame.native.width, fitted.height / frame.native.height
        regions = regions.replace(box=regions.box * np.array([across, down, across, down], np.float32))
    copy = copy_of(fitted)
    _, problem = cover_frame(upright_frame(copy, frame.index, frame.time), regions, method, config, remember=False)
    return copy, problem


def copy_of(fitted: av.VideoFrame) -> av.VideoFrame:
    """A copy of a fitted picture, with samples of its own."""
    copy = av.VideoFrame(fitted.width, fitted.height, FORMAT)
    for target, source in zip(copy.planes, fitted.planes, strict=True):
        plane_rows(target, np.uint8)[:, : source.width] = plane_rows(source, np.uint8)[:, : source.width]
    return copy


def upright_frame(
    picture: av.VideoFrame, number: int, time: float, *, corrupt: bool = False, scaler: PictureScaler | None = None
) -> Frame:
    """A frame of the line from a picture that needs no turning.

    Args:
        picture: decoded.
        number: counted from the first of its input.
        time: seconds.
        corrupt: damage reaches it.
        scaler: of its input.
    """
    return Frame(
        index=number, pts=number, time=time, corrupt=corrupt, native=picture,
        pixel_format=working_format(picture.format.name), orientation=Orientation(), scaler=scaler or PictureScaler(),
    )  # fmt: skip


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
