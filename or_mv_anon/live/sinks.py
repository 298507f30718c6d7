"""Where covered pictures go: a file that plays even when the tool is killed, or a network stream."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import PictureType
from av.video.stream import VideoStream

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_error
from or_mv_anon.live.pictures import FORMAT
from or_mv_anon.video.encoding import encoder_options
from or_mv_anon.video.live.places import Place
from or_mv_anon.video.pixels import LIMITED_RANGE

KEYFRAME_S = 1.0  # seconds between pictures that a viewer can begin with, and the most that a killed file loses
RETRY_S = 2.0  # seconds between attempts to reach an output again
TIME_BASE = Fraction(1, 90_000)  # seconds; what MPEG-TS and RTP count in
_MUXING = {
    "mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"},
    "matroska": {"cluster_time_limit": "1000", "flush_packets": "1"},
    "rtsp": {"rtsp_transport": "tcp"},
    "mpegts": {"flush_packets": "1"},
}


class Sink(Protocol):
    """An output."""

    reconnects: int

    def write(self, picture: av.VideoFrame, time: float) -> bool:
        """Send one picture, shown at `time` seconds from the beginning; False if the output did not take it."""

    def close(self) -> None:
        """End the output so that it is whole."""


class EncodedSink:
    """H.264 for a file or a stream. A stream that breaks off is opened again; meanwhile its pictures are lost."""

    def __init__(
        self, place: Place, *, size: tuple[int, int], rate: float, crf: int, preset: str, threads: int
    ) -> None:
        """`size` is (width, height), both even.

        Raises:
            UserError: the output cannot be opened.
        """
        self.reconnects = 0
        self._place, self._size = place, size
        self._rate = Fraction(rate).limit_denominator(1001)
        options = encoder_options("libx264", crf=crf, preset=preset, threads=threads)
        self._options = {**options, "tune": "zerolatency"}
        self._threads = threads
        self._retry_at = 0.0
        self._container: OutputContainer | None = None
        try:
            self._open()
        except (FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def write(self, picture: av.VideoFrame, time: float) -> bool:
        """See `Sink`.

        Raises:
            UserError: a file cannot be written any further.
        """
        try:
            if self._container is None and not self._reopened():
                return False
            self._encode(picture, time)
        except (FFmpegError, OSError) as error:
            if self._place.kind == "file":
                raise self._failure(error) from error
            self.abandon()
            return False
        return True

    def close(self) -> None:
        """See `Sink`."""
        if self._container is None:
            return
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        except (FFmpegError, OSError) as error:
            if self._place.kind == "file":
                raise self._failure(error) from error
        finally:
            self._container = None

    def _open(self) -> None:
        address = self._place.address if self._place.kind == "stream" else f"file:{self._place.address}"
        muxing = _MUXING[self._place.format or ""]
        container = av.open(address, "w", format=self._place.format, options=muxing)
        stream = container.add_stream("libx264", rate=self._rate, options=self._options)
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height = self._size
        context.pix_fmt = FORMAT
        context.color_range = LIMITED_RANGE
        context.time_base = TIME_BASE
        context.thread_count = self._threads
        context.gop_size = max(1, round(KEYFRAME_S * self._rate))
        self._container, self._stream = container, stream
        container.start_encoding()

    def _encode(self, picture: av.VideoFrame, time: float) -> None:
        assert self._container is not None
        picture.pict_type = PictureType.NONE  # the encoder chooses, not the input
        picture.pts, picture.time_base = round(time / TIME_BASE), TIME_BASE
        self._container.mux(self._stream.encode(picture))

    def _reopened(self) -> bool:
        if time.monotonic() < self._retry_at:
            return False
        try:
            self._open()
        finally:
            self._retry_at = time.monotonic() + RETRY_S
        self.reconnects += 1
        return True

    def abandon(self) -> None:
        """Give the output up as it is: what was written stays."""
        self._retry_at = time.monotonic() + RETRY_S
        container, self._container = self._container, None
        if container is not None:
            try:
                container.close()
            except (FFmpegError, OSError):
                return  # it is broken anyway

    def _failure(self, error: Exception) -> UserError:
        if self._place.kind == "file":
            return write_error(Path(self._place.address), error)
        why = getattr(error, "strerror", None) or error
        return UserError(f"Cannot send to {self._place.shown} ({why}); does a server listen there?")
