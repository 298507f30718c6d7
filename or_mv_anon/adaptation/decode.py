"""Decodes chosen frames of the recordings into memory, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.core.pictures import Picture, PictureBank
from or_mv_anon.core.workers import available_cores
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.segments import Segment

FARTHEST_S = 10.0  # seconds between chosen frames from which on seeking is faster than decoding through


def picture_size(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    """Width and height of a picture of `size` reduced to `long_side` pixels; never enlarged."""
    factor = min(1.0, long_side / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def decode_pictures(images: Sequence[LabelledImage], cameras: Mapping[str, CameraPlan], *, title: str) -> PictureBank:
    """The pictures of all `images`, at their sizes; frames that cannot be decoded are left out.

    Args:
        images: what to decode, by camera and frame of the recording.
        cameras: where each camera's recording is.
        title: of the progress bar.
    """
    by_camera: dict[str, dict[int, LabelledImage]] = {}
    for image in images:
        by_camera.setdefault(image.camera, {})[image.frame] = image
    pictures: dict[int, Picture] = {}
    with ThreadPoolExecutor(available_cores()) as pool, tqdm(total=len(images), desc=title, unit="picture") as bar:
        jobs = [pool.submit(_decode, cameras[name], wanted, bar) for name, wanted in sorted(by_camera.items())]
        for job in as_completed(jobs):
            pictures.update(job.result())
    return PictureBank(dict(sorted(pictures.items())))


def read_frames(plan: CameraPlan, frames: Sequence[int]) -> Iterator[Frame]:
    """Some frames of a recording, numbered over its file, ascending; those that cannot be decoded are left out."""
    source = open_camera(plan.camera, plan.store, bound=False)
    chosen = np.unique(np.asarray(frames, np.int64))
    wanted = np.zeros(source.n_frames, bool)
    wanted[chosen] = True
    for first, stop in _stretches(chosen, source.times):
        yield from source.frames(Segment(0, first, stop), wanted=wanted)


def _decode(plan: CameraPlan, wanted: Mapping[int, LabelledImage], bar: tqdm) -> dict[int, Picture]:
    pictures = {}
    for frame in read_frames(plan, sorted(wanted)):
        image = wanted[frame.index]
        pictures[image.number] = frame.bgr(*image.size).copy()  # the frame's own memory is larger
        bar.update()
    return pictures


def _stretches(frames: NDArray[np.int64], times: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Spans of neighbouring frames that are decoded in one go."""
    if len(frames):
        breaks = np.flatnonzero(np.diff(times[frames]) > FARTHEST_S) + 1
        for part in np.split(frames, breaks):
            yield int(part[0]), int(part[-1]) + 1
