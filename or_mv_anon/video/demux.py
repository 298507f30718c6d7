"""Opening video files and reading their packets, with every failure told in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import BlockHashes
from or_mv_anon.video.bound_file import BoundFile
from or_mv_anon.video.containers import ALLOWED, kind_of_list

MOST_PIXELS = 1 << 27  # of a picture; four times 8K. A few bytes can claim more than any memory holds
_DURATION_IS_PROMISED = ("mov", "matroska", "avi", "flv", "asf")  # elsewhere FFmpeg only estimates it
_PROGRESS_EVERY = 1000  # packets
_REORDER_FULLY = {"strict": "1"}  # FFmpeg's -strict: the H.264 decoder waits for all that it may have to show first


Span = tuple[int, int]  # bytes from and to


def open_video(path: Path, hashes: BlockHashes | None = None, *, span: Span | None = None) -> InputContainer:
    """Open a local file for reading; what is no container of pictures, playlists above all, is not even opened.

    Args:
        path: the file.
        hashes: of its blocks; everything that is read of it must agree with them.
        span: which bytes of it to read; None for all.

    Raises:
        UserError: it is missing, a folder, empty, not permitted, not a media file, or not what was hashed.
    """
    if not path.exists():
        raise UserError(f"There is no file {path}; check the path.")
    if path.is_dir():
        raise UserError(f"{path} is a folder, expected a video file.")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty (0 bytes); the recording was probably never written. Remove or replace it.")
    try:
        if (kind := kind_of_list(path)) is not None:
            raise UserError(f"{path} is {kind}, no recording; pass the videos themselves.")
        place: Any = BoundFile(path, hashes, span) if hashes is not None else _place(path, span)
        container: InputContainer = av.open(
            place,
            metadata_errors="replace",
            options={
                "protocol_whitelist": "file" if span is None else "file,subfile",
                "format_whitelist": ALLOWED,
            },
        )
    except PermissionError as error:
        raise UserError(f"{path} may not be read; give this user permission to read it.") from error
    except (FFmpegError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read as video ({_reason(error)}); it is damaged, cut off or no video file."
        ) from error
    return container


def main_stream(container: InputContainer, path: Path) -> VideoStream:
    """The video stream with the largest picture, the first of them, cover pictures left out; FFmpeg's own choice.

    Raises:
        UserError: there is none, no decoder for it, or its pictures are larger than any camera's.
    """
    streams = video_streams(container)
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise UserError(f"{path} has no video stream (it holds: {kinds}).")
    decodable = [s for s in streams if s.codec_context is not None]
    if not decodable:
        raise UserError(f"No decoder is available for the video in {path}.")
    stream = max(decodable, key=lambda s: s.codec_context.width * s.codec_context.height)
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > MOST_PIXELS:
        raise UserError(f"{path} claims pictures of {width}x{height}, which no camera takes; it is damaged.")
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}  # pictures may grow on the way
    return stream


def video_streams(container: InputContainer) -> list[VideoStream]:
    """All video streams but cover pictures."""
    return [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]


def _place(path: Path, span: Span | None) -> str:
    return f"file:{path}" if span is None else f"subfile,,start,{span[0]},end,{span[1]},,:{path}"


@dataclass
class Packets:
    """What one pass over a file's packets found, in file order; ticks of the video stream's time base."""

    pts: list[int | None] = field(default_factory=list)  # discarded packets left out, here and below
    dts: list[int | None] = field(default_factory=list)
    duration: list[int] = field(default_factory=list)  # 0 where unknown
    position: list[int | None] = field(default_factory=list)  # bytes from the start of the file
    is_key: list[bool] = field(default_factory=list)  # whether decoding can start there
    hidden: int = 0  # discarded packets: an edit list says that their pictures are not to be shown
    error: str | None = None  # why reading stopped
    truncation: str | None = None

    @property
    def reliable(self) -> bool:
        """Whether every packet has a timestamp of its own."""
        return None not in self.pts and len(set(self.pts)) == len(self.pts)

    @property
    def rising(self) -> bool:
        """Whether the timestamps rise from packet to packet, as if no picture were stored before one shown earlier."""
        known = [tick for tick in self.pts if tick is not None]
        return all(earlier < later for earlier, later in pairwise(known))


def read_packets(
    container: InputContainer,
    stream: VideoStream,
    *,
    progress: Callable[[float], None] | None = None,
    watch: Callable[[av.Packet], None] | None = None,
) -> Packets:
    """Read all packets of `container` to its end or to the first error; `watch` sees those of `stream`."""
    found = Packets()
    size = max(1, container.size)
    end = 0.0  # seconds, over all streams
    count = 0
    try:
        for packet in _unpacked(container.demux(), stream):
            if packet.size == 0:
                continue
            count += 1
            if progress is not None and count % _PROGRESS_EVERY == 0 and packet.pos is not None:
                progress(min(1.0, packet.pos / size))
            if packet.pts is not None and packet.time_base:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream_index != stream.index:
                continue
            if packet.is_discard:
                found.hidden += 1
                continue
            found.pts.append(packet.pts)
            found.dts.append(packet.dts)
            found.duration.append(packet.duration or 0)
            found.position.append(packet.pos)
            found.is_key.append(bool(packet.is_keyframe))
            if watch is not None:
                watch(packet)
    except FFmpegError as error:
        found.error = _reason(error)
    if progress is not None:
        progress(1.0)
    found.truncation = _truncation(container, stream, found, found_packets=len(found.pts) + found.hidden, end=end)
    return found


def _truncation(
    container: InputContainer, stream: VideoStream, found: Packets, *, found_packets: int, end: float
) -> str | None:
    if found.error:
        return f"Reading stopped after {found_packets} frames: {found.error}."
    if stream.frames > found_packets and not _slots_filled(container, stream, found):
        return f"The file promises {stream.frames} frames and holds {found_packets}; it was cut off."
    promised = (container.duration or 0) / av.time_base
    if container.format.name.startswith(_DURATION_IS_PROMISED) and promised > end + 1.0:
        return f"The file promises to last until {promised:.1f} s and ends at {end:.1f} s; it was cut off."
    return None


def _slots_filled(container: InputContainer, stream: VideoStream, found: Packets) -> bool:
    """Whether an AVI goes on to its last promised frame: it stores a frame that was dropped as an empty one."""
    known = [tick for tick in found.dts if tick is not None]
    if container.format.name != "avi" or not known:
        return False
    slots = min((later - earlier for earlier, later in pairwise(known)), default=1)  # that each frame takes
    return known[-1] + max(1, slots) >= stream.frames


def demux(container: InputContainer, stream: VideoStream) -> Iterator[av.Packet]:
    """The packets of `stream` with one picture in each, and an empty one at the end."""
    return _unpacked(container.demux(stream), stream)


def _unpacked(packets: Iterator[av.Packet], stream: VideoStream) -> Iterator[av.Packet]:
    """MPEG-4 in AVI may hold a B-picture in the packet of the picture shown after it, and an empty one after that."""
    if stream.codec_context.codec.canonical_name != "mpeg4":
        yield from packets
        return
    unpack = BitStreamFilterContext("mpeg4_unpack_bframes", stream)
    for packet in packets:
        if packet.stream_index == stream.index and packet.size:
            yield from unpack.filter(packet)
        else:
            yield packet


def decode(container: InputContainer, stream: VideoStream, packets: Iterator[av.Packet]) -> Iterator[av.VideoFrame]:
    """Frames of `packets` in display order; packets that do not decode are left out."""
    try:
        for packet in packets:
            try:
                yield from stream.decode(packet if packet.size else None)
            except EOFError:
                return
            except FFmpegError:
                continue
    except FFmpegError:  # the demuxer gave up: what the decoder still holds is good
        try:
            yield from stream.decode(None)
        except FFmpegError:
            return


def show_in_order(stream: VideoStream, codec: str) -> None:
    """Have the decoder of `stream` wait until it knows what to show next; before anything is decoded.

    Without it an H.264 decoder shows pictures too early, and drops some, until it has seen how far this stream
    reorders them, where its headers do not say.
    """
    if codec == "h264":
        stream.codec_context.options = {**stream.codec_context.options, **_REORDER_FULLY}


def first_frame(path: Path, span: Span | None = None) -> av.VideoFrame:
    """The first frame that decodes.

    Raises:
        UserError: none does.
    """
    with open_video(path, span=span) as container:
        stream = main_stream(container, path)
        stream.codec_context.thread_count = 1
        for frame in decode(container, stream, demux(container, stream)):
            return frame
    raise UserError(f"No frame of {path} can be decoded (codec {stream.codec_context.name}); it is damaged.")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
