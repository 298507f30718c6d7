"""A second decoder that is given the same packets slightly changed, where the change tells sound data from damaged.

HEVC, VP8: entropy-coded data say themselves where they end. A decoder that is in step with them never looks behind; one
that lost step because of a flipped bit runs past the end, or stops early and leaves what its memory held. So bytes put
behind every slice, and other memory, change nothing in a sound picture.

MJPEG: told that the picture is one row of blocks higher, a decoder that is in step with the data finds them exhausted
at that row's first block. One that found more or fewer blocks than were written stumbles somewhere else. What restart
markers divide is looked at part by part.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from or_mv_anon.video.damage.complaints import complaints
from or_mv_anon.video.damage.jpeg import Longer, one_row_more
from or_mv_anon.video.damage.nal import hevc_lengths, lengthen_hevc
from or_mv_anon.video.pixels import depth_of, plane_rows

_TAIL = bytes(np.random.default_rng(5).integers(1, 255, 512, dtype=np.uint8))  # no zeros: no start codes
_STUMBLES = re.compile(r"error y=(\d+) x=(\d+)")
_HELD = 3  # pictures kept from being used again, so that the two decoders' memories differ
_HABIT_AFTER, _HABIT_SHARE = 25, 0.5  # packets looked at before a camera that pads its pictures is recognized


class Twin(Protocol):
    """Looks at packets beside the decoder whose pictures are used."""

    def contradicts(self, packet: av.Packet | None, shown: list[av.VideoFrame]) -> bool:
        """Whether `packet`, of which `shown` were just decoded, is damaged; None at the end of the stream."""


def twin_of(context: VideoCodecContext, codec: str) -> Twin | None:
    """The twin for a stream of `codec`; None where the decoder's own word is enough, or nothing else is known."""
    if codec == "hevc":
        return TailTwin(context, partial(lengthen_hevc, tail=_TAIL, lengths=hevc_lengths(context.extradata)))
    if codec == "vp8":
        return TailTwin(context, lambda packet: packet + _TAIL)
    return MjpegTwin() if codec == "mjpeg" else None


class TailTwin:
    """Decodes with bytes behind the data, and compares the pictures."""

    def __init__(self, original: VideoCodecContext, lengthen: Callable[[bytes], bytes]) -> None:
        """`original` is the decoder whose pictures are used, `lengthen` puts the bytes into a packet."""
        self._original, self._lengthen = original, lengthen
        self._context = _decoder(original.codec.name)
        # Where rows are stored as parts of their own (wavefronts), two threads go by the stored lengths of these parts,
        # and one by where the row before it was found to end.
        self._context.thread_count, self._context.thread_type = 2, "SLICE"
        self._context.extradata = original.extradata
        self._context.options = dict(original.options)
        self._held: deque[list[av.VideoFrame]] = deque(maxlen=_HELD)
        self._hidden: set[int | None] = set()  # timestamps of pictures that are decoded and not to be shown

    def contradicts(self, packet: av.Packet | None, shown: list[av.VideoFrame]) -> bool:
        """See `Twin`."""
        if self._context.skip_frame != self._original.skip_frame:
            self._context.skip_frame = self._original.skip_frame
        changed = None
        if packet is not None:
            changed = av.Packet(self._lengthen(bytes(packet)))
            changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            if packet.has_sidedata("new_extradata"):
                changed.set_sidedata(packet.get_sidedata("new_extradata"))
        with complaints() as heard:
            try:
                frames = self._context.decode(changed)
            except FFmpegError:
                return True
        if packet is not None and packet.is_discard:  # PyAV cannot mark the changed packet so
            self._hidden.add(packet.pts)
        frames = [frame for frame in frames if frame.pts not in self._hidden]
        self._held.append(frames)
        if heard or len(frames) != len(shown):
            return True
        return not all(_same(one, other) for one, other in zip(shown, frames, strict=True))


class MjpegTwin:
    """Decodes at an eighth of the size with a row too many, and expects to hear where the data end."""

    def __init__(self) -> None:
        self._context = _decoder("mjpeg", lowres="3")
        self._looked = self._elsewhere = 0

    def contradicts(self, packet: av.Packet | None, shown: list[av.VideoFrame]) -> bool:
        """See `Twin`."""
        return packet is not None and bool(shown) and self.misread(bytes(packet))

    def misread(self, picture: bytes) -> bool:
        """Whether the data of a JPEG picture end elsewhere than they were written to; False where that is not known.

        Cameras that put something behind the data are recognized after a while, and then left alone.
        """
        longer = one_row_more(picture)
        if longer is None or (self._looked >= _HABIT_AFTER and self._elsewhere > _HABIT_SHARE * self._looked):
            return False
        elsewhere = not longer or not all(self._ends_there(part) for part in longer)
        self._looked += 1
        self._elsewhere += elsewhere
        return elsewhere

    def _ends_there(self, longer: Longer) -> bool:
        with complaints() as heard, suppress(FFmpegError):
            self._context.decode(av.Packet(longer.data))
        places = [found.groups() for found in map(_STUMBLES.search, heard) if found]
        return places == [(str(longer.row), "0")]


def _decoder(name: str, **options: str) -> VideoCodecContext:
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.options = options
    return context


def _same(one: av.VideoFrame, other: av.VideoFrame) -> bool:
    if (one.pts, one.format.name, one.width, one.height) != (other.pts, other.format.name, other.width, other.height):
        return False
    dtype = np.uint8 if depth_of(one.format.name) == 8 else np.uint16
    return all(
        np.array_equal(plane_rows(first, dtype)[:, : first.width], plane_rows(second, dtype)[:, : second.width])
        for first, second in zip(one.planes, other.planes, strict=True)
    )
