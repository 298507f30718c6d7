"""How a decoded frame is recognized as one of the planned ones: by what its packet carried into the decoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from or_mv_anon.video.demux import Span, decode, demux, main_stream, open_video, show_in_order

Label = Literal["pts", "dts", "number"]  # presentation or decoding time in the file, or the packet's place in it


def labelled(packets: Iterator[av.Packet], label: Label) -> Iterator[av.Packet]:
    """`packets` as they go into the decoder, which hands the label on with the frame, as its ``pts``.

    Numbers count from the first packet that is seen, so that they need `packets` from the beginning of the file.
    """
    if label == "pts":
        yield from packets
        return
    number = 0
    for packet in packets:
        if packet.size and not packet.is_discard:
            packet.pts = number if label == "number" else packet.dts
            number += 1
        yield packet


def decoded_labels(
    path: Path, label: Label, *, codec: str, span: Span | None = None, most: int | None = None
) -> list[int | None]:
    """Labels of the frames as the decoder shows them: slow, for files whose packets do not tell the order.

    Args:
        path: the file.
        label: which.
        codec: FFmpeg's name.
        span: part of the file; None for all of it.
        most: stop after so many packets; None to decode all.
    """
    with open_video(path, span=span) as container:
        stream = main_stream(container, path)
        show_in_order(stream, codec)
        packets = labelled(_until(container, stream, most), label)
        return [frame.pts for frame in decode(container, stream, packets)]


def _until(container: InputContainer, stream: VideoStream, most: int | None) -> Iterator[av.Packet]:
    for number, packet in enumerate(demux(container, stream)):
        if most is not None and number >= most:
            yield av.Packet(0)  # has the decoder hand out what it holds
            return
        yield packet
