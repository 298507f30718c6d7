"""The sound of a recording, copied packet by packet onto the clock of its pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.stream import Stream

from or_mv_anon.video.demux import open_video
from or_mv_anon.video.index import VideoIndex

Interval = tuple[Fraction | None, Fraction | None]  # seconds [from, to) of the recording; None for an open end


def sound_clocks(index: VideoIndex) -> list[int]:
    """Ticks per second of every audio stream."""
    found = []
    for part in index.parts or (index,):
        with open_video(part.path, part.span) as source:
            found += [stream.time_base.denominator for stream in source.streams.audio if stream.time_base]
    return found


def add_tracks(container: OutputContainer, index: VideoIndex) -> tuple[dict[int, Stream], list[str]]:
    """Output streams by the number of their audio stream in the input, and a sentence for each that cannot be kept."""
    tracks: dict[int, Stream] = {}
    notes = []
    parts = index.parts or (index,)
    with open_video(parts[0].path, parts[0].span) as source:
        for number, stream in enumerate(source.streams.audio):
            try:
                tracks[number] = container.add_stream_from_template(stream, opaque=True)
                tracks[number].metadata.clear()
            except (ValueError, FFmpegError):
                name = _format_of(stream)[0]
                notes.append(
                    f"Audio stream {stream.index} ({name}) does not fit into {container.format.name}: left out."
                )
        formats = [_format_of(stream) for stream in source.streams.audio]
    for part in parts[1:]:
        with open_video(part.path, part.span) as source:
            if [_format_of(stream) for stream in source.streams.audio] != formats:
                notes.append(
                    f"The sound of {part.path.name} differs from that of {parts[0].path.name}: left out in part."
                )
    return tracks, notes


def sound_packets(
    index: VideoIndex, tracks: Mapping[int, Stream], *, interval: Interval, earlier: Fraction
) -> Iterator[av.Packet]:
    """The packets of all tracks.

    Args:
        index: of the recording.
        tracks: see `add_tracks`.
        interval: what is wanted of the recording.
        earlier: seconds that are taken off every timestamp.
    """
    written: dict[int, int] = {}
    first = 0
    with open_video((index.parts or (index,))[0].path, (index.parts or (index,))[0].span) as source:
        formats = [_format_of(stream) for stream in source.streams.audio]
    for part in index.parts or (index,):
        later = int(index.pts[first]) * index.time_base - int(part.pts[0]) * part.time_base
        first += part.n_frames
        for number, packet in _packets(part, tracks, formats):
            _move(packet, later + _splice(part, packet))
            if packet.pts is None or not _inside(packet.pts * Fraction(packet.time_base), interval):
                continue
            _move(packet, -earlier)
            assert packet.dts is not None
            if packet.dts > written.get(number, packet.dts - 1):  # parts may overlap by the coder's lead-in
                written[number] = packet.dts
                packet.stream = tracks[number]
                yield packet


def _packets(
    part: VideoIndex, tracks: Mapping[int, Stream], formats: list[tuple[object, ...]]
) -> Iterator[tuple[int, av.Packet]]:
    with open_video(part.path, part.span) as source:
        streams = {
            stream.index: number
            for number, stream in enumerate(source.streams.audio)
            if number in tracks and _format_of(stream) == formats[number]
        }
        if not streams:
            return
        for packet in source.demux([source.streams[index] for index in streams]):
            if packet.size and packet.pts is not None:
                yield streams[packet.stream_index], packet


def _format_of(stream: AudioStream) -> tuple[object, ...]:
    context = stream.codec_context
    if context is None:
        return ("unknown",)
    return (context.name, context.sample_rate, context.layout.name)


def _splice(part: VideoIndex, packet: av.Packet) -> Fraction:
    """Seconds to add where the file's clock has jumped before this packet."""
    behind = [splice for splice in part.splices if packet.pos is not None and packet.pos >= splice.position]
    return behind[-1].ticks * part.time_base if behind else Fraction(0)


def _move(packet: av.Packet, seconds: Fraction) -> None:
    ticks = round(seconds / Fraction(packet.time_base))
    assert packet.pts is not None
    packet.pts += ticks
    packet.dts = packet.pts if packet.dts is None else packet.dts + ticks


def _inside(time: Fraction, interval: Interval) -> bool:
    start, end = interval
    return (start is None or time >= start) and (end is None or time < end)
