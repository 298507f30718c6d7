"""Joins encoded segments into the finished video by copying packets; audio comes along only when asked for."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.stream import Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from or_mv_anon.errors import UserError
from or_mv_anon.files import partial_path, publish, write_error
from or_mv_anon.video.bound_file import BlockHashes
from or_mv_anon.video.demux import main_stream, open_video
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.reorder import decoding_times
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
    hashes: BlockHashes | None = None,
) -> list[str]:
    """Write `destination` from the segments' packets, without any metadata of the input.

    The picture is displayed as the input's: same display matrix, sample aspect ratio and colour tags.

    Args:
        index: the input.
        segment_paths: files of `SegmentWriter`, in order, all of one encoding.
        destination: its suffix decides the container (.mp4, .m4v, .mov, .mkv, .webm).
        audio: copy the input's audio packets that belong to the kept interval.
        shift: ticks that `SegmentWriter` took off the timestamps; audio is moved by the same time.
        hashes: of the input's blocks, which its sound must agree with.

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
        audio_clocks = _audio_clocks(index.path, hashes) if audio else []
        container = open_output(partial, container_format, index.time_base, audio_clocks=audio_clocks)
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
    hashes: BlockHashes | None,
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
    packets = _video_packets(paths, video, decoding_times(pts))
    if not audio:
        _mux(container, packets)
        return []
    with open_video(index.path, hashes) as source:
        pairs, notes = _audio_streams(container, source.streams.audio)
        if not pairs:
            _mux(container, packets)
            return notes
        interval = _interval(index, pts, parts[0].time_base, shift)
        sound = _audio_packets(source.demux([s for s, _ in pairs]), dict(pairs), interval, shift * index.time_base)
        _mux(container, heapq.merge(packets, sound, key=_seconds))
    return notes


def _mux(container: OutputContainer, packets: Iterable[av.Packet]) -> None:
    for packet in packets:
        container.mux(packet)


def _seconds(packet: av.Packet) -> float:
    return float((packet.dts if packet.dts is not None else packet.pts or 0) * packet.time_base)


def _video_packets(paths: Sequence[Path], stream: VideoStream, dts: NDArray[np.int64]) -> Iterator[av.Packet]:
    number = 0
    for path in paths:
        with open_video(path) as segment:
            for packet in segment.demux(main_stream(segment, path)):
                if packet.size:
                    packet.dts = int(dts[number])
                    packet.stream = stream
                    number += 1
                    yield packet


def _audio_streams(
    container: OutputContainer, streams: Sequence[AudioStream]
) -> tuple[list[tuple[Stream, Stream]], list[str]]:
    """(input stream, output stream) pairs, and a sentence for each stream that cannot be kept."""
    pairs: list[tuple[Stream, Stream]] = []
    notes = []
    for stream in streams:
        name = stream.codec_context.name if stream.codec_context else "unknown"
        try:
            pairs.append((stream, container.add_stream_from_template(stream, opaque=True)))
            pairs[-1][1].metadata.clear()
        except (ValueError, FFmpegError):
            notes.append(f"Audio stream {stream.index} ({name}) does not fit into {container.format.name}: left out.")
    return pairs, notes


def _audio_clocks(path: Path, hashes: BlockHashes | None) -> list[int]:
    with open_video(path, hashes) as source:
        return [stream.time_base.denominator for stream in source.streams.audio if stream.time_base]


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


def _audio_packets(
    packets: Iterator[av.Packet],
    streams: dict[Stream, Stream],
    interval: tuple[Fraction | None, Fraction | None],
    moved: Fraction,
) -> Iterator[av.Packet]:
    start, end = interval
    for packet in packets:
        if not packet.size or packet.pts is None:
            continue
        time = packet.pts * packet.time_base
        if (start is not None and time < start) or (end is not None and time >= end):
            continue
        ticks = round(moved / packet.time_base)
        packet.pts -= ticks
        packet.dts = packet.pts if packet.dts is None else packet.dts - ticks
        packet.stream = streams[packet.stream]
        yield packet
