"""Reads video files segment by segment: whatever the seek does, exactly the planned frames come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from or_mv_anon.core.records import BlockHashes
from or_mv_anon.video.damage.watch import Scrutiny, Watched, WatchedDecoder, watched_frames
from or_mv_anon.video.demux import demux, main_stream, open_video, show_in_order
from or_mv_anon.video.fitting import Fitter, Shape
from or_mv_anon.video.frame import Frame, PictureScaler
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.labels import labelled
from or_mv_anon.video.pixels import working_format
from or_mv_anon.video.segments import Segment


class IndexedSource:
    """What a `Source` says of itself by the index of its video."""

    index: VideoIndex

    @property
    def path(self) -> Path:
        """The video file, or the first of its parts."""
        return self.index.path

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.index.n_frames

    @property
    def pts(self) -> NDArray[np.int64]:
        """(N,) strictly increasing ticks, in display order."""
        return self.index.pts

    @property
    def keyframes(self) -> NDArray[np.int64]:
        """Ticks of the frames that decoding can start at, the first of every part included."""
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
        """(N,) seconds on the recording's own clock."""
        return self.index.times


class VideoSource(IndexedSource):
    """The main video stream of a file. One frame is in memory at a time, besides the decoder's own."""

    def __init__(
        self,
        index: VideoIndex,
        *,
        scrutiny: Scrutiny = "usual",
        hashes: Callable[[], BlockHashes] | None = None,
        shown: VideoIndex | None = None,
    ) -> None:
        """Read the file of an index.

        Args:
            index: of the file.
            scrutiny: how much is done to find damage, see `WatchedDecoder`.
            hashes: gives those of the file's blocks, which everything that is decoded must then agree with.
            shown: what the pictures are made alike in size, shape and format; None for `index` itself.
        """
        self.index = index
        self._hashes = hashes
        self.missing: list[int] = []
        self._scrutiny = scrutiny
        shown = shown or index
        self._upright_size = shown.upright_size
        self._format = working_format(shown.pix_fmt)
        self._shape = index.shape
        self._fitter = Fitter(shown.shape, self._format)
        self._by_label = np.argsort(index.carried, kind="stable")
        self._sorted_labels = index.carried[self._by_label]
        self._scaler = PictureScaler()

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels as displayed."""
        return self._upright_size

    def frames(self, segment: Segment, *, wanted: NDArray[np.bool_] | None = None) -> Iterator[Frame]:
        """The frames of `segment`, in display order.

        A frame that does not decode is left out and its ticks are added to `missing`. Damage makes corrupt whatever
        is decoded after it up to the next frame that depends on nothing before, even where reading began in between.

        Args:
            segment: which frames.
            wanted: mask ``(n_frames,)`` of the frames that are needed; the others are left out, and not even decoded
                where no other frame depends on them. None for all.
        """
        expected = segment.first
        lost = False
        for number, watched in self._numbered(segment, wanted):
            restarts = watched.picture.key_frame or int(self.index.pts[number]) in self.index.restart_pts
            gap = self._note_missing(expected, number, wanted) and number > self.index.decoding.leading
            lost = gap or (lost and not restarts)
            expected = number + 1
            if wanted is None or wanted[number]:
                yield self._frame(watched, number, corrupt=watched.damaged or lost)
        self._note_missing(expected, segment.stop, wanted)

    def _frame(self, watched: Watched, number: int, *, corrupt: bool) -> Frame:
        index, native = self.index, watched.picture
        shape = index.shape_of(number) if index.shapes else self._shape
        if (native.width, native.height) != (shape.width, shape.height):  # an unannounced change
            shape = Shape(native.width, native.height, shape.aspect)
        native = self._fitter.fit(native, shape)
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
            doubtful=watched.doubtful,
        )

    def _note_missing(self, first: int, stop: int, wanted: NDArray[np.bool_] | None) -> bool:
        """Note the wanted frames from `first` to before `stop`; whether there are any."""
        pts = self.index.pts[first:stop]
        if wanted is not None:
            pts = pts[wanted[first:stop]]
        self.missing.extend(p for p in pts.tolist() if p not in self.missing)
        return len(pts) > 0

    def _numbered(self, segment: Segment, wanted: NDArray[np.bool_] | None) -> Iterator[tuple[int, Watched]]:
        """(frame number, frame) of the segment's frames that decode, numbers strictly increasing."""
        number = segment.first - 1
        # The first frame tells whether the seek landed well, so it is decoded whether wanted or not.
        needed = None if wanted is None else np.union1d(np.flatnonzero(wanted), [segment.first, segment.stop - 1])
        for found, watched in self._from(segment.first, needed):
            if found >= segment.stop:
                return
            if found > number:
                number = found
                yield number, watched
                if number == segment.stop - 1:
                    return

    def _from(self, first: int, needed: NDArray[np.intp] | None) -> Iterator[tuple[int, Watched]]:
        """Frames from number `first` on; entry points move back until the decoder shows that very frame."""
        for entry in self._entries(first):
            decoded = self._known(self._decode(entry, needed))
            for number, watched in decoded:
                if number < first:
                    continue
                if number > first and entry is not None:
                    break  # the seek landed late, or the decoder needed frames from before the entry
                yield number, watched
                yield from decoded
                return

    def _known(self, frames: Iterator[Watched]) -> Iterator[tuple[int, Watched]]:
        """The planned ones of `frames` with their numbers."""
        for watched in frames:
            if (number := self._number_of(watched.picture.pts)) is not None:
                yield number, watched

    def _number_of(self, label: int | None) -> int | None:
        """The number of the frame that carries `label`; None where none is planned."""
        if label is None:
            return None
        place = int(np.searchsorted(self._sorted_labels, label))
        found = place < self.n_frames and self._sorted_labels[place] == label
        return int(self._by_label[place]) if found else None

    def _entries(self, first: int) -> Iterator[int | None]:
        """Labels of keyframes to start decoding at, ever farther back, then None for the beginning of the file."""
        if self.index.seekable:
            keyframes = np.searchsorted(self.index.pts, self.index.keyframes)
            position = int(np.searchsorted(keyframes, first, side="right")) - 1
            step = 1
            while position > 0 and (start := self.index.decoding.run_up(keyframes, position)) > 0:
                yield int(self.index.carried[keyframes[start]])
                position = start - step
                step *= 2
        yield None

    def _decode(self, entry: int | None, needed: NDArray[np.intp] | None) -> Iterator[Watched]:
        index = self.index
        with open_video(index.path, None if self._hashes is None else self._hashes(), span=index.span) as container:
            stream = main_stream(container, index.path)
            if index.reorders:
                show_in_order(stream, index.codec)
            if entry is not None and index.shapes:  # the header may tell the size of other pictures
                shape = index.shape_of(self._number_of(entry) or 0)
                stream.codec_context.width, stream.codec_context.height = shape.width, shape.height
            decoder = WatchedDecoder(stream, scrutiny=self._scrutiny, broken=index.broken, shown=self._number_of)
            if entry is not None:
                try:
                    container.seek(entry, stream=stream)
                except FFmpegError:
                    return
            packets: Iterator[av.Packet] = demux(container, stream)
            if entry is not None:
                packets = _from_keyframe(packets)
            packets = labelled(packets, index.label)
            if needed is not None and index.whole:
                packets = _skipping(packets, decoder, set(index.carried[needed].tolist()))
            yield from watched_frames(decoder, packets)


def _skipping(packets: Iterator[av.Packet], decoder: WatchedDecoder, needed: set[int]) -> Iterator[av.Packet]:
    """`packets`; before each the decoder is told whether it may skip it when no other frame refers to it."""
    for packet in packets:
        decoder.context.skip_frame = "DEFAULT" if packet.pts is None or packet.pts in needed else "NONREF"
        yield packet


def _from_keyframe(packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
    """`packets` without those before the first keyframe, which would decode to garbage."""
    started = False
    for packet in packets:
        started = started or packet.is_keyframe
        if started:
            yield packet
