"""Packets that were lost on the way, told by the numbers that the pictures around them carry.

A decoder that is not told of a lost packet goes on from older pictures. HEVC's says that it misses them; those of H.264
and AV1 do not always.
"""

from __future__ import annotations

from collections.abc import Callable

import av
from av.video.stream import VideoStream

from or_mv_anon.video.damage.av1_numbers import Av1Numbers
from or_mv_anon.video.damage.h264_numbers import H264Numbers

_NUMBERS: dict[str, Callable[[bytes | None], Callable[[bytes], bool]]] = {"h264": H264Numbers, "av1": Av1Numbers}


class LossWatcher:
    """Looks at the packets of one stream in their order, from the first one on."""

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        made = _NUMBERS.get(context.codec.canonical_name)
        self._numbers = None if made is None else made(context.extradata)

    def __call__(self, packet: av.Packet) -> bool:
        """Whether a packet before `packet` is missing that it, or what is stored after it, may need."""
        return self._numbers is not None and packet.size > 0 and self._numbers(bytes(packet))
