"""What a video file holds, learned by reading its packets once; decoded is only what they leave in doubt.

The timestamps found here are the plan that every later pass is held to: the output has exactly these.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.clock import clock_notes, find_pauses, find_splices
from or_mv_anon.video.damage.chains import DecodingOrder, PacketFacts, PacketWatcher, mark_broken
from or_mv_anon.video.damage.matroska import broken_clusters, is_cut_off
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
from or_mv_anon.video.mastering import Mastering
from or_mv_anon.video.order import ShowOrder, StreamTraits, show_order
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import depth_of
from or_mv_anon.video.shapes import ShapeWatcher
from or_mv_anon.video.slices import BPictures
from or_mv_anon.video.transport import begins_anew
from or_mv_anon.video.video_index import FALLBACK_RATE, VideoIndex

__all__ = ["VideoIndex", "index_video"]

_CHANGING_LIGHT = ("DYNAMIC_HDR_PLUS", "DOVI_RPU_BUFFER", "DOVI_METADATA", "DYNAMIC_HDR_VIVID")
_FLAG_DELAY = 3  # packets before a gap in its counters that FFmpeg's demuxer may call damaged
_SEEKS = 5  # keyframes that are looked up to see whether the file finds them
_TS_DISCONT = 0x200  # AVFMT_TS_DISCONT: the container's clock may jump


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
    with open_video(path, span=span) as container:
        stream = main_stream(container, path)
        codec = stream.codec_context.codec.canonical_name
        facts: dict[str, Any] = {
            "container": container.format.name,
            "audio": tuple(s.codec_context.name if s.codec_context else "unknown" for s in container.streams.audio),
            "average_rate": stream.average_rate or stream.guessed_rate,
            "time_base": stream.time_base,
            "sample_aspect_ratio": stream.sample_aspect_ratio or None,
        }
        shapes, b_pictures, watched = ShapeWatcher(stream), BPictures(stream), PacketWatcher(stream)
        packets = read_packets(container, stream, progress=progress, watch=_all(shapes, b_pictures, watched))
        may_jump = bool(container.format.flags & _TS_DISCONT)
        reorders = b_pictures.seen if codec == "h264" else bool(stream.codec_context.has_b_frames)
        left_out = _other_pictures(container, stream)
        lost = ["Its transparency is not kept."] if stream.metadata.get("alpha_mode") == "1" else []
    if not packets.pts:
        why = f": {packets.error}" if packets.error else ""
        raise UserError(f"{path} holds no video frame{why}; it was probably cut off while it was being written.")
    frame = first_frame(path, span)
    rate, time_base = facts["average_rate"] or FALLBACK_RATE, facts["time_base"]
    splices = find_splices(packets, time_base, may_jump=may_jump, rate=rate, reorders=reorders)
    traits = StreamTraits(codec, facts["container"], reorders, frame.interlaced_frame, rate, time_base, span)
    order = show_order(path, packets, splices, traits)
    if not len(order.pts):
        raise UserError(f"No frame of {path} can be decoded (codec {codec}); it is damaged.")
    if order.seekable and not _seeks_truly(path, packets, order, span):
        order = replace(order, seekable=False)
    if order.lost:
        left_out.append(f"{order.lost} of its {len(packets.pts)} pictures cannot be decoded.")
        _mark_lost(packets, watched.packets, order)
    changes = _changes(shapes.changes, packets, order)
    notes = [*clock_notes(splices, packets, time_base), *lost]
    if packets.hidden:
        notes.append(f"{packets.hidden} of its pictures are hidden by its edit list; they are left out.")
    if changes:
        largest = max(dict.fromkeys(shape for _, shape in changes), key=lambda shape: shape.area)
        frame, facts["sample_aspect_ratio"] = shapes.frames[largest], largest.aspect
        listed = ", ".join(f"{shape} from {float(order.pts[n] * time_base):.3f} s" for n, shape in changes)
        notes.append(f"Its pictures change in size or shape ({listed}); all are fitted into {largest} with black bars.")
    if any(frame.side_data.get(name) is not None for name in _CHANGING_LIGHT):
        notes.append("Its HDR metadata that change from frame to frame (HDR10+ or Dolby Vision) are not kept.")
    pauses = find_pauses(splices, packets, time_base)
    # Where another stream begins, counters jump without anything being lost. It begins with a picture that needs no
    # other; where the clock jumps before one that does, something was lost, or the clock itself was damaged.
    jumps = [splice.packet for splice in splices] + [pause.packet for pause in pauses]
    if facts["container"] == "mpegts":
        jumps += _joins(path, watched.packets)
    for begin in (jump for jump in jumps if watched.packets[jump].reset):
        for packet in watched.packets[max(0, begin - _FLAG_DELAY) : begin]:
            packet.broken = False
    if facts["container"].startswith("matroska"):
        mark_broken(watched.packets, broken_clusters(path))
        if packets.truncation is None and is_cut_off(path):
            packets.truncation = "The file ends in the middle of a cluster; it was cut off."
    matrix = display_matrix(frame)
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
        decoding=DecodingOrder.of_packets(order.carried, order.labels_of(packets), watched.packets),
        **facts,
    )


def _seeks_truly(path: Path, packets: Packets, order: ShowOrder, span: Span | None) -> bool:
    """Whether a packet that is found by its timestamp is the one that had it when the file was read from the beginning.

    Some demuxers guess: those of files whose index is lost, above all.
    """
    labels = order.labels_of(packets)
    places = dict(zip(labels, packets.position, strict=True))
    keys = [label for label, is_key in zip(labels, packets.is_key, strict=True) if is_key and label is not None]
    tried = [keys[place] for place in sorted({len(keys) * part // _SEEKS for part in range(1, _SEEKS)}) if place]
    with open_video(path, span=span) as container:
        stream = main_stream(container, path)
        for label in tried:
            try:
                container.seek(label, stream=stream)
                packet = next((one for one in container.demux(stream) if one.is_keyframe or not one.size), None)
            except FFmpegError:
                continue  # reading falls back on the beginning
            if packet is None or not packet.size:
                continue
            found = packet.dts if order.label == "dts" else packet.pts
            if places.get(found) != packet.pos:
                return False
    return True


def _mark_lost(packets: Packets, facts: Sequence[PacketFacts], order: ShowOrder) -> None:
    """Mark the packets whose pictures were never shown, but for those that only lead the first one.

    They need what came before the file.
    """
    shown = set(order.carried.tolist())
    may_lead = True
    for number, (label, shows) in enumerate(zip(order.labels_of(packets), packets.pts, strict=True)):
        if label in shown:
            may_lead = may_lead and number == 0
            continue
        first = packets.pts[0]
        may_lead = may_lead and shows is not None and first is not None and shows < first
        facts[number].broken |= not may_lead


def _joins(path: Path, packets: Sequence[PacketFacts]) -> list[int]:
    """Packets before which counters jump because another stream begins there."""
    found = []
    for number, (before, packet) in enumerate(pairwise(packets), 1):
        if before.broken and packet.reset and before.position is not None and packet.position is not None:
            found += [number] if begins_anew(path, before.position, packet.position) else []
    return found


def _all(*watchers: Callable[[av.Packet], None]) -> Callable[[av.Packet], None]:
    def watch(packet: av.Packet) -> None:
        for watcher in watchers:
            watcher(packet)

    return watch


def _changes(found: Sequence[tuple[int, Shape]], packets: Packets, order: ShowOrder) -> tuple[tuple[int, Shape], ...]:
    """From packets to frames: (frame from which on, shape), empty where all are alike."""
    if len({shape for _, shape in found}) < 2:
        return ()
    places = {label: place for place, label in enumerate(order.carried.tolist())}
    labels = order.labels_of(packets)
    return tuple((places[labels[number]], shape) for number, shape in found if labels[number] in places)


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


def display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    """The nine numbers by which a decoded frame asks to be turned upright; None where it does not."""
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    return None if data is None else tuple(np.frombuffer(data, np.int32).tolist())
