"""Recordings that are damaged: bits and blocks of the file changed, at random, in five codecs.

Survived is what ends as documented, without a traceback and in time. Whether a head shows in damaged frames is judged
by `damage_fuzz.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.hostile_material import encode
from benchmarks.hostile_tool import Case, Verdict
from benchmarks.hostile_world import World

CODECS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {  # codec -> encoder, its options, containers
    "h264": ("libx264", {"crf": "20", "preset": "veryfast"}, ("mp4", "mkv", "ts", "avi", "mov")),
    "hevc": ("libx265", {"crf": "22", "preset": "ultrafast", "x265-params": "log-level=none"}, ("mp4", "mkv", "ts")),
    "vp9": ("libvpx-vp9", {"crf": "30", "b": "0", "cpu-used": "8", "deadline": "realtime"}, ("webm", "mkv")),
    "av1": ("libsvtav1", {"crf": "35", "preset": "12"}, ("mkv", "mp4", "webm")),
    "mjpeg": ("mjpeg", {"q": "4"}, ("avi", "mkv", "mov")),
}
MJPEG_FORMAT = "yuvj420p"


def _flip(data: bytearray, draws: random.Random) -> None:
    for _ in range(draws.choice((1, 10, 100, 1000))):
        data[draws.randrange(len(data))] ^= 1 << draws.randrange(8)


def _zeros(data: bytearray, draws: random.Random) -> None:
    at, length = draws.randrange(len(data)), draws.choice((16, 512, 8192))
    data[at : at + length] = bytes(len(data[at : at + length]))


def _noise(data: bytearray, draws: random.Random) -> None:
    at, length = draws.randrange(len(data)), draws.choice((16, 512, 8192))
    data[at : at + length] = draws.randbytes(len(data[at : at + length]))


def _cut(data: bytearray, draws: random.Random) -> None:
    del data[draws.randrange(len(data)) :]


def _lose(data: bytearray, draws: random.Random) -> None:
    at = draws.randrange(len(data))
    del data[at : at + draws.choice((1, 188, 4096))]


def _repeat(data: bytearray, draws: random.Random) -> None:
    at, length = draws.randrange(len(data)), draws.choice((188, 4096))
    data[at:at] = data[at : at + length]


def _exchange(data: bytearray, draws: random.Random) -> None:
    length = min(2048, len(data) // 4)
    one, two = (draws.randrange(len(data) - length) for _ in range(2))
    data[one : one + length], data[two : two + length] = data[two : two + length], data[one : one + length]


DAMAGE: dict[str, Callable[[bytearray, random.Random], None]] = {
    "flipped bits": _flip, "zeros": _zeros, "noise": _noise, "cut": _cut, "bytes lost": _lose,
    "bytes repeated": _repeat, "blocks exchanged": _exchange,
}  # fmt: skip


def fuzz(codec: str) -> Callable[[World], Iterator[Case]]:
    """The attempts on one codec."""

    def cases(world: World) -> Iterator[Case]:
        encoder, options, containers = CODECS[codec]
        draws = world.draws("fuzz", codec)
        for number in range(world.limit):
            container, damage = draws.choice(containers), draws.choice(list(DAMAGE))
            seed = draws.randrange(2**31)

            def attempt(folder: Path, container: str = container, damage: str = damage, seed: int = seed) -> Verdict:
                sound = world.work / "sound" / f"{codec}.{container}"
                if not sound.exists():
                    pix_fmt = MJPEG_FORMAT if codec == "mjpeg" else "yuv420p"
                    encode(sound, world.clips["cam1"].pictures, codec=encoder, options=options, pix_fmt=pix_fmt)
                data = bytearray(sound.read_bytes())
                DAMAGE[damage](data, random.Random(seed))
                videos = folder / "videos"
                videos.mkdir()
                (videos / f"cam1.{container}").write_bytes(data)
                return Verdict(world.tool.anonymize(videos, folder / "out").complaint)

            yield Case(f"fuzz {codec}", f"{number}: {container}, {damage}", attempt)

    return cases
