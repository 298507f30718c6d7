"""Whether an H.264 stream holds B-pictures, read from its slice headers: they are stored after pictures shown later.

ITU-T H.264: 7.3.1 (NAL units), 7.3.3 (slice header), 9.1 (Exp-Golomb codes), Table 7-6 (slice types);
ISO/IEC 14496-15, 5.2.4.1.1 (lengths instead of start codes).
"""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.video.stream import VideoStream

from or_mv_anon.video.bits import Bits

_START = b"\0\0\1"
SLICES = (1, 2, 5)  # NAL unit types that begin with a slice header
_B_SLICES = (1, 6)
_HEADER = 16  # bytes that surely hold the first two numbers of a slice header


def length_bytes(extradata: bytes | None) -> int:
    """How many bytes give the length of a NAL unit; 0 where start codes separate them."""
    return (extradata[4] & 3) + 1 if extradata and len(extradata) > 4 and extradata[0] == 1 else 0


def shows_b_picture(data: bytes, lengths: int) -> bool:
    """Whether the first slice of the H.264 packet `data` is of a B-picture; `lengths` as `length_bytes` says."""
    return next(slice_types(data, lengths), -1) in _B_SLICES


def slice_types(data: bytes, lengths: int) -> Iterator[int]:
    """The type of every slice of an H.264 packet (Table 7-6)."""
    for start, _ in units(data, lengths):
        if data[start] & 0x1F in SLICES:
            bits = Bits(data[start + 1 : start + _HEADER])
            bits.exp_golomb()  # first_mb_in_slice
            yield bits.exp_golomb()


def units(data: bytes, lengths: int) -> Iterator[tuple[int, int]]:
    """Where each NAL unit of a packet begins, and where it ends."""
    if lengths:
        start = 0
        while start + lengths < len(data):
            stop = start + lengths + int.from_bytes(data[start : start + lengths], "big")
            yield start + lengths, stop
            start = stop
        return
    start = data.find(_START)
    while 0 <= start < len(data) - len(_START):
        following = data.find(_START, start + len(_START))
        yield start + len(_START), following if following > 0 else len(data)
        start = following


class BPictures:
    """Looks for B-pictures in an H.264 stream's packets until it has seen one; its headers need not tell."""

    def __init__(self, stream: VideoStream) -> None:
        self.seen = stream.codec_context.codec.canonical_name != "h264"
        self._lengths = length_bytes(stream.codec_context.extradata)

    def __call__(self, packet: av.Packet) -> None:
        self.seen = self.seen or shows_b_picture(bytes(packet), self._lengths)
