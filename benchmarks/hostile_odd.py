"""Recordings as they are: odd, but sound. FFmpeg keeps every picture of them, and so must the tool.

These are conditions that people meet with their own files; each is made on the spot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.hostile_material import Pictures, decode, encode
from benchmarks.hostile_tool import Case, Ran, Verdict
from benchmarks.hostile_world import World

DARK = 24  # mean level of 255 below which a whole picture is black


@dataclass(frozen=True)
class Right:
    """What is right for a recording.

    Attributes:
        pictures: how many pictures its outputs hold, all cameras together.
        cameras: how many cameras the run sees.
        seconds: from the first picture to the end of the last, if that is to be judged.
        told_is_enough: exit codes 1 and 2 are right, too: the run says what it leaves out, or why it refuses.
    """

    pictures: int
    cameras: int = 1
    seconds: float | None = None
    told_is_enough: bool = False


def outputs_of(out: Path) -> list[Path]:
    """The anonymized recordings in an output folder."""
    return (
        [p for p in sorted(out.iterdir()) if p.name not in ("stages", "audit.json", "report.html")]
        if out.is_dir()
        else []
    )


def judge(ran: Ran, out: Path, right: Right) -> Verdict:
    """Whether all pictures are there, and none is black for nothing."""
    if ran.complaint or (ran.code and right.told_is_enough):
        return Verdict(ran.complaint)
    if ran.code == 2:
        return Verdict(f"refused: {ran.said}")
    outputs = outputs_of(out)
    kept = [decode(path) for path in outputs]
    count = sum(map(len, kept))
    black = sum(int((pictures.reshape(len(pictures), -1).mean(axis=1) < DARK).sum()) for pictures in kept)
    told = f"exit code {ran.code}"
    if len(outputs) != right.cameras and "part" not in ran.out + ran.err:
        return Verdict(f"{len(outputs)} outputs instead of {right.cameras}, {told}")
    if count < right.pictures or black:
        return Verdict(f"{count} of {right.pictures} pictures, {black} of them black, {told}")
    if (
        right.seconds is not None
        and outputs[0].is_file()
        and abs(_seconds(outputs[0]) - right.seconds) > 0.5 / max(1, right.pictures)
    ):
        return Verdict(f"lasts {_seconds(outputs[0]):.3f} s instead of {right.seconds:.3f} s, {told}")
    return Verdict()


def _seconds(path: Path) -> float:
    """From the first picture to the end of the last."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = sorted((p.pts, p.duration or 0) for p in container.demux(stream) if p.pts is not None)
        return float((times[-1][0] + times[-1][1] - times[0][0]) * Fraction(stream.time_base))


