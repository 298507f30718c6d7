"""Writes one segment of a camera as a file of its own: whole and on disk, or not there at all."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import PictureType
from av.video.stream import VideoStream

from or_mv_anon.core.files import partial_path, publish, write_error
from or_mv_anon.video.encoding import Encoding, choose_encoder, encoder_options
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.pixels import Converter
from or_mv_anon.video.reorder import decoding_times

_BITEXACT = 0x400  # AVFMT_FLAG_BITEXACT: no version strings, no dates
_CLOCK_LIMIT = 1 << 31
_SLOWEST, _FASTEST = Fraction(1), Fraction(240)  # frames per second that all encoders take as their nominal rate

__all__ = ["Encoding", "SegmentWriter", "choose_encoder"]


class SegmentWriter:
    """Encodes frames into an mp4 of one closed run of groups of pictures, beginning with an IDR frame.

    The file appears at `path` when the context ends without an exception; until then it is ``<path>.partial``, and
    after an exception there is neither. Same frames and settings give the same bytes. A segment none of whose frames
    could be decoded is an empty file, which `join_segments` passes over.
    """

    def __init__(
        self, path: Path, index: VideoIndex, encoding: Encoding, *, crf: int, preset: str, shift: int = 0,
        threads: int = 1, keyframe_every: int | None = None,
    ) -> None:  # fmt: skip
        """See the class.

        Args:
            path: of the segment.
            index: the input.
            encoding: what comes out.
            crf: quality in x264's terms.
            preset: the encoder's.
            shift: ticks of the source's time base that are taken off every timestamp.
            threads: of the encoder.
            keyframe_every: frames from one keyframe to the next, at most; None leaves it to the encoder.
        """
        self.path = path
        self._partial = partial_path(path)
        self._index = index
        self._encoding = encoding
        self._options = encoder_options(
            encoding.encoder, crf=crf, preset=preset, threads=threads, mastering=index.mastering
        )
        self._shift = shift
        self._threads = threads
        self._keyframe_every = keyframe_every
        self._converter = Converter()
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._written = 0  # frames
        self._muxed = 0  # packets

    def __enter__(self) -> Self:
        try:
            self._container = open_output(self._partial, "mp4", self._index.time_base)
            self._stream = self._add_stream(self._container)
        except (FFmpegError, OSError) as error:
            self._abandon()
            raise write_error(self.path, error) from error
        return self

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        index, encoding = self._index, self._encoding
        os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 prints its settings on stderr otherwise
        stream = container.add_stream(
            encoding.encoder,
            rate=min(max(index.rate, _SLOWEST), _FASTEST),
            options=self._options,
            width=index.width,
            height=index.height,
            time_base=index.time_base,
        )
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.pix_fmt = encoding.pix_fmt
        context.thread_count = self._threads
        if self._keyframe_every is not None:
            context.gop_size = self._keyframe_every
        context.color_primaries = encoding.color_primaries
        context.color_trc = encoding.color_trc
        context.colorspace = encoding.colorspace
        context.color_range = encoding.color_range
        if encoding.fields:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        if index.sample_aspect_ratio:
            context.sample_aspect_ratio = index.sample_aspect_ratio
        return stream

    def write(self, frame: Frame) -> None:
        """Encode `frame` as its planes are now; its timestamp is kept but for the shift.

        Raises:
            UserError: the disk is full, or writing fails otherwise.
        """
        assert self._container is not None
        assert self._stream is not None
        native = frame.native
        if native.format.name != self._encoding.pix_fmt:
            native = self._converter.convert(
                native, name=self._encoding.pix_fmt, width=native.width, height=native.height
            )
        native.pts = frame.pts - self._shift
        native.time_base = self._index.time_base
        native.duration = self._ticks_until_next(frame.index)
        native.pict_type = PictureType.NONE  # the encoder decides, not the input
        try:
            packets = self._stream.encode(native)
            self._container.mux(packets)
            self._written += 1
            self._muxed += len(packets)
        except (FFmpegError, OSError) as error:
            raise write_error(self.path, error) from error

    def _flush(self) -> None:
        assert self._container is not None
        assert self._stream is not None
        packets = self._stream.encode(None)
        if self._muxed == 0:
            # x265 leaves decoding times unset in a segment shorter than its delay
            pts = np.array([packet.pts for packet in packets], np.int64)
            for packet, dts in zip(packets, decoding_times(pts), strict=True):
                packet.dts = int(dts)
        self._container.mux(packets)

    def _ticks_until_next(self, number: int) -> int:
        pts = self._index.pts
        return int(pts[number + 1] - pts[number]) if number + 1 < len(pts) else self._index.frame_ticks

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._abandon()
            return
        assert self._container is not None
        assert self._stream is not None
        try:
            if self._written:
                self._flush()
                self._container.close()
            else:
                self._partial.write_bytes(b"")
            publish(self._partial, self.path)
        except BaseException as failure:
            self._abandon()
            if isinstance(failure, FFmpegError | OSError):
                raise write_error(self.path, failure) from failure
            raise

    def _abandon(self) -> None:
        close_quietly(self._container)
        self._partial.unlink(missing_ok=True)


def open_output(
    path: Path, container_format: str, time_base: Fraction, *, audio_clocks: Sequence[int] = ()
) -> OutputContainer:
    """An output container without encoder strings or dates, whose clock shows all timestamps exactly.

    In mp4 and mov the start of a track is given in the movie's clock, so that one has to fit all tracks.
    """
    options = {}
    if container_format in ("mp4", "mov"):
        clock = time_base.denominator
        common = math.lcm(clock, *audio_clocks)
        movie_clock = common if common < _CLOCK_LIMIT else clock
        options = {"video_track_timescale": str(clock), "movie_timescale": str(movie_clock)}
    container = av.open(f"file:{path}", "w", format=container_format, container_options=options)
    container.flags |= _BITEXACT
    return container


def close_quietly(container: OutputContainer | None) -> None:
    """Close a container whose file is given up."""
    if container is not None:
        try:
            container.close()
        except (FFmpegError, OSError, ValueError):
            return
