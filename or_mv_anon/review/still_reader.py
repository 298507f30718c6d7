"""Single pictures of one camera's covered output, wherever they are asked for: one decoder, kept open, no file written.

Decoding begins at the keyframe before the frame, or where the decoder stands if that is nearer. Of H.264, pictures that
no other picture is made from are passed over on the way; what comes out is the same, bit for bit. Once the frame's
packet is in the decoder it is emptied, instead of having it wait for what may have to be shown before: nothing that is
stored behind the frame is needed for it. Whoever goes on to the next frame is read for without that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from or_mv_anon.review.covered_video import CoveredVideo, NotShownError, Picture
from or_mv_anon.video.demux import decode, main_stream, open_video, show_in_order
from or_mv_anon.video.frame import PictureScaler
from or_mv_anon.video.images import ImageFolderSource
from or_mv_anon.video.segments import Segment


class StillReader:
    """Reads one camera; for one thread at a time.

    Args:
        video: the covered output, opened.
        size: width and height of its pictures, upright.
    """

    def __init__(self, video: CoveredVideo, size: tuple[int, int]) -> None:
        self._video = video
        self._size = size
        self._container: InputContainer | None = None
        self._stream: VideoStream | None = None
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._next = -1  # the frame that the decoder shows next; -1 where that is not known
        self._target = 0
        self._last = -1  # the frame that was asked for before
        self._alone = True  # nobody is expected to ask for the next frame
        self._scaler = PictureScaler()

    def read(self, frame: int, wanted: Callable[[], bool] = lambda: True) -> Picture | None:
        """The upright BGR picture of a frame; None once `wanted` says that nobody waits for it any more.

        Raises:
            NotShownError: the output does not show this frame at its time.
        """
        if self._video.pts is None:
            return self._of_folder(frame)
        self._go_to(frame)
        video = self._video
        for shown in self._frames:
            if not wanted():
                self._next = -1
                return None
            if shown.pts is None or video.is_before(shown.pts, frame):
                continue
            if not video.is_at(shown.pts, frame):
                break
            self._next = -1 if self._alone else frame + 1
            width, height = video.orientation.coded_size(*self._size)
            return video.orientation.upright(self._scaler.bgr(shown, width=width, height=height))
        self._next = -1
        raise NotShownError(f"{video.camera.output.name} does not show frame {frame} at its time; run it again.")

    def close(self) -> None:
        """Let go of the file."""
        if self._container is not None:
            self._container.close()
        self._container, self._frames, self._next = None, iter(()), -1

    def _go_to(self, frame: int) -> None:
        """Have the decoder where `frame` is among what it shows next."""
        self._target, self._last, last = frame, frame, self._last
        key = self._video.key_before(frame)
        if self._container is not None and max(key, 0) <= self._next <= frame:
            return
        output = self._video.camera.output
        if self._container is None:
            self._container = open_video(output)
            self._stream = main_stream(self._container, output)
            show_in_order(self._stream, self._video.codec)
            self._stream.codec_context.thread_count = 1  # threads of FFmpeg's that log can block those of Python's
        assert self._video.pts is not None
        self._alone = frame != last + 1
        try:
            self._container.seek(int(self._video.pts[key]), stream=self._stream)
        except FFmpegError as error:
            raise NotShownError(f"{output.name} cannot be read at frame {key}.") from error
        assert self._stream is not None
        self._frames = decode(self._container, self._stream, self._packets())

    def _packets(self) -> Iterator[av.Packet]:
        """From where the file stands; the decoder is told which pictures it need not make."""
        assert self._container is not None
        assert self._stream is not None
        context: Any = self._stream.codec_context
        passes_over = self._video.codec == "h264"  # there, what nothing refers to is marked as such, bindingly
        for packet in self._container.demux(self._stream):
            if passes_over:
                early = packet.pts is not None and self._video.is_before(packet.pts, self._target)
                context.skip_frame = "NONREF" if early else "DEFAULT"
            yield packet
            if self._alone and packet.pts is not None and self._video.is_at(packet.pts, self._target):
                yield av.Packet()  # empty: the decoder holds nothing back
                return

    def _of_folder(self, frame: int) -> Picture:
        folder = self._video.camera.output
        for found in ImageFolderSource(folder, fps=Fraction(1)).frames(Segment(0, frame, frame + 1)):
            if found.index == frame:
                return np.asarray(found.bgr(*self._size))
        raise NotShownError(f"{folder.name} holds a picture that cannot be read.")
