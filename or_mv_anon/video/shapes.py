"""Which sizes and shapes the pictures of a stream have: some change while the recording runs.

Only headers are compared, of every frame that decoding can start at; where one is new, that frame is decoded.
"""

from __future__ import annotations

import re
from fractions import Fraction

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from or_mv_anon.video.demux import MOST_PIXELS
from or_mv_anon.video.fitting import Shape
from or_mv_anon.video.slices import length_bytes, units

_MOST = 64  # different headers that are looked at
_PARAMETER_SETS = {"h264": (0x1F, 0, (7,)), "hevc": (0x3F, 1, (33,))}  # mask, shift and types of NAL units
_HEAD = 10  # bytes in which VP8, VP9 and MPEG-4 keyframes give their size
_MARKERS = {
    "mjpeg": re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb].{7}", re.DOTALL),  # start of frame
    "mpeg2video": re.compile(rb"\x00\x00\x01\xb3.{4}", re.DOTALL),  # sequence header
    "mpeg1video": re.compile(rb"\x00\x00\x01\xb3.{4}", re.DOTALL),
    "mpeg4": re.compile(rb"\x00\x00\x01[\x20-\x2f].{12}", re.DOTALL),  # video object layer
}


class ShapeWatcher:
    """Notes where the shape changes among the packets that it is shown, and a frame of every shape.

    Attributes:
        changes: (number of a packet, shape from there on); the first packet that can be decoded comes first.
        frames: a frame of each shape.
    """

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        self.changes: list[tuple[int, Shape]] = []
        self.frames: dict[Shape, av.VideoFrame] = {}
        self._codec = context.codec.canonical_name
        self._decoder = context.codec.name
        self._extradata = context.extradata
        self._lengths = length_bytes(context.extradata)
        self._shapes: dict[bytes, Shape] = {}  # by header
        self._tried: set[bytes] = set()
        self._number = -1

    def __call__(self, packet: av.Packet) -> None:
        self._number += 1
        if not packet.is_keyframe:
            return
        data = bytes(packet)
        header = self._header(data)
        if not header and self._tried:
            return
        if header not in self._tried and len(self._tried) < _MOST:
            self._tried.add(header)
            self._look(packet, header, data)
        shape = self._shapes.get(header)
        if shape is not None and (not self.changes or self.changes[-1][1] != shape):
            self.changes.append((self._number, shape))

    def _header(self, data: bytes) -> bytes:
        if self._codec in _PARAMETER_SETS:
            mask, shift, kinds = _PARAMETER_SETS[self._codec]
            found = [unit for unit in units(data, self._lengths) if (data[unit[0]] >> shift) & mask in kinds]
            return b"".join(data[start:stop] for start, stop in found)
        if self._codec in _MARKERS:
            marker = _MARKERS[self._codec].search(data)
            return marker[0] if marker else b""
        return data[:_HEAD] if self._codec in ("vp8", "vp9") else b""

    def _look(self, packet: av.Packet, header: bytes, data: bytes) -> None:
        decoder = av.CodecContext.create(self._decoder, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_count = 1
        decoder.options = {"max_pixels": str(MOST_PIXELS)}
        if packet.has_sidedata("new_extradata"):
            decoder.extradata = bytes(packet.get_sidedata("new_extradata"))
        elif self._extradata:
            decoder.extradata = self._extradata
        try:
            frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
        except FFmpegError:
            return
        if frames:
            shape = Shape(frames[0].width, frames[0].height, decoder.sample_aspect_ratio or Fraction(1))
            self._shapes[header] = shape
            self.frames.setdefault(shape, frames[0])
