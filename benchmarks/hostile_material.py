"""A few frames of the simulated session that ships, with the places of all faces, and a judge of what an output shows.

A face is shown where most of its brighter pixels are as in the source. Judged are faces that an undisturbed run covers:
what the networks miss by themselves is no fault of what is tried here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
Shown = set[tuple[str, int, int]]  # camera, frame, number of the face in that frame

RATE = 10  # frames/s of the simulated session
LEAST_HEIGHT, LEAST_VISIBLE, MOST_ANGLE = 12.0, 0.5, 75.0  # px, share, degrees: faces that anyone would recognize
BRIGHT, LEAST_BRIGHT = 50, 20  # levels of 255 and how many pixels; darker ones tell nothing beside a black region
SAME, SHARE = 25, 0.5  # most difference of a pixel that is as in the source; share of such pixels in a shown face


@dataclass(frozen=True)
class Clip:
    """A camera's frames (N, height, width, 3) BGR, and per frame the boxes (M, 4) of its faces in pixels."""

    pictures: Pictures
    faces: Sequence[NDArray[np.float64]]


def read_clip(data: Path, camera: str, *, first: int, count: int) -> Clip:
    """`count` frames of a camera of the simulated session in `data`, with the faces that would be recognized."""
    pictures = decode(data / "recording" / f"{camera}.mp4")[first : first + count]
    people = {
        name: np.array(rows)
        for name, rows in pq.read_table(data / f"truth/{camera}.people.parquet").to_pydict().items()
    }
    box = people["face_box"]
    counts = (box[:, 3] - box[:, 1] >= LEAST_HEIGHT) & (people["face_angle"] <= MOST_ANGLE)
    counts &= people["face_visible"] >= LEAST_VISIBLE * np.maximum(1, people["face_pixels"])
    return Clip(pictures, [box[counts & (people["frame"] == number)] for number in range(first, first + count)])


def decode(path: Path) -> Pictures:
    """All frames of a video, or of a folder of pictures, that can be decoded, as (N, height, width, 3) BGR.

    Raises:
        OSError: nothing can be read; `av.error.FFmpegError` is one.
    """
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    pictures: list[Pictures] = []
    for file in files:
        with av.open(str(file)) as container:
            pictures += [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    if not pictures:
        raise OSError(f"{path} holds no picture")
    height, width = pictures[0].shape[:2]
    return np.stack([picture for picture in pictures if picture.shape[:2] == (height, width)])


def encode(path: Path, pictures: Pictures, **how: Any) -> Path:
    """Write a video; `how`: `codec`, `options`, `rate`, `b_frames`, `gop`, `container`, `pix_fmt`, `first`."""
    values = {"codec": "libx264", "options": {"crf": "14"}, "rate": RATE, "b_frames": 0, "gop": 4}
    values |= {"container": None, "pix_fmt": "yuv420p", "first": 0} | how
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=values["container"]) as output:
        stream: Any = output.add_stream(values["codec"], rate=values["rate"], options=values["options"])
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = values["pix_fmt"]
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = values["gop"], values["b_frames"]
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=values["pix_fmt"])
            frame.pts = values["first"] + number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def shown(clips: dict[str, Clip], outputs: dict[str, Path]) -> Shown:
    """The faces that can be seen in the outputs; a missing or unreadable output shows none."""
    found: Shown = set()
    for camera, path in outputs.items():
        try:
            pictures = decode(path)
        except OSError:
            continue
        clip = clips[camera]
        for number, (before, after, faces) in enumerate(zip(clip.pictures, pictures, clip.faces, strict=False)):
            if before.shape == after.shape:
                found |= {(camera, number, face) for face in faces_shown(before, after, faces)}
    return found


def faces_shown(before: Pictures, after: Pictures, faces: NDArray[np.float64]) -> Iterable[int]:
    """Numbers of the faces of one frame that look in the output as they do in the source."""
    for face, (x1, y1, x2, y2) in enumerate(faces.astype(int).tolist()):
        source, output = (picture[max(0, y1) : y2, max(0, x1) : x2].astype(int) for picture in (before, after))
        bright = source.mean(axis=2) > BRIGHT
        if bright.sum() >= LEAST_BRIGHT and (np.abs(source - output).max(axis=2)[bright] < SAME).mean() > SHARE:
            yield face
