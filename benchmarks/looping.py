"""Clips for measuring, made without re-encoding: looped to any length, or timed evenly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av


def loop_clip(clip: Path, destination: Path, *, frames: int) -> int:
    """Repeat the packets of `clip` until at least `frames` are there, timestamps going on; the number written."""
    with av.open(clip) as reader:
        stream = reader.streams.video[0]
        packets = [packet for packet in reader.demux(stream) if packet.pts is not None]
        times = [(packet.pts, packet.dts, packet.duration) for packet in packets]
        shown = sorted(pts for pts, dts, _ in times if pts is not None and dts is not None)
        if len(shown) < max(2, len(packets)):
            raise SystemExit(f"{clip} cannot be looped: expected two or more packets, all with timestamps.")
        length = shown[-1] - shown[0] + round((shown[-1] - shown[0]) / (len(shown) - 1))
        repeats = -(-frames // len(packets))
        with av.open(destination, "w") as writer:
            output = writer.add_stream_from_template(stream)
            for turn in range(repeats):
                for packet, (pts, dts, duration) in zip(packets, times, strict=True):
                    packet.stream = output
                    if stream.time_base is not None:
                        packet.time_base = stream.time_base  # the muxer rescales packets in place
                    packet.pts, packet.dts = (pts or 0) + turn * length, (dts or 0) + turn * length
                    packet.duration = duration or 0
                    writer.mux(packet)
    return len(packets) * repeats


def time_evenly(clip: Path, destination: Path, *, fps: int) -> None:
    """Copy the packets of `clip`, one frame every 1 / `fps` seconds: for tools that keep no timestamps."""
    with av.open(clip) as reader, av.open(destination, "w") as writer:
        stream = reader.streams.video[0]
        packets = [packet for packet in reader.demux(stream) if packet.pts is not None]
        rank = {pts: place for place, pts in enumerate(sorted(packet.pts or 0 for packet in packets))}
        behind = max(place - rank[packet.pts or 0] for place, packet in enumerate(packets))
        output = writer.add_stream_from_template(stream)
        for place, packet in enumerate(packets):
            packet.stream = output
            packet.time_base = Fraction(1, fps)
            packet.pts, packet.dts, packet.duration = rank[packet.pts or 0], place - behind, 1
            writer.mux(packet)


def count_frames(path: Path) -> int:
    """Video packets in `path`."""
    with av.open(path) as container:
        return sum(packet.pts is not None for packet in container.demux(container.streams.video[0]))


def clip_facts(clip: Path) -> dict[str, Any]:
    """Size, rate and codec of the clip."""
    with av.open(clip) as container:
        stream = container.streams.video[0]
        size = f"{stream.width}x{stream.height}"
        return {"size": size, "fps": float(stream.average_rate or 0), "codec": stream.codec_context.name}