def odd(world: World) -> Iterator[Case]:
    """Conditions that are made here."""
    pictures = world.clips["cam1"].pictures
    count, fast = len(pictures), {"rate": 25}
    made: dict[str, tuple[Right, Callable[[Path], object]]] = {
        "B-frames in AVI": (Right(count), lambda f: encode(f / "cam1.avi", pictures, b_frames=2)),
        "B-frames in MP4 without ctts": (Right(count), lambda f: _without_ctts(f / "cam1.mp4", pictures)),
        "pictures hidden by an edit list": (Right(count - 2), lambda f: _without_ctts(
            f / "cam1.mp4", pictures, edit_list=True)),
        "B-frames in MXF": (Right(count), lambda f: encode(f / "cam1.mxf", pictures, b_frames=2, **fast)),
        "MPEG-4 with B-frames in AVI": (Right(count), lambda f: encode(
            f / "cam1.avi", pictures, codec="mpeg4", options={"q": "3"}, b_frames=1, **fast)),
        "WMV": (Right(count), lambda f: encode(
            f / "cam1.wmv", pictures, codec="wmv2", options={"b": "4M"}, **fast)),
        "TS whose clock restarts": (Right(2 * count), lambda f: _joined(f, pictures, 0, 0)),
        "TS whose clock jumps back": (Right(2 * count), lambda f: _joined(f, pictures, 1000, 0)),
        "TS whose clock jumps ahead": (Right(2 * count), lambda f: _joined(f, pictures, 0, 1000)),
        "TS that starts at 25 h": (Right(count), lambda f: encode(f / "cam1.ts", pictures, first=25 * 36000)),
        "TS that changes size": (Right(2 * count, told_is_enough=True), lambda f: _joined(
            f, pictures, 0, 0, half=True)),
        "two video streams": (Right(2 * count, cameras=2, told_is_enough=True), lambda f: _two_streams(f, pictures)),
        "half a picture a second": (Right(count, seconds=2.0 * count), lambda f: encode(
            f / "cam1.mp4", pictures, rate=Fraction(1, 2))),
        "500 pictures a second": (Right(count, seconds=count / 500), lambda f: encode(
            f / "cam1.mp4", pictures, rate=500)),
        "one picture": (Right(1), lambda f: encode(f / "cam1.mp4", pictures[:1])),
        "4:4:4 and 10 bits": (Right(count), lambda f: encode(f / "cam1.mkv", pictures, pix_fmt="yuv444p10le")),
        "odd sides": (Right(count), lambda f: encode(f / "cam1.mkv", pictures[:, 1:, 1:], pix_fmt="yuv444p")),
        "multi-page TIFF": (Right(count, told_is_enough=True), lambda f: _pages(f, pictures)),
        "pictures in steps of 40": (Right(count), lambda f: _numbered(f, pictures, range(0, 40 * count, 40))),
        "pictures named by epoch milliseconds": (Right(count), lambda f: _numbered(
            f, pictures, range(1700000000000, 1700000000000 + 100 * count, 100))),
        "parts beside one another": (Right(2 * count, cameras=2), lambda f: _parts(world, f, "{}_{:03d}.mp4")),
        "a folder of parts per camera": (Right(2 * count, cameras=2), lambda f: _parts(world, f, "{}/{:03d}.mp4")),
        "a recycle bin beside": (Right(count), lambda f: _bin(f, pictures)),
    }  # fmt: skip
    for name, (right, make) in made.items():

        def attempt(folder: Path, right: Right = right, make: Callable[[Path], object] = make) -> Verdict:
            videos, out = folder / "videos", folder / "out"
            videos.mkdir()
            make(videos)
            return judge(world.tool.anonymize(videos, out), out, right)

        yield Case("odd recordings", name, attempt)


def _without_ctts(path: Path, pictures: Pictures, *, edit_list: bool = False) -> None:
    """Presentation times that are only those of decoding; an `edit_list` then hides the first two pictures."""
    data = encode(path, pictures, b_frames=2).read_bytes().replace(b"ctts", b"free")
    path.write_bytes(data if edit_list else data.replace(b"edts", b"free"))


def _joined(folder: Path, pictures: Pictures, first: int, second: int, *, half: bool = False) -> None:
    small = np.ascontiguousarray(pictures[:, ::2, ::2]) if half else pictures
    parts = [encode(folder / "1.ts", small, first=first), encode(folder / "2.ts", pictures, first=second)]
    (folder / "cam1.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    for part in parts:
        part.unlink()


def _two_streams(folder: Path, pictures: Pictures) -> None:
    with av.open(str(folder / "cam1.mkv"), "w") as output:
        streams: list[Any] = [output.add_stream("libx264", rate=10) for _ in range(2)]
        for stream, step in zip(streams, (2, 1), strict=True):
            stream.height, stream.width = (side // step for side in pictures.shape[1:3])
            stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            for stream, step in zip(streams, (2, 1), strict=True):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[::step, ::step]), format="bgr24")
                frame.pts = number
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))


def _pages(folder: Path, pictures: Pictures) -> None:
    (folder / "cam1").mkdir()
    half = len(pictures) // 2
    for number, pages in enumerate((pictures[:half], pictures[half:])):
        cv2.imwritemulti(str(folder / "cam1" / f"stack_{number:04d}.tif"), list(pages))


def _numbered(folder: Path, pictures: Pictures, numbers: range) -> None:
    (folder / "cam1").mkdir()
    for number, picture in zip(numbers, pictures, strict=True):
        cv2.imwrite(str(folder / "cam1" / f"frame_{number:06d}.png"), picture)


def _parts(world: World, folder: Path, name: str) -> None:
    for camera, clip in world.clips.items():
        half = len(clip.pictures) // 2
        for number, pictures in enumerate((clip.pictures[:half], clip.pictures[half:])):
            encode(folder / name.format(camera, number), pictures)


def _bin(folder: Path, pictures: Pictures) -> None:
    encode(folder / "cam1.mp4", pictures)
    encode(folder / "$RECYCLE.BIN" / "$R1.mp4", pictures)
    encode(folder / "@eaDir" / "cam1.mp4", pictures)
