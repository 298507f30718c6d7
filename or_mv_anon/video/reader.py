"""Reads video files segment by segment: whatever the seek does, exactly the planned frames come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from or_mv_anon.video.bound_file import BlockHashes
from or_mv_anon.video.demux import decode, main_stream, open_video
from or_mv_anon.video.frame import Frame, PictureScaler
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.pixels import Converter, working_format
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source, open_source

__all__ = ["Source", "VideoSource", "open_source"]


class VideoSource:
    """The main video stream of a file. One frame is in memory at a time, besides the decoder's own."""

    def __init__(self, index: VideoIndex, *, threads: int = 1, hashes: Callable[[], BlockHashes] | None = None) -> None:
        """`threads` is the decoder's; callers that run one process per core leave it at 1.

        `hashes` gives those of the file's blocks, which everything that is decoded must then agree with.
        """
        self.index = index
        self._hashes = hashes
        self.missing: list[int] = []
        self._threads = threads
        self._format = working_format(index.pix_fmt)
        self._converter = Converter()
        self._scaler = PictureScaler()

    @property
    def path(self) -> Path:
        """The video file."""
        return self.index.path

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.index.n_frames

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels as displayed."""
        return self.index.upright_size

    @property
    def pts(self) -> NDArray[np.int64]:
        """(N,) strictly increasing ticks, in display order."""
        return self.index.pts

    @property
    def keyframes(self) -> NDArray[np.int64]:
        """Ticks of the frames that decoding can start at."""
        return self.index.keyframes

    @property
    def seekable(self) -> bool:
        """Whether segments can be read on their own."""
        return self.index.seekable

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick."""
        return self.index.time_base

    @property
    def times(self) -> NDArray[np.float64]:
        """(N,) seconds on the stream's own clock."""
        return self.index.times

    def frames(self, segment: Segment, *, wanted: NDArray[np.bool_] | None = None) -> Iterator[Frame]:
        """The frames of `segment`, in display order.

        A frame that does not decode is left out and its ticks are added to `missing`. After damage, all frames up to
        the next keyframe count as corrupt.

        Args:
            segment: which frames.
            wanted: mask ``(n_frames,)`` of the frames that are needed; the others are left out, and not even decoded
                where no other frame depends on them. None for all.
        """
        expected = segment.first
        damaged = False
        for number, native in self._numbered(segment, wanted):
            damaged |= self._note_missing(expected, number, wanted)
            expected = number + 1
            damaged = native.is_corrupt or (damaged and not native.key_frame)
            if wanted is None or wanted[number]:
                yield self._frame(native, number, corrupt=damaged)
        self._note_missing(expected, segment.stop, wanted)

    def _frame(self, native: av.VideoFrame, number: int, *, corrupt: bool) -> Frame:
        index = self.index
        wanted = (self._format.name, index.width, index.height)
        if (native.format.name, native.width, native.height) != wanted:
            native = self._converter.convert(native, name=wanted[0], width=index.width, height=index.height)
        pts = int(index.pts[number])
        return Frame(
            index=number,
            pts=pts,
            time=float(pts * index.time_base),
            corrupt=corrupt,
            native=native,
            pixel_format=self._format,
            orientation=index.orientation,
            scaler=self._scaler,
        )

    def _note_missing(self, first: int, stop: int, wanted: NDArray[np.bool_] | None) -> bool:
        """Note the wanted frames from `first` to before `stop`; whether there are any."""
        pts = self.index.pts[first:stop]
        if wanted is not None:
            pts = pts[wanted[first:stop]]
        self.missing.extend(p for p in pts.tolist() if p not in self.missing)
        return len(pts) > 0

    def _numbered(self, segment: Segment, wanted: NDArray[np.bool_] | None) -> Iterator[tuple[int, av.VideoFrame]]:
        """(frame number, frame) of the segment's frames that decode, numbers strictly increasing."""
        if not self.index.seekable:
            for number, native in enumerate(self._decode(None, None)):
                if number >= segment.stop:
                    return
                if number >= segment.first:
                    yield number, native
            return
        number = segment.first - 1
        # The first frame tells whether the seek landed well, so it is decoded whether wanted or not.
        needed = None if wanted is None else np.union1d(np.flatnonzero(wanted), [segment.first, segment.stop - 1])
        for native in self._from(int(self.index.pts[segment.first]), needed):
            if native.pts is None:
                continue
            found = int(np.searchsorted(self.index.pts, native.pts))
            if found >= segment.stop:
                return
            if found > number and self.index.pts[found] == native.pts:
                number = found
                yield number, native
                if number == segment.stop - 1:
                    return

    def _from(self, first: int, needed: NDArray[np.intp] | None) -> Iterator[av.VideoFrame]:
        """Frames from tick `first` on; entry points move back until the decoder shows that very frame."""
        for entry in self._entries(first):
            decoded = self._decode(entry, needed)
            for native in decoded:
                if native.pts is None or native.pts < first:
                    continue
                if native.pts > first and entry is not None:
                    break  # the seek landed late, or the decoder needed frames from before the entry
                yield native
                yield from decoded
                return

    def _entries(self, first: int) -> Iterator[int | None]:
        """Keyframes to start decoding at, ever farther back, then None for the beginning of the file."""
        position = int(np.searchsorted(self.index.keyframes, first, side="right")) - 1
        step = 1
        while position > 0:
            yield int(self.index.keyframes[position])
            position -= step
            step *= 2
        yield None

    def _decode(self, entry: int | None, needed: NDArray[np.intp] | None) -> Iterator[av.VideoFrame]:
        with open_video(self.index.path, None if self._hashes is None else self._hashes()) as container:
            stream = main_stream(container, self.index.path)
            stream.codec_context.thread_count = self._threads
            if self._threads > 1:
                stream.thread_type = "AUTO"
            if entry is not None:
                try:
                    container.seek(entry, stream=stream)
                except FFmpegError:
                    return
            packets: Iterator[av.Packet] = container.demux(stream)
            if entry is not None:
                packets = _from_keyframe(packets)
            if needed is not None and self._threads == 1:  # several threads would skip other packets than meant
                packets = _skipping(packets, stream, set(self.index.pts[needed].tolist()))
            yield from decode(container, stream, packets)


def _skipping(packets: Iterator[av.Packet], stream: VideoStream, needed: set[int]) -> Iterator[av.Packet]:
    """`packets`; before each the decoder is told whether it may skip it when no other frame refers to it."""
    for packet in packets:
        stream.codec_context.skip_frame = "DEFAULT" if packet.pts is None or packet.pts in needed else "NONREF"
        yield packet


def _from_keyframe(packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
    """`packets` without those before the first keyframe, which would decode to garbage."""
    started = False
    for packet in packets:
        started = started or packet.is_keyframe
        if started:
            yield packet
