"""One decoded frame: small upright pictures for the models, writable planes for the operators."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import UNSPECIFIED_SPACE, PixelFormat, Plane, plane_rows, planes_of

_HD_HEIGHT = 720  # from this height on, pictures without a colour matrix are taken for BT.709, as players do


class PictureScaler:
    """Scales frames to small BGR pictures; kept per source, since setting a scaler up costs more than using it.

    Several threads may ask at once: each has what FFmpeg's scaler keeps from one picture to the next for itself.
    """

    def __init__(self) -> None:
        self._own = threading.local()

    def bgr(self, frame: av.VideoFrame, *, width: int, height: int) -> NDArray[np.uint8]:
        """The coded `frame` as BGR (height, width, 3), its colour matrix and range honoured."""
        space = None
        if int(frame.colorspace) == UNSPECIFIED_SPACE:
            space = _assumed_space(frame)
        small = self._reformatter().reformat(
            frame, width, height, "bgr24", src_colorspace=space, interpolation=Interpolation.AREA, threads=1
        )
        return plane_rows(small.planes[0], np.uint8)[:, : 3 * width].reshape(height, width, 3)

    def _reformatter(self) -> VideoReformatter:
        """This thread's."""
        if not hasattr(self._own, "reformatter"):
            self._own.reformatter = VideoReformatter()
        reformatter: VideoReformatter = self._own.reformatter
        return reformatter


def _assumed_space(frame: av.VideoFrame) -> Colorspace:
    return Colorspace.ITU709 if min(frame.width, frame.height) >= _HD_HEIGHT else Colorspace.ITU601


def colour_matrix_of(frame: av.VideoFrame) -> int:
    """The matrix coefficients' number in ITU-T H.273; where the frame is silent, what players assume."""
    stated = int(frame.colorspace)
    return int(_assumed_space(frame)) if stated == UNSPECIFIED_SPACE else stated


@dataclass
class Frame:
    """A decoded frame of a source.

    `bgr` shows what the planes hold at the time of the call: after an operator wrote into them, the anonymized picture.
    """

    index: int  # number in display order, from 0
    pts: int  # ticks of the source's time base
    time: float  # seconds: pts × time base
    corrupt: bool  # damage reaches it, as far as was known when it was decoded
    native: av.VideoFrame  # in the working format
    pixel_format: PixelFormat
    orientation: Orientation
    scaler: PictureScaler
    doubtful: bool = False  # looks damaged if damage is known to be near
    _planes: list[Plane] | None = field(default=None, init=False, repr=False)

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels as displayed."""
        return self.orientation.upright_size(self.native.width, self.native.height)

    @property
    def colour_matrix(self) -> int:
        """The matrix coefficients' number in ITU-T H.273; where the file is silent, what players assume."""
        return colour_matrix_of(self.native)

    def bgr(self, width: int | None = None, height: int | None = None) -> NDArray[np.uint8]:
        """The upright picture as (height, width, 3) uint8 BGR, scaled by area averaging to the asked size."""
        full_width, full_height = self.upright_size
        coded_width, coded_height = self.orientation.coded_size(width or full_width, height or full_height)
        picture = self.scaler.bgr(self.native, width=coded_width, height=coded_height)
        return self.orientation.upright(picture) if self.orientation != Orientation() else picture

    def planes(self) -> list[Plane]:
        """Writable views of the planes, in coded orientation; what is written there is what gets encoded."""
        if self._planes is None:
            self.native.make_writable()  # decoded frames are the decoder's own reference pictures
            self._planes = planes_of(self.native, self.pixel_format)
        return self._planes

    def luma(self) -> Plane:
        """A view of the first plane that must not be written to: reading it costs no copy of the picture."""
        return planes_of(self.native, self.pixel_format)[0]

    def to_coded(self, boxes: Boxes) -> Boxes:
        """Boxes (N, 4) float32 in upright pixels as boxes in coded pixels, the planes' frame."""
        return self.orientation.to_coded(boxes, width=self.native.width, height=self.native.height)


def from_picture(picture: NDArray[np.uint8], number: int) -> Frame:
    """An upright BGR picture ``(h, w, 3)`` that comes from no file, for those who only look at it."""
    native = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
    return Frame(
        index=number,
        pts=number,
        time=float(number),
        corrupt=False,
        native=native,
        pixel_format=PixelFormat("bgr24", 8, None),
        orientation=Orientation(),
        scaler=PictureScaler(),
    )
