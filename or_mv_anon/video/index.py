"""What a video file holds, learned by reading its packets once without decoding them.

The timestamps found here are the plan that every later pass is held to: the output has exactly these.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.errors import UserError
from or_mv_anon.video.demux import (
    Packets,
    decoded_timestamps,
    first_frame,
    main_stream,
    open_video,
    read_packets,
)
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import depth_of

_FALLBACK_RATE = Fraction(25)
_INVISIBLE_FRAMES = {"vp8"}  # codecs whose packets may hold a frame that is never shown


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """Facts about the main video stream of a file. Width and height are those of the coded picture."""

    path: Path
    container: str  # FFmpeg's demuxer name, such as "mov,mp4,m4a,3gp,3g2,mj2"
    codec: str  # such as "h264"
    pix_fmt: str
    bit_depth: int
    width: int
    height: int
    rotation: int  # 0 | 90 | 180 | 270 degrees clockwise that turn the coded picture upright ...
    flip: bool  # ... after mirroring it left to right where True
    display_matrix: tuple[int, ...] | None  # the nine numbers as the file has them, None where it has none
    sample_aspect_ratio: Fraction | None
    average_rate: Fraction | None  # frames per second
    time_base: Fraction  # seconds per tick
    color_primaries: int  # FFmpeg's AVCOL_* numbers (ITU-T H.273), 2 where unspecified
    color_trc: int
    colorspace: int
    color_range: int  # 0 unspecified, 1 limited, 2 full
    audio: tuple[str, ...]  # codec names of the audio streams
    pts: NDArray[np.int64]  # (N,) strictly increasing ticks, in display order
    keyframes: NDArray[np.int64]  # ticks of the frames that decoding can start at, sorted
    seekable: bool  # False: timestamps were missing or repeated; read in one piece, frames numbered as decoded
    truncated: str | None  # one sentence where the file ends early or cannot be read to its end

    @property
    def orientation(self) -> Orientation:
        """How the coded picture becomes the upright one."""
        return Orientation(self.rotation, self.flip)

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels as displayed."""
        return self.orientation.upright_size(self.width, self.height)

    @property
    def n_frames(self) -> int:
        """Number of frames that the decoder will show."""
        return len(self.pts)

    @property
    def times(self) -> NDArray[np.float64]:
        """(N,) seconds on the stream's own clock."""
        return self.pts.astype(np.float64) * float(self.time_base)

    @property
    def frame_ticks(self) -> int:
        """Usual distance of two frames in ticks, at least 1."""
        if len(self.pts) > 1:
            return max(1, int(np.median(np.diff(self.pts))))
        return max(1, round(1 / ((self.average_rate or _FALLBACK_RATE) * self.time_base)))

    @property
    def start_time(self) -> float:
        """Seconds of the first frame."""
        return float(self.pts[0] * self.time_base)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return float((int(self.pts[-1]) - int(self.pts[0]) + self.frame_ticks) * self.time_base)

    @property
    def rate(self) -> Fraction:
        """Frames per second: the file's average, or what the timestamps say."""
        return self.average_rate or (1 / (self.frame_ticks * self.time_base)).limit_denominator(1001)

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` reads back."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        for name in ("sample_aspect_ratio", "average_rate", "time_base"):
            values[name] = None if values[name] is None else str(values[name])
        for name in ("pts", "keyframes"):
            values[name] = values[name].tolist()
        matrix = self.display_matrix
        return values | {
            "path": str(self.path),
            "audio": list(self.audio),
            "display_matrix": None if matrix is None else list(matrix),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> VideoIndex:
        """The index that `to_json` wrote."""
        values = dict(values)
        for name in ("sample_aspect_ratio", "average_rate", "time_base"):
            values[name] = None if values[name] is None else Fraction(values[name])
        for name in ("pts", "keyframes"):
            values[name] = np.array(values[name], np.int64)
        values["path"] = Path(values["path"])
        values["audio"] = tuple(values["audio"])
        values["display_matrix"] = None if values["display_matrix"] is None else tuple(values["display_matrix"])
        return cls(**values)


def index_video(path: str | os.PathLike[str], *, progress: Callable[[float], None] | None = None) -> VideoIndex:
    """Read the packets of `path` once.

    Args:
        path: a video file of any container and codec that FFmpeg reads.
        progress: called now and then with the share of the file read, 0 to 1.

    Raises:
        UserError: the file is missing, empty, unreadable, no video, or holds no frame that can be decoded.
    """
    path = Path(path)
    with open_video(path) as container:
        stream = main_stream(container, path)
        codec = stream.codec_context.codec.canonical_name
        facts: dict[str, Any] = {
            "container": container.format.name,
            "audio": tuple(s.codec_context.name if s.codec_context else "unknown" for s in container.streams.audio),
            "average_rate": stream.average_rate or stream.guessed_rate,
            "time_base": stream.time_base,
            "sample_aspect_ratio": stream.sample_aspect_ratio or None,
        }
        packets = read_packets(container, stream, progress=progress)
    if not packets.pts:
        why = f": {packets.error}" if packets.error else ""
        raise UserError(f"{path} holds no video frame{why}; it was probably cut off while it was being written.")
    frame = first_frame(path)
    pts, seekable = _timestamps(path, packets, codec=codec, rate=facts["average_rate"], time_base=facts["time_base"])
    matrix = _display_matrix(frame)
    orientation = Orientation.from_matrix(matrix) if matrix else Orientation()
    return VideoIndex(
        path=path,
        codec=codec,
        pix_fmt=frame.format.name,
        bit_depth=depth_of(frame.format.name),
        width=frame.width,
        height=frame.height,
        rotation=orientation.rotation,
        flip=orientation.flip,
        display_matrix=matrix,
        color_primaries=int(frame.color_primaries),
        color_trc=int(frame.color_trc),
        colorspace=int(frame.colorspace),
        color_range=int(frame.color_range),
        pts=pts,
        keyframes=np.unique(np.array(packets.keyframes, np.int64)) if seekable else pts[:1],
        seekable=seekable,
        truncated=packets.truncation,
        **facts,
    )


def _timestamps(
    path: Path, packets: Packets, *, codec: str, rate: Fraction | None, time_base: Fraction
) -> tuple[NDArray[np.int64], bool]:
    """Ticks of the frames that will be shown, and whether they identify frames."""
    if packets.reliable and codec not in _INVISIBLE_FRAMES:
        return np.sort(np.array(packets.pts, np.int64)), True
    shown = decoded_timestamps(path)
    if None in shown:
        ticks = 1 / ((rate or _FALLBACK_RATE) * time_base)
        return np.array([round(i * ticks) for i in range(len(shown))], np.int64), False
    pts = np.array(shown, np.int64)
    if (np.diff(pts) > 0).all():
        return pts, packets.reliable
    return _strictly_increasing(pts), False


def _strictly_increasing(pts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The nearest later ticks with no two alike: ``max over j <= i of (pts[j] + i - j)``."""
    steps = np.arange(len(pts))
    return np.maximum.accumulate(pts - steps) + steps


def _display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else tuple(np.frombuffer(data, np.int32).tolist())
