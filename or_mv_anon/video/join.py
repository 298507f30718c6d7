"""Joins encoded segments into the finished video by copying packets; audio comes along only when asked for."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import partial_path, publish, write_error
from or_mv_anon.video.demux import main_stream, open_video
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.reorder import decoding_times
from or_mv_anon.video.sound import Hashes, add_tracks, sound_clocks, sound_packets
from or_mv_anon.video.writer import close_quietly, open_output

_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}


@dataclass(frozen=True)
class _SegmentPackets:
    """Timestamps of one segment file in file order, and what its stream must share with the others."""

    pts: NDArray[np.int64]
    time_base: Fraction
    extradata: bytes


def join_segments(
    index: VideoIndex,
    segment_paths: Sequence[Path],
    destination: Path,
    *,
    audio: bool,
    shift: int = 0,
    hashes: Hashes = None,
) -> list[str]:
    """Write `destination` from the segments' packets, without any metadata of the input.

    The picture is displayed as the input's: same display matrix, sample aspect ratio and colour tags.

    Args:
        index: the input.
        segment_paths: files of `SegmentWriter`, in order, all of one encoding.
        destination: its suffix decides the container (.mp4, .m4v, .mov, .mkv, .webm).
        audio: copy the input's audio packets that belong to the kept interval.
        shift: ticks that `SegmentWriter` took off the timestamps; audio is moved by the same time.
        hashes: gives those of an input file's blocks, which its sound must agree with.

    Returns:
        One sentence for each audio stream that the container does not take.

    Raises:
        UserError: the segments do not belong together, or writing fails.
    """
    if destination.suffix.lower() not in _FORMATS:
        raise UserError(f"{destination} has no known video suffix; expected one of {', '.join(_FORMATS)}.")
    segment_paths = [path for path in segment_paths if path.stat().st_size]
    if not segment_paths:
        raise UserError(f"No frame of {index.path} could be decoded; there is nothing to write to {destination}.")
    parts = [_read_segment(path) for path in segment_paths]
    for path, part in zip(segment_paths, parts, strict=True):
        if part.extradata != parts[0].extradata or part.time_base != parts[0].time_base:
            raise UserError(f"The segment {path} was encoded unlike {segment_paths[0]}; render again.")
    partial = partial_path(destination)
    container: OutputContainer | None = None
    try:
        container_format = _FORMATS[destination.suffix.lower()]
        clocks = sound_clocks(index, hashes) if audio else []
        container = open_output(partial, container_format, index.time_base, audio_clocks=clocks)
        notes = _write(container, index, segment_paths, parts, audio=audio, shift=shift, hashes=hashes)
        container.close()
        publish(partial, destination)
    except BaseException as error:
        close_quietly(container)
        partial.unlink(missing_ok=True)
        if isinstance(error, FFmpegError | OSError):
            raise write_error(destination, error) from error
        raise
    return notes


def _read_segment(path: Path) -> _SegmentPackets:
    with open_video(path) as container:
        stream = main_stream(container, path)
        assert stream.time_base is not None
        pts = [packet.pts for packet in container.demux(stream) if packet.size]
        return _SegmentPackets(np.array(pts, np.int64), stream.time_base, bytes(stream.codec_context.extradata or b""))


def _write(
    container: OutputContainer,
    index: VideoIndex,
    paths: Sequence[Path],
    parts: Sequence[_SegmentPackets],
    *,
    audio: bool,
    shift: int,
    hashes: Hashes,
) -> list[str]:
    with open_video(paths[0]) as first:
        video = container.add_stream_from_template(main_stream(first, paths[0]), opaque=True)
    assert isinstance(video, VideoStream)
    video.time_base = parts[0].time_base
    if index.average_rate is not None:
        video.codec_context.framerate = index.average_rate  # players read it from Matroska's header
    if index.sample_aspect_ratio is not None:
        video.codec_context.sample_aspect_ratio = index.sample_aspect_ratio  # AV1 segments do not carry it
    if index.display_matrix is not None:
        video.set_display_matrix(index.display_matrix)
    pts = np.concatenate([part.pts for part in parts])
    packets = _video_packets(paths, video, decoding_times(pts), _durations(index, pts, parts[0].time_base, shift))
    if not audio:
        _mux(container, packets)
        return []
    tracks, notes = add_tracks(container, index, hashes)
    interval = _interval(index, pts, parts[0].time_base, shift)
    sound = sound_packets(index, tracks, hashes, interval=interval, earlier=shift * index.time_base)
    _mux(container, heapq.merge(packets, sound, key=_seconds))
    return notes


def _mux(container: OutputContainer, packets: Iterable[av.Packet]) -> None:
    for packet in packets:
        container.mux(packet)


def _seconds(packet: av.Packet) -> float:
    return float((packet.dts if packet.dts is not None else packet.pts or 0) * packet.time_base)


def _durations(index: VideoIndex, pts: NDArray[np.int64], time_base: Fraction, shift: int) -> NDArray[np.int64]:
    """In ticks of `time_base`, how long each frame is shown: encoders go by their nominal rate, which has limits."""
    ratio = time_base / index.time_base
    last = round(int(pts.max()) * ratio) + shift
    following = index.pts[index.pts > last]
    end = int(following[0]) if len(following) else last + index.frame_ticks
    ordered = np.append(np.sort(pts), round((end - shift) / ratio))
    return ordered[np.searchsorted(ordered, pts) + 1] - pts


def _video_packets(
    paths: Sequence[Path], stream: VideoStream, dts: NDArray[np.int64], durations: NDArray[np.int64]
) -> Iterator[av.Packet]:
    number = 0
    for path in paths:
        with open_video(path) as segment:
            for packet in segment.demux(main_stream(segment, path)):
                if packet.size:
                    packet.dts = int(dts[number])
                    packet.duration = int(durations[number])
                    packet.stream = stream
                    number += 1
                    yield packet


def _interval(
    index: VideoIndex, pts: NDArray[np.int64], time_base: Fraction, shift: int
) -> tuple[Fraction | None, Fraction | None]:
    """Seconds [from, to) of the input that the video keeps; None where it keeps all."""
    moved = shift * index.time_base
    first = int(pts.min()) * time_base + moved
    last = int(pts.max()) * time_base + moved
    return (
        None if first <= int(index.pts[0]) * index.time_base else first,
        None if last >= int(index.pts[-1]) * index.time_base else last + index.frame_ticks * index.time_base,
    )
