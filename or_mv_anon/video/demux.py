"""Opening video files and reading their packets, with every failure told in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from or_mv_anon.errors import UserError
from or_mv_anon.video.bound_file import BlockHashes, BoundFile
from or_mv_anon.video.containers import ALLOWED, kind_of_list

MOST_PIXELS = 1 << 27  # of a picture; four times 8K. A few bytes can claim more than any memory holds
_DURATION_IS_PROMISED = ("mov", "matroska", "avi", "flv", "asf")  # elsewhere FFmpeg only estimates it
_PROGRESS_EVERY = 1000  # packets


def open_video(path: Path, hashes: BlockHashes | None = None) -> InputContainer:
    """Open a local file for reading; what is no container of pictures, playlists above all, is not even opened.

    Args:
        path: the file.
        hashes: of its blocks; everything that is read of it must agree with them.

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
        place: Any = f"file:{path}" if hashes is None else BoundFile(path, hashes)
        container: InputContainer = av.open(
            place,
            metadata_errors="replace",
            options={"protocol_whitelist": "file", "format_whitelist": ALLOWED},
        )
    except PermissionError as error:
        raise UserError(f"{path} may not be read; give this user permission to read it.") from error
    except (FFmpegError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read as video ({_reason(error)}); it is damaged, cut off or no video file."
        ) from error
    return container


def main_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first video stream that is not a cover picture.

    Raises:
        UserError: there is none, no decoder for it, or its pictures are larger than any camera's.
    """
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise UserError(f"{path} has no video stream (it holds: {kinds}).")
    if streams[0].codec_context is None:
        raise UserError(f"No decoder is available for the video in {path}.")
    width, height = streams[0].codec_context.width, streams[0].codec_context.height
    if width * height > MOST_PIXELS:
        raise UserError(f"{path} claims pictures of {width}x{height}, which no camera takes; it is damaged.")
    streams[0].codec_context.options = {"max_pixels": str(MOST_PIXELS)}  # pictures may grow on the way
    return streams[0]


@dataclass
class Packets:
    """What one pass over a file's packets found; ticks of the video stream's time base."""

    pts: list[int | None] = field(default_factory=list)  # in file order, discarded packets left out
    keyframes: list[int] = field(default_factory=list)
    error: str | None = None  # why reading stopped
    truncation: str | None = None

    @property
    def reliable(self) -> bool:
        """Whether every packet has a timestamp of its own."""
        return None not in self.pts and len(set(self.pts)) == len(self.pts)


def read_packets(
    container: InputContainer, stream: VideoStream, *, progress: Callable[[float], None] | None = None
) -> Packets:
    """Read all packets of `container` to its end or to the first error."""
    found = Packets()
    size = max(1, container.size)
    end = 0.0  # seconds, over all streams
    count = discarded = 0
    try:
        for packet in container.demux():
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
                discarded += 1
                continue
            found.pts.append(packet.pts)
            if packet.is_keyframe and packet.pts is not None:
                found.keyframes.append(packet.pts)
    except FFmpegError as error:
        found.error = _reason(error)
    if progress is not None:
        progress(1.0)
    found.truncation = _truncation(container, stream, found, found_packets=len(found.pts) + discarded, end=end)
    return found


def _truncation(
    container: InputContainer, stream: VideoStream, found: Packets, *, found_packets: int, end: float
) -> str | None:
    if found.error:
        return f"Reading stopped after {found_packets} frames: {found.error}."
    if stream.frames > found_packets:
        return f"The file promises {stream.frames} frames and holds {found_packets}; it was cut off."
    promised = (container.duration or 0) / av.time_base
    if container.format.name.startswith(_DURATION_IS_PROMISED) and promised > end + 1.0:
        return f"The file promises to last until {promised:.1f} s and ends at {end:.1f} s; it was cut off."
    return None


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


def first_frame(path: Path) -> av.VideoFrame:
    """The first frame that decodes.

    Raises:
        UserError: none does.
    """
    with open_video(path) as container:
        stream = main_stream(container, path)
        stream.codec_context.thread_count = 1
        for frame in decode(container, stream, container.demux(stream)):
            return frame
    raise UserError(f"No frame of {path} can be decoded (codec {stream.codec_context.name}); it is damaged.")


def decoded_timestamps(path: Path) -> list[int | None]:
    """Timestamps of all frames as the decoder shows them: slow, for files whose packets do not tell."""
    with open_video(path) as container:
        stream = main_stream(container, path)
        return [frame.pts for frame in decode(container, stream, container.demux(stream))]


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
