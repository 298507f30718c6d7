"""Encodes simulated pictures as a surveillance camera would, in segments that a resumed run can reuse.

Segments go through the same writer and joiner as anonymized videos: whole or not there, equal bytes for equal pictures.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from or_mv_anon.simulation.cameras.schedule import TIME_BASE, Schedule
from or_mv_anon.video.frame import Frame, PictureScaler
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.join import join_segments
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import BT709, LIMITED_RANGE, working_format
from or_mv_anon.video.writer import SegmentWriter, choose_encoder

PIXEL_FORMAT = "yuv420p"
PRESET = "veryfast"


class SegmentRecorder:
    """Encodes consecutive pictures of a camera as one closed group of pictures in H.264.

    The file appears at `path` when the context ends without an exception.
    """

    def __init__(self, path: Path, schedule: Schedule, first: int, *, size: tuple[int, int], crf: int) -> None:
        """Prepare a segment.

        Args:
            path: of the segment.
            schedule: of the camera.
            first: number of the first picture in the camera's file.
            size: (width, height), both even.
            crf: constant quality on x264's scale.
        """
        index = _index(path, schedule, size)
        self._schedule = schedule
        self._next = first
        self._reformatter = VideoReformatter()
        self._writer = SegmentWriter(path, index, choose_encoder(index), crf=crf, preset=PRESET)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Encode the next picture (H, W, 3) RGB; raises UserError when writing fails."""
        native = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"),
            format=PIXEL_FORMAT,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        self._writer.write(_frame(native, self._schedule, self._next))
        self._next += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, traceback)


def join_recording(destination: Path, segments: list[Path], schedule: Schedule, *, size: tuple[int, int]) -> None:
    """Write a camera's whole video from its segments, in order; raises UserError when that fails."""
    join_segments(_index(destination, schedule, size), segments, destination, audio=False)


def _index(path: Path, schedule: Schedule, size: tuple[int, int]) -> VideoIndex:
    """The facts that the writer wants to know of a source."""
    return VideoIndex(
        path=path,
        container="mov,mp4,m4a,3gp,3g2,mj2",
        codec="h264",
        pix_fmt=PIXEL_FORMAT,
        bit_depth=8,
        width=size[0],
        height=size[1],
        rotation=0,
        flip=False,
        display_matrix=None,
        sample_aspect_ratio=Fraction(1),
        average_rate=schedule.fps,
        time_base=TIME_BASE,
        color_primaries=BT709,
        color_trc=BT709,
        colorspace=BT709,
        color_range=LIMITED_RANGE,
        audio=(),
        pts=schedule.pts,
        keyframes=schedule.pts[:1],
        seekable=True,
        truncated=None,
    )


def _frame(native: av.VideoFrame, schedule: Schedule, number: int) -> Frame:
    pts = int(schedule.pts[number])
    return Frame(
        index=number,
        pts=pts,
        time=float(pts * TIME_BASE),
        corrupt=False,
        native=native,
        pixel_format=working_format(PIXEL_FORMAT),
        orientation=Orientation(),
        scaler=PictureScaler(),
    )
