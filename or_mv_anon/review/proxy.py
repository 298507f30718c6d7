"""A small copy of a stretch of covered video in which every frame is near a keyframe, so that any can be shown at once.

Frames are H.264 packets one after another, a keyframe every `GROUP` frames and none shown out of order: packet k is
frame k, by construction. They lie in a file of the review's private folder; where each begins is kept in memory.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

GROUP = 10  # frames from one keyframe to the next
SHORT_SIDE = 360  # px
CRF = 21  # what is looked at small must still show a face's edge
Picture = NDArray[np.uint8]


def proxy_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the copy of a picture of `size`: even, never larger, the shorter side about `SHORT_SIDE`."""
    scale = min(1.0, SHORT_SIDE / min(size))
    width, height = (max(2, round(side * scale / 2) * 2) for side in size)
    return width, height


class ProxyWriter:
    """Encodes pictures into a proxy.

    Args:
        path: of its file.
        size: width and height of the pictures.
    """

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.path = path
        self.ends: list[int] = []  # byte behind each frame's packet
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        context: Any = av.CodecContext.create("libx264", "w")
        context.width, context.height = size
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, 25)
        context.thread_count = 1
        context.gop_size = GROUP
        context.max_b_frames = 0
        context.options = {
            "preset": "superfast",
            "tune": "zerolatency",  # a packet for every picture, at once
            "crf": str(CRF),
            "x264-params": f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0",
        }
        self._context = context

    def write(self, picture: Picture) -> None:
        """Add an upright BGR picture (height, width, 3) uint8."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24").reformat(format="yuv420p")
        frame.pts = len(self.ends)
        frame.time_base = Fraction(1, 25)
        data = b"".join(bytes(packet) for packet in self._context.encode(frame))
        if not data:
            raise RuntimeError("the encoder held a picture back")
        os.write(self._file, data)
        self.ends.append((self.ends[-1] if self.ends else 0) + len(data))

    def close(self) -> None:
        """Nothing more comes."""
        os.close(self._file)


def read_group(path: Path, ends: list[int], frame: int) -> tuple[int, list[Picture]]:
    """The pictures of the group that holds `frame`, as far as they are written, and the number of the first of them.

    Raises:
        OSError: the file is gone.
        RuntimeError: it does not decode to one picture for each packet.
    """
    first = frame // GROUP * GROUP
    stops = ends[first : first + GROUP]
    start = ends[first - 1] if first else 0
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(stops[-1] - start)
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = []
    for begin, end in zip([start, *stops[:-1]], stops, strict=True):
        frames += decoder.decode(av.Packet(data[begin - start : end - start]))
    frames += decoder.decode(None)
    if len(frames) != len(stops):
        raise RuntimeError(f"{len(stops)} packets gave {len(frames)} pictures")
    return first, [each.to_ndarray(format="bgr24") for each in frames]
