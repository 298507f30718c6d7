"""The facts about a video that every later pass goes by, and how they are stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.video.clock import Splice
from or_mv_anon.video.damage.chains import DecodingOrder
from or_mv_anon.video.damage.watch import DAMAGE_IS_TOLD
from or_mv_anon.video.demux import Span
from or_mv_anon.video.fitting import Shape
from or_mv_anon.video.labels import Label
from or_mv_anon.video.mastering import Mastering
from or_mv_anon.video.orientation import Orientation

FALLBACK_RATE = Fraction(25)  # frames per second, where nothing tells


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
    seekable: bool  # False: timestamps were missing, repeated or jump; read in one piece, from the beginning
    truncated: str | None  # one sentence where the file ends early or cannot be read to its end
    label: Label = "pts"  # what a decoded frame is recognized by ...
    labels: NDArray[np.int64] | None = None  # ... (N,) in display order; None where that is `pts`
    whole: bool = True  # every packet holds one frame, neither a field nor a frame that is never shown
    reorders: bool = False  # pictures are stored in another order than shown
    splices: tuple[Splice, ...] = ()  # where the file's clock jumps
    shapes: tuple[tuple[int, Shape], ...] = ()  # (frame from which on, shape) where they differ; else empty
    notes: tuple[str, ...] = ()  # sentences about what is unusual and was dealt with
    interlaced: bool = False  # frames hold two fields taken one after the other
    mastering: Mastering | None = None  # of an HDR picture
    span: Span | None = None  # bytes of the file that are read; None for all
    parts: tuple[VideoIndex, ...] = ()  # that follow one another, if this is a recording in parts; else empty
    decoding: DecodingOrder = field(default_factory=DecodingOrder.unknown)  # and what the packets say of damage
    left_out: tuple[str, ...] = ()  # sentences about material that is not part of the picture that is read

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
        return max(1, round(1 / ((self.average_rate or FALLBACK_RATE) * self.time_base)))

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

    @property
    def shape(self) -> Shape:
        """Size and shape of the coded picture."""
        return Shape(self.width, self.height, self.sample_aspect_ratio or Fraction(1))

    def shape_of(self, number: int) -> Shape:
        """The shape of a frame in the file."""
        return next((shape for first, shape in reversed(self.shapes) if first <= number), self.shape)

    @property
    def carried(self) -> NDArray[np.int64]:
        """(N,) what the frames carry when they are decoded, in display order."""
        return self.pts if self.labels is None else self.labels

    @cached_property
    def broken(self) -> frozenset[int]:
        """What the frames carry whose packets are known to be damaged."""
        return frozenset(self.carried[np.isin(self.decoding.rank, self.decoding.broken)].tolist())

    @cached_property
    def restart_pts(self) -> frozenset[int]:
        """Ticks of the frames that depend on nothing before them."""
        return frozenset(self.pts[np.isin(self.decoding.rank, self.decoding.restarts)].tolist())

    @property
    def hides_damage(self) -> bool:
        """Whether the codec's decoder shows damaged frames without a word."""
        return any(part.hides_damage for part in self.parts) or self.codec not in DAMAGE_IS_TOLD

    def placed(self, places: Mapping[Path, Path]) -> VideoIndex:
        """The same with every path replaced by the one that `places` has for it."""
        parts = tuple(part.placed(places) for part in self.parts)
        return dataclasses.replace(self, path=places[self.path], parts=parts)

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` reads back."""
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        for name in ("sample_aspect_ratio", "average_rate", "time_base"):
            values[name] = None if values[name] is None else str(values[name])
        for name in ("pts", "keyframes", "labels"):
            values[name] = None if values[name] is None else values[name].tolist()
        matrix = self.display_matrix
        return values | {
            "path": str(self.path),
            "audio": list(self.audio),
            "display_matrix": None if matrix is None else list(matrix),
            "splices": [dataclasses.astuple(splice) for splice in self.splices],
            "mastering": None if self.mastering is None else dataclasses.asdict(self.mastering),
            "shapes": [[first, shape.width, shape.height, str(shape.aspect)] for first, shape in self.shapes],
            "notes": list(self.notes),
            "left_out": list(self.left_out),
            "decoding": self.decoding.to_json(),
            "parts": [part.to_json() for part in self.parts],
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> VideoIndex:
        """The index that `to_json` wrote."""
        values = dict(values)
        for name in ("sample_aspect_ratio", "average_rate", "time_base"):
            values[name] = None if values[name] is None else Fraction(values[name])
        for name in ("pts", "keyframes", "labels"):
            values[name] = None if values[name] is None else np.array(values[name], np.int64)
        values["splices"] = tuple(Splice(*splice) for splice in values["splices"])
        values["shapes"] = tuple((n, Shape(wide, high, Fraction(aspect))) for n, wide, high, aspect in values["shapes"])
        for name in ("notes", "left_out"):
            values[name] = tuple(values[name])
        if values["mastering"] is not None:
            given = values["mastering"].items()
            values["mastering"] = Mastering(**{key: None if v is None else tuple(v) for key, v in given})
        values["decoding"] = DecodingOrder.from_json(values["decoding"])
        values["span"] = None if values["span"] is None else tuple(values["span"])
        values["parts"] = tuple(cls.from_json(part) for part in values["parts"])
        values["path"] = Path(values["path"])
        values["audio"] = tuple(values["audio"])
        values["display_matrix"] = None if values["display_matrix"] is None else tuple(values["display_matrix"])
        return cls(**values)
