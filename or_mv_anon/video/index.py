"""What a video file holds, learned by reading its packets once without decoding them.

The timestamps found here are the plan that every later pass is held to: the output has exactly these.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from or_mv_anon.errors import UserError
from or_mv_anon.video.clock import Splice, clock_notes, find_splices
from or_mv_anon.video.demux import (
    Packets,
    Span,
    first_frame,
    main_stream,
    open_video,
    read_packets,
    video_streams,
)
from or_mv_anon.video.fitting import Shape
from or_mv_anon.video.labels import Label
from or_mv_anon.video.mastering import Mastering
from or_mv_anon.video.order import ShowOrder, StreamTraits, show_order
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import depth_of
from or_mv_anon.video.shapes import ShapeWatcher
from or_mv_anon.video.slices import length_bytes, shows_b_picture

_CHANGING_LIGHT = ("DYNAMIC_HDR_PLUS", "DOVI_RPU_BUFFER", "DOVI_METADATA", "DYNAMIC_HDR_VIVID")
_FALLBACK_RATE = Fraction(25)
_TS_DISCONT = 0x200  # AVFMT_TS_DISCONT: the container's clock may jump


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
        values["span"] = None if values["span"] is None else tuple(values["span"])
        values["parts"] = tuple(cls.from_json(part) for part in values["parts"])
        values["path"] = Path(values["path"])
        values["audio"] = tuple(values["audio"])
        values["display_matrix"] = None if values["display_matrix"] is None else tuple(values["display_matrix"])
        return cls(**values)


def index_video(
    path: str | os.PathLike[str], *, span: Span | None = None, progress: Callable[[float], None] | None = None
) -> VideoIndex:
    """Read the packets of `path` once; decode it too where they do not tell in which order pictures are shown.

    Args:
        path: a video file of any container and codec that FFmpeg reads.
        span: bytes from and to, if only they count.
        progress: called now and then with the share of the file read, 0 to 1.

    Raises:
        UserError: the file is missing, empty, unreadable, no video, or holds no frame that can be decoded.
    """
    path = Path(path)
    with open_video(path, span) as container:
        stream = main_stream(container, path)
        codec = stream.codec_context.codec.canonical_name
        facts: dict[str, Any] = {
            "container": container.format.name,
            "audio": tuple(s.codec_context.name if s.codec_context else "unknown" for s in container.streams.audio),
            "average_rate": stream.average_rate or stream.guessed_rate,
            "time_base": stream.time_base,
            "sample_aspect_ratio": stream.sample_aspect_ratio or None,
        }
        shapes, b_pictures = ShapeWatcher(stream), _BPictures(stream)
        packets = read_packets(container, stream, progress=progress, watch=_both(shapes, b_pictures))
        may_jump = bool(container.format.flags & _TS_DISCONT)
        reorders = b_pictures.seen if codec == "h264" else bool(stream.codec_context.has_b_frames)
        left_out = _other_pictures(container, stream)
        lost = ["Its transparency is not kept."] if stream.metadata.get("alpha_mode") == "1" else []
    if not packets.pts:
        why = f": {packets.error}" if packets.error else ""
        raise UserError(f"{path} holds no video frame{why}; it was probably cut off while it was being written.")
    frame = first_frame(path, span)
    rate, time_base = facts["average_rate"] or _FALLBACK_RATE, facts["time_base"]
    splices = find_splices(packets, time_base, may_jump=may_jump, rate=rate)
    traits = StreamTraits(codec, facts["container"], reorders, frame.interlaced_frame, rate, time_base, span)
    order = show_order(path, packets, splices, traits)
    if not len(order.pts):
        raise UserError(f"No frame of {path} can be decoded (codec {codec}); it is damaged.")
    if order.lost:
        left_out.append(f"{order.lost} of its {len(packets.pts)} pictures cannot be decoded.")
    changes = _changes(shapes.changes, packets, order)
    notes = [*clock_notes(splices, packets, time_base), *lost]
    if changes:
        largest = max(dict.fromkeys(shape for _, shape in changes), key=lambda shape: shape.area)
        frame, facts["sample_aspect_ratio"] = shapes.frames[largest], largest.aspect
        listed = ", ".join(f"{shape} from {float(order.pts[n] * time_base):.3f} s" for n, shape in changes)
        notes.append(f"Its pictures change in size or shape ({listed}); all are fitted into {largest} with black bars.")
    if any(frame.side_data.get(name) is not None for name in _CHANGING_LIGHT):
        notes.append("Its HDR metadata that change from frame to frame (HDR10+ or Dolby Vision) are not kept.")
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
        pts=order.pts,
        keyframes=order.keyframes,
        seekable=order.seekable,
        truncated=packets.truncation,
        label=order.label,
        labels=order.labels,
        whole=order.whole,
        interlaced=frame.interlaced_frame,
        mastering=Mastering.of(frame),
        span=span,
        reorders=reorders or not packets.rising,
        splices=splices,
        shapes=changes,
        notes=tuple(notes),
        left_out=tuple(left_out),
        **facts,
    )


def _both(*watchers: Callable[[av.Packet], None]) -> Callable[[av.Packet], None]:
    def watch(packet: av.Packet) -> None:
        for watcher in watchers:
            watcher(packet)

    return watch


def _changes(found: Sequence[tuple[int, Shape]], packets: Packets, order: ShowOrder) -> tuple[tuple[int, Shape], ...]:
    """From packets to frames: (frame from which on, shape), empty where all are alike."""
    if len({shape for _, shape in found}) < 2:
        return ()
    carried = order.pts if order.labels is None else order.labels
    places = {label: place for place, label in enumerate(carried.tolist())}
    labels = order.labels_of(packets)
    return tuple((places[labels[number]], shape) for number, shape in found if labels[number] in places)


class _BPictures:
    """Looks for B-pictures in an H.264 stream's packets until it has seen one; its headers need not tell."""

    def __init__(self, stream: VideoStream) -> None:
        self.seen = stream.codec_context.codec.canonical_name != "h264"
        self._lengths = length_bytes(stream.codec_context.extradata)

    def __call__(self, packet: av.Packet) -> None:
        self.seen = self.seen or shows_b_picture(bytes(packet), self._lengths)


def _other_pictures(container: InputContainer, stream: VideoStream) -> list[str]:
    """Sentences about the video streams that are not read."""
    others = [other for other in video_streams(container) if other.index != stream.index]
    if not others:
        return []
    contexts = [(other.index, other.codec_context) for other in others]
    listed = ", ".join(f"{number}" + (f" ({c.width}x{c.height})" if c else "") for number, c in contexts)
    return [
        f"It holds {len(others) + 1} video streams and only the largest, stream {stream.index}, is read. Left out: "
        f"{listed}. Save each as a file of its own (ffmpeg -i IN -map 0:NUMBER -c copy OUT) to have it anonymized."
    ]


def _display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else tuple(np.frombuffer(data, np.int32).tolist())
