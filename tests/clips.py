"""Small generated video files for tests, each with one property that real recordings have.

The picture is a moving gradient with a bright square, different in every frame, so that swapped, shifted or lost
frames are noticed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("SVT_LOG", "1")

QUIET = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=error:pools=1:frame-threads=1"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}


def picture(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Frame `number` as (height, width, 3) BGR."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([x * 3 + 7 * number, y * 3 + 3 * number, (x + y) * 2 + 5 * number], axis=2)
    image = 30 + image % 180
    left, top = number * 3 % max(1, width - 8), number * 2 % max(1, height - 8)
    image[top : top + 8, left : left + 8] = 230
    return image.astype(np.uint8)


def write_clip(
    path: Path,
    *,
    frames: int = 30,
    size: tuple[int, int] = (64, 48),
    rate: int = 30,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    time_base: Fraction | None = None,
    pts: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    container: str | None = None,
    container_options: dict[str, str] | None = None,
    rotation: int | None = None,
    flip: bool = False,
    gop: int = 10,
    b_frames: int = 0,
    color: tuple[int, int, int, int] | None = None,
    aspect: Fraction | None = None,
    audio: str | None = None,
    metadata: dict[str, str] | None = None,
    subtitles: bool = False,
    chapters: bool = False,
) -> Path:
    """Write a clip and return its path.

    Args:
        path: the suffix decides the container, unless `container` names it.
        frames: how many.
        size: coded (width, height).
        rate: nominal frames per second.
        codec: FFmpeg encoder.
        pix_fmt: of the stream.
        time_base: clock of the stream, default 1 / (rate × 512).
        pts: ticks of every frame, default evenly spaced.
        options: of the encoder, on top of fast ones.
        container: FFmpeg muxer.
        container_options: of the muxer.
        rotation: display rotation in degrees counter-clockwise.
        flip: mirrored display.
        gop: frames between keyframes.
        b_frames: B-frames in a row.
        color: primaries, transfer, matrix and range numbers.
        aspect: sample aspect ratio.
        audio: encoder of an audio track of beeps, such as "aac".
        metadata: of the container.
        subtitles: add a text track.
        chapters: add two chapters.
    """
    time_base = time_base or Fraction(1, rate * 512)
    ticks = list(pts) if pts is not None else [round(i / rate / time_base) for i in range(frames)]
    muxer_options = dict(container_options or {})
    if path.suffix in (".mp4", ".mov") and container is None:
        muxer_options.setdefault("video_track_timescale", str(time_base.denominator))
        muxer_options.setdefault("movie_timescale", str(time_base.denominator))
    with av.open(str(path), "w", format=container, container_options=muxer_options) as output:
        output.metadata.update(metadata or {})
        stream: Any = output.add_stream(
            codec, rate=rate, options=QUIET.get(codec, {}) | (options or {}), width=size[0], height=size[1],
            time_base=time_base,
        )  # fmt: skip
        stream.pix_fmt = pix_fmt
        context = stream.codec_context
        context.thread_count = 1
        context.gop_size = gop
        context.max_b_frames = b_frames
        if color is not None:
            context.color_primaries, context.color_trc, context.colorspace, context.color_range = color
        if aspect is not None:
            context.sample_aspect_ratio = aspect
        if rotation is not None or flip:
            stream.set_display_rotation(rotation or 0, hflip=flip)
        sound = _Beeps(output, audio, start=float(ticks[0] * time_base)) if audio else None
        if subtitles:
            text: Any = output.add_mux_stream("mov_text" if path.suffix == ".mp4" else "subrip")
            text.time_base = Fraction(1, 1000)
        if chapters:
            chapter: Any = {"start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "Jane Doe"}}
            output.set_chapters([chapter | {"id": 1}, chapter | {"id": 2, "start": 500, "end": 1000}])
        output.start_encoding()
        if subtitles:
            _add_subtitle(output, text, framed=path.suffix == ".mp4")
        for number, tick in enumerate(ticks):
            image = av.VideoFrame.from_ndarray(picture(number, *size), format="bgr24")
            frame = image.reformat(format=pix_fmt) if pix_fmt != "bgr24" else image
            frame.pts, frame.time_base = tick, time_base
            output.mux(stream.encode(frame))
            if sound is not None:
                sound.write(until=float(tick * time_base))
        output.mux(stream.encode(None))
        if sound is not None:
            sound.close()
    return path


class _Beeps:
    """An audio track that is written along with the picture."""

    def __init__(self, output: Any, codec: str, *, start: float) -> None:
        self._output = output
        self._stream = output.add_stream(codec, rate=48000)
        self._stream.codec_context.layout = "mono"
        self._start = round(start * 48000)
        self._samples = 0

    def write(self, until: float) -> None:
        context = self._stream.codec_context
        size = context.frame_size or 1024
        while self._start + self._samples < until * 48000:
            wave = (8000 * np.sin(np.arange(self._samples, self._samples + size) * 0.06)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
            frame.sample_rate = 48000
            frame.pts, frame.time_base = self._start + self._samples, Fraction(1, 48000)
            resampler = av.AudioResampler(format=context.format.name, layout="mono", rate=48000)
            for converted in resampler.resample(frame):
                self._output.mux(self._stream.encode(converted))
            self._samples += size

    def close(self) -> None:
        self._output.mux(self._stream.encode(None))


def _add_subtitle(output: Any, text: Any, *, framed: bool) -> None:
    words = b"Patient: Jane Doe"
    packet = av.Packet(len(words).to_bytes(2, "big") + words if framed else words)
    packet.pts = packet.dts = 0
    packet.duration, packet.time_base, packet.stream = 500, Fraction(1, 1000), text
    output.mux(packet)


def write_packets(source: Path, target: Path, keep: Callable[[int, bytes], bytes | None], **options: Any) -> Path:
    """The packets of a file, each as `keep` makes it of its number and data; None leaves it out."""
    with av.open(str(source)) as given, av.open(str(target), "w", **options) as output:
        stream = output.add_stream_from_template(given.streams.video[0], opaque=True)
        for number, packet in enumerate(packet for packet in given.demux(video=0) if packet.size):
            if (data := keep(number, bytes(packet))) is not None:
                changed = av.Packet(data)
                changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
                changed.is_keyframe, changed.stream = packet.is_keyframe, stream
                output.mux(changed)
    return target


def write_together(sources: Sequence[Path], target: Path) -> Path:
    """A file with the pictures of several files, each as a stream of its own."""
    with av.open(str(target), "w") as output:
        opened = [av.open(str(path)) for path in sources]
        streams = [output.add_stream_from_template(source.streams.video[0], opaque=True) for source in opened]
        for source, stream in zip(opened, streams, strict=True):
            for packet in source.demux():
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
    return target
