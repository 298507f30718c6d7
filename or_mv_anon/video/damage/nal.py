"""What NAL units of H.264 and HEVC tell about dependence and damage; see `video/slices.py` for their headers."""

from __future__ import annotations

import av
from av.video.stream import VideoStream

from or_mv_anon.video.slices import length_bytes, slice_types, units

_INTRA_SLICES = (2, 4, 7, 9)  # I and SI, ITU-T H.264 table 7-6
_IDR = 5  # NAL unit type, Table 7-1
_HEVC_SLICES = 32  # NAL unit types below it hold slices, ITU-T H.265 table 7-1
_HVCC_LENGTH = 21  # byte of an hvcC box that says how long lengths are, ISO/IEC 14496-15


class Restarts:
    """Tells the keyframes that nothing before them is needed for.

    FFmpeg also calls recovery points of H.264 keyframes, which may spread the refresh over many frames.
    """

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        self._lengths = length_bytes(context.extradata) if context.codec.canonical_name == "h264" else None

    def __call__(self, packet: av.Packet) -> bool:
        """Whether nothing behind `packet` depends on what comes before, but for what is shown before it."""
        if not packet.is_keyframe or self._lengths is None:
            return bool(packet.is_keyframe)
        kinds = list(slice_types(bytes(packet), self._lengths))
        return bool(kinds) and all(kind in _INTRA_SLICES for kind in kinds)

    def is_reset(self, packet: av.Packet) -> bool:
        """Whether the decoder forgets all that came before, so that nothing behind can even mention it."""
        if not packet.is_keyframe or self._lengths is None:
            return bool(packet.is_keyframe)
        data = bytes(packet)
        return any(data[start] & 0x1F == _IDR for start, _ in units(data, self._lengths) if start < len(data))


def hevc_lengths(extradata: bytes | None) -> int:
    """How many bytes give the length of a NAL unit; 0 where start codes separate them."""
    given = extradata is not None and len(extradata) > _HVCC_LENGTH and extradata[0] == 1
    return (extradata[_HVCC_LENGTH] & 3) + 1 if given and extradata else 0


def lengthen_hevc(packet: bytes, *, tail: bytes, lengths: int) -> bytes:
    """An HEVC packet with `tail` behind every slice, where a decoder that is in step with the data never looks."""
    parts, done = [], 0
    for start, stop in units(packet, lengths):
        is_slice = start < len(packet) and (packet[start] >> 1) & 63 < _HEVC_SLICES
        body = packet[start:stop] + (tail if is_slice else b"")
        parts += [len(body).to_bytes(lengths, "big") if lengths else packet[done:start], body]
        done = stop
    return b"".join(parts)
