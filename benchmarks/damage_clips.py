"""Short clips of the simulated session in the common codecs and containers, sound and damaged."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

RECORDING = Path(__file__).parents[1] / "data" / "simulated_session" / "recording"
CAMERAS = ("cam1", "cam2", "cam3", "cam4")
FRAMES, RATE = 30, 25
X265 = "log-level=none:frame-threads=1"
CODECS: dict[str, tuple[str, tuple[str, ...], tuple[dict[str, str], ...]]] = {  # encoder, containers, options
    "h264": ("libx264", (".mp4", ".mkv", ".ts"), ({"preset": "veryfast"}, {"preset": "medium", "bf": "3"})),
    "hevc": (
        "libx265",
        (".mp4", ".mkv", ".ts"),
        tuple(
            {"preset": "veryfast", "x265-params": X265 + more}
            for more in (":pools=2", ":pools=1", ":pools=2:bframes=0", ":pools=1:open-gop=0:slices=2")
        ),
    ),
    "vp9": ("libvpx-vp9", (".webm", ".mp4"), ({"deadline": "realtime", "cpu-used": "6"},)),
    "av1": ("libsvtav1", (".mp4", ".mkv"), ({"preset": "11", "svtav1-params": "lp=1"},)),
    "mjpeg": ("mjpeg", (".avi", ".mov"), ({},)),
}
QUALITIES = {"h264": (20, 26, 32), "hevc": (20, 26, 32), "vp9": (24, 32, 40), "av1": (28, 36, 46), "mjpeg": (3, 6, 12)}
COARSE = {"h264": 44, "hevc": 44, "vp9": 60, "av1": 60, "mjpeg": 30}


@dataclass(frozen=True)
class Clip:
    """What a clip is made of; frame `i` of it is frame ``first + i`` of the camera's recording."""

    codec: str
    camera: str
    first: int
    suffix: str
    gop: int
    quality: int
    options: tuple[tuple[str, str], ...]
    kind: str  # of damage: "bits", "lost" or "short"; of sound clips: of the picture

    @classmethod
    def choose(cls, choice: random.Random, codec: str) -> Clip:
        """One at random."""
        _, suffixes, options = CODECS[codec]
        return cls(
            codec,
            choice.choice(CAMERAS),
            choice.randrange(60),
            choice.choice(suffixes),
            choice.choice((5, 12, FRAMES)),
            choice.choice(QUALITIES[codec]),
            tuple(choice.choice(options).items()),
            choice.choice(("bits", "bits", "bits", "lost", "short")),
        )


@lru_cache(maxsize=4)
def pictures(camera: str) -> list[av.VideoFrame]:
    """All frames of a camera's recording."""
    with av.open(str(RECORDING / f"{camera}.mp4")) as container:
        return list(container.decode(video=0))


def write_clip(stem: Path, clip: Clip, *, look: str = "plain") -> Path:
    """Encode a clip; `look` changes its pictures ("plain", "noise", "flicker")."""
    path = stem.with_suffix(clip.suffix)
    noise = np.random.default_rng(clip.first)
    # without Matroska's checksums, which would tell of damage by themselves
    options = {"write_crc32": "0"} if clip.suffix in (".mkv", ".webm") else {}
    with av.open(str(path), "w", container_options=options) as output:
        frames = pictures(clip.camera)[clip.first : clip.first + FRAMES]
        stream = output.add_stream(CODECS[clip.codec][0], rate=RATE, options=dict(clip.options) | _quality(clip))
        stream.width, stream.height = frames[0].width, frames[0].height
        stream.pix_fmt = "yuvj420p" if clip.codec == "mjpeg" else "yuv420p"
        context = stream.codec_context
        context.thread_count, context.gop_size, context.time_base = 1, clip.gop, Fraction(1, RATE)
        if clip.codec == "mjpeg":
            context.qscale, context.global_quality = True, 118 * clip.quality
        for number, frame in enumerate(frames):
            changed = _changed(frame, look, number, noise).reformat(format=stream.pix_fmt)
            changed.pts, changed.time_base, changed.pict_type = number, Fraction(1, RATE), 0
            output.mux(stream.encode(changed))
        output.mux(stream.encode(None))
    return path


def sound_clips(folder: Path, codec: str, looks: Sequence[str]) -> Iterator[Path]:
    """For every camera and look one sound clip."""
    _, suffixes, options = CODECS[codec]
    for number, camera in enumerate(CAMERAS):
        for look in looks:
            quality = COARSE[codec] if look == "coarse" else QUALITIES[codec][1]
            suffix = suffixes[number % len(suffixes)]
            clip = Clip(codec, camera, 20, suffix, 12, quality, tuple(options[number % len(options)].items()), look)
            yield write_clip(folder / f"{camera}_{look}", clip, look=look)


def damage(sound: Path, clip: Clip, choice: random.Random) -> Path:
    """A damaged copy of the file `sound`."""
    path = sound.with_stem("damaged")
    if clip.kind == "bits":
        data = bytearray(sound.read_bytes())
        places = _packet_bytes(sound, data)
        for _ in range(choice.randint(10, 100)):
            data[choice.choice(places)] ^= 1 << choice.randrange(8)
        path.write_bytes(bytes(data))
        return path
    if clip.suffix == ".ts" and clip.kind == "lost":
        data = bytearray(sound.read_bytes())
        for _ in range(choice.randint(1, 3)):
            place = choice.randrange(len(data) // 188 // 8, len(data) // 188) * 188
            del data[place : place + 188]
        path.write_bytes(bytes(data))
        return path
    with av.open(str(sound)) as source, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0], opaque=True)
        packets = [packet for packet in source.demux(video=0) if packet.size]
        hit = set(choice.sample(range(1, len(packets)), choice.randint(1, 3)))
        for number, packet in enumerate(packets):
            if number in hit and clip.kind == "lost":
                continue
            if number in hit:
                shorter = av.Packet(bytes(packet)[: max(8, packet.size * choice.randrange(20, 95) // 100)])
                shorter.pts, shorter.dts, shorter.time_base = packet.pts, packet.dts, packet.time_base
                shorter.is_keyframe = packet.is_keyframe
                packet = shorter
            packet.stream = stream
            with suppress(FFmpegError):  # what the container does not take is lost
                output.mux(packet)
    return path


def _packet_bytes(path: Path, data: bytearray) -> list[int]:
    """Places in the file of all bytes of its packets."""
    places: list[int] = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            content = bytes(packet)
            if path.suffix == ".ts":
                return [place for place in range(188 * 8, len(data)) if place % 188 > 12]
            found = data.find(content, packet.pos or 0) if content else -1
            if found >= 0:
                places += range(found, found + len(content))
    return places


def _quality(clip: Clip) -> dict[str, str]:
    if clip.codec == "mjpeg":
        return {}
    return {"crf": str(clip.quality)} | ({"b": "0"} if clip.codec == "vp9" else {})


def _changed(frame: av.VideoFrame, look: str, number: int, noise: np.random.Generator) -> av.VideoFrame:
    if look not in ("noise", "flicker"):
        return frame
    rgb: NDArray[np.float64] = frame.to_ndarray(format="rgb24").astype(float)
    rgb = rgb + noise.normal(0, 14, rgb.shape) if look == "noise" else rgb * (1.7 if number % 7 == 0 else 0.5)
    return av.VideoFrame.from_ndarray(np.clip(rgb, 0, 255).astype(np.uint8), format="rgb24")
