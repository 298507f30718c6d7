"""The sound of a recording, copied packet by packet onto the clock of its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.stream import Stream

from or_mv_anon.core.records import BlockHashes
from or_mv_anon.video.demux import open_video
from or_mv_anon.video.index import VideoIndex

_PLAIN = "pcm_s16le"
_LOST = "left out."

Hashes = Callable[[Path], BlockHashes] | None
Interval = tuple[Fraction | None, Fraction | None]  # seconds [from, to) of the recording; None for an open end


def sound_clocks(index: VideoIndex, hashes: Hashes) -> list[int]:
    """Ticks per second of every audio stream."""
    found = []
    for part in index.parts or (index,):
        with _opened(part, hashes) as source:
            found += [stream.time_base.denominator for stream in source.streams.audio if stream.time_base]
    return found


class Track:
    """One audio stream of the output; samples that its container does not take as they are become plain 16-bit ones."""

    def __init__(self, container: OutputContainer, template: AudioStream) -> None:
        """Raises ValueError or FFmpegError where the container does not take it in any form."""
        self.note: str | None = None
        self._decoder: AudioCodecContext | None = None
        self._written: int | None = None
        try:
            self.stream: Stream = container.add_stream_from_template(template, opaque=True)
        except (ValueError, FFmpegError):
            context = template.codec_context
            if context is None or not context.name.startswith("pcm_"):  # others would lose, or need a choice
                raise
            self.stream = container.add_stream(_PLAIN, rate=context.sample_rate, layout=context.layout.name)
            self._decoder = context
            self._resampler = AudioResampler(format="s16", layout=context.layout.name, rate=context.sample_rate)
            self.note = (
                f"Audio stream {template.index} ({context.name}) does not fit into {container.format.name} and is "
                f"stored as {_PLAIN}, which loses nothing."
            )
        self.stream.metadata.clear()

    def packets(self, packet: av.Packet) -> Iterator[av.Packet]:
        """What is written for a packet of the input; what lies before the last one written is left out."""
        for one in [packet] if self._decoder is None else self._encoded(packet):
            assert one.dts is not None
            if self._written is None or one.dts > self._written:  # parts may overlap by the coder's lead-in
                self._written = one.dts
                one.stream = self.stream
                yield one

    def _encoded(self, packet: av.Packet) -> Iterator[av.Packet]:
        assert self._decoder is not None
        assert isinstance(self.stream, AudioStream)
        for frame in self._decoder.decode(packet):
            assert isinstance(frame, AudioFrame)
            frame.pts, frame.time_base = packet.pts, packet.time_base
            for plain in self._resampler.resample(frame):
                yield from self.stream.encode(plain)


def add_tracks(container: OutputContainer, index: VideoIndex, hashes: Hashes) -> tuple[dict[int, Track], list[str]]:
    """Output tracks by the number of their audio stream in the input, and what has to be said about them."""
    tracks: dict[int, Track] = {}
    notes: list[str] = []
    parts = index.parts or (index,)
    with _opened(parts[0], hashes) as source:
        for number, stream in enumerate(source.streams.audio):
            try:
                tracks[number] = Track(container, stream)
                notes += [note for note in [tracks[number].note] if note]
            except (ValueError, FFmpegError):
                name = _format_of(stream)[0]
                notes.append(f"Audio stream {stream.index} ({name}) does not fit into {container.format.name}: {_LOST}")
        formats = [_format_of(stream) for stream in source.streams.audio]
    for part in parts[1:]:
        with _opened(part, hashes) as source:
            if [_format_of(stream) for stream in source.streams.audio] != formats:
                notes.append(f"The sound of {part.path.name} is in another format than that of the first part: {_LOST}")
    return tracks, notes


def is_lost(note: str) -> bool:
    """Whether a note of `add_tracks` is about sound that is not in the output."""
    return note.endswith(_LOST)


def sound_packets(
    index: VideoIndex, tracks: Mapping[int, Track], hashes: Hashes, *, interval: Interval, earlier: Fraction
) -> Iterator[av.Packet]:
    """The packets of all tracks.

    Args:
        index: of the recording.
        tracks: see `add_tracks`.
        hashes: gives those of a file's blocks, which the sound must agree with.
        interval: what is wanted of the recording.
        earlier: seconds that are taken off every timestamp.
    """
    parts = index.parts or (index,)
    with _opened(parts[0], hashes) as source:
        formats = [_format_of(stream) for stream in source.streams.audio]
    first = 0
    for part in parts:
        later = int(index.pts[first]) * index.time_base - int(part.pts[0]) * part.time_base
        first += part.n_frames
        for number, packet in _packets(part, tracks, formats, hashes):
            _move(packet, later + _splice(part, packet))
            if packet.pts is None or not _inside(packet.pts * Fraction(packet.time_base), interval):
                continue
            _move(packet, -earlier)
            yield from tracks[number].packets(packet)


def _packets(
    part: VideoIndex, tracks: Mapping[int, Track], formats: list[tuple[object, ...]], hashes: Hashes
) -> Iterator[tuple[int, av.Packet]]:
    with _opened(part, hashes) as source:
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


def _opened(part: VideoIndex, hashes: Hashes) -> InputContainer:
    return open_video(part.path, None if hashes is None else hashes(part.path), span=part.span)


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
