"""One camera's media, be they a video file or a folder of pictures: how it is opened, written and put in place."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.anonymization.render import Writer
from or_mv_anon.config import VideoConfig
from or_mv_anon.errors import UserError
from or_mv_anon.files import write_atomically
from or_mv_anon.site import DEFAULT_PICTURE_RATE, Camera
from or_mv_anon.store import RunStore
from or_mv_anon.video.check import check_video
from or_mv_anon.video.encoding import Encoding
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.images import ImageFolderSource, ImageSegmentWriter, join_image_segments
from or_mv_anon.video.index import VideoIndex, index_video
from or_mv_anon.video.join import join_segments
from or_mv_anon.video.pages import refuse_stacks
from or_mv_anon.video.parts import index_recording
from or_mv_anon.video.reader import Source, VideoSource
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import source_of
from or_mv_anon.video.writer import SegmentWriter

INDEX = "index.json"
BLOCK = 1 << 20  # bytes read at once


@dataclass(frozen=True)
class CameraPlan:
    """One camera's part of a run: what to read, where to write, and how it is cut.

    Attributes:
        camera: as found in the site folder.
        store: folder of the session's `RunStore`.
        segments: in order; together they are the part of the recording that is processed.
        shift: ticks taken off every timestamp (0 unless only a part is processed).
        encoding: of the output video; None for pictures, which stay pictures.
        destination: the output file or folder.
    """

    camera: Camera
    store: Path
    segments: tuple[Segment, ...]
    shift: int
    encoding: Encoding | None
    destination: Path

    @property
    def first(self) -> int:
        """The source's frame that is frame 0 of this run."""
        return self.segments[0].first

    @property
    def stop(self) -> int:
        """The source's frame behind the last one of this run."""
        return self.segments[-1].stop

    def file(self, stage: str, segment: Segment | None = None, suffix: str = ".parquet") -> str:
        """Name of a stage's file in the store."""
        number = "" if segment is None else f"-{segment.number:05d}"
        return f"{self.camera.name}/{stage}{number}{suffix}"

    def stage(self, name: str, segment: Segment | None = None) -> str:
        """Key of a stage in the store's manifest."""
        return f"{self.camera.name}/{name}" + ("" if segment is None else f"/{segment.number:05d}")

    def segment_file(self, segment: Segment) -> str:
        """Name of a rendered segment in the store."""
        return self.file("video", segment, "" if self.encoding is None else ".mp4")


@dataclass(frozen=True, eq=False)
class PictureFacts:
    """A folder of pictures described as if it were a stream."""

    pts: NDArray[np.int64]
    times: NDArray[np.float64]
    time_base: Fraction
    upright_size: tuple[int, int]
    codec: str
    seekable: bool = True
    truncated: str | None = None
    rotation: int = 0
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def keyframes(self) -> NDArray[np.int64]:
        """Every picture stands alone."""
        return self.pts

    @property
    def n_frames(self) -> int:
        """Number of pictures."""
        return len(self.pts)

    @property
    def start_time(self) -> float:
        """Seconds of the first picture."""
        return float(self.times[0])

    @property
    def duration(self) -> float:
        """Seconds from the first picture to the end of the last."""
        return float(self.times[-1] - self.times[0] + self.time_base)

    @property
    def average_rate(self) -> Fraction:
        """Pictures per second if none is left out."""
        return 1 / self.time_base


def index_camera(camera: Camera, store: RunStore) -> VideoIndex | PictureFacts:
    """What the camera holds; a video's index is kept in the store for the workers.

    Raises:
        UserError: it cannot be read.
    """
    if camera.holds_pictures:
        source = _pictures_of(camera)
        refuse_stacks(source.files)
        codec = source.files[0].suffix.lower().removeprefix(".")
        notes = ("The transparency of its pictures is not kept.",) if source.transparent else ()
        return PictureFacts(source.pts, source.times, source.time_base, source.upright_size, codec, notes=notes)
    index = index_recording(camera.files)
    path = store.path(f"{camera.name}/{INDEX}")
    # Only the files' names are kept: the folders above may name patients, and may be elsewhere in a later run.
    content = json.dumps(index.placed({file: Path(file.name) for file in _videos_of(camera)}).to_json())
    write_atomically(path, lambda partial: partial.write_text(content))
    return index


def open_camera(camera: Camera, store: Path) -> Source:
    """The camera's frames, as `index_camera` found them."""
    if camera.holds_pictures:
        return _pictures_of(camera)
    return source_of(_stored_index(camera, store))


def _pictures_of(camera: Camera) -> ImageFolderSource:
    return ImageFolderSource(camera.files, fps=camera.fps or DEFAULT_PICTURE_RATE)


def _stored_index(camera: Camera, store: Path) -> VideoIndex:
    path = store / camera.name / INDEX
    index = _parsed_index(path, path.stat().st_mtime_ns)
    return index.placed({Path(file.name): file for file in _videos_of(camera)})


def _videos_of(camera: Camera) -> list[Path]:
    """The camera's video, or its parts."""
    return [camera.files] if isinstance(camera.files, Path) else list(camera.files)


@lru_cache(maxsize=4)
def _parsed_index(path: Path, modified: int) -> VideoIndex:
    return VideoIndex.from_json(json.loads(path.read_text()))


def open_writer(
    plan: CameraPlan, segment: Segment, config: VideoConfig, *, threads: int
) -> AbstractContextManager[Writer]:
    """A writer for one segment of the output."""
    path = RunStore(plan.store).path(plan.segment_file(segment))
    if plan.encoding is None:
        return ImageSegmentWriter(path, _pictures_of(plan.camera))
    index = _stored_index(plan.camera, plan.store)
    return SegmentWriter(
        path, index, plan.encoding, crf=config.crf, preset=config.preset, shift=plan.shift, threads=threads
    )


def read_back(plan: CameraPlan, segment: Segment) -> Iterator[Frame]:
    """The frames of a rendered segment, decoded from the file."""
    path = plan.store / plan.segment_file(segment)
    source: Source
    if plan.encoding is None:
        source = ImageFolderSource(path, fps=plan.camera.fps or DEFAULT_PICTURE_RATE)
    elif path.stat().st_size == 0:  # no frame of the segment could be decoded
        return iter(())
    else:
        source = VideoSource(index_video(path))
    return source.frames(Segment(0, 0, source.n_frames))


def publish(plan: CameraPlan, expected_pts: NDArray[np.int64], *, audio: bool) -> list[str]:
    """Join the rendered segments, check the result and put it in its place in one step.

    Args:
        plan: whose segments are all rendered.
        expected_pts: ``(N,)`` timestamps that the output must have, in ticks of the source's time base.
        audio: copy the source's sound.

    Returns:
        Sentences about what could not be kept.

    Raises:
        VerificationError: the joined file is not what it must be; nothing is put in place.
    """
    paths = [plan.store / plan.segment_file(segment) for segment in plan.segments]
    if plan.encoding is None:
        join_image_segments(paths, plan.destination, expected=len(expected_pts))
        return []
    index = _stored_index(plan.camera, plan.store)
    joined = plan.store / plan.camera.name / f"joined{plan.encoding.suffix}"
    notes = join_segments(index, paths, joined, audio=audio, shift=plan.shift)
    check_video(joined, expected_pts, time_base=index.time_base)
    joined.replace(plan.destination)
    return notes


def set_aside(plan: CameraPlan) -> None:
    """Take an output of other settings out of the way, so that nobody takes it for the one being made.

    It is kept among the stage outputs until the new one is in place.
    """
    if plan.destination.exists():
        former = _former(plan)
        discard(former)
        former.parent.mkdir(parents=True, exist_ok=True)
        plan.destination.replace(former)


def discard_leftovers(plan: CameraPlan) -> None:
    """Remove the rendered segments and the former output once the new one is in place."""
    for segment in plan.segments:
        discard(plan.store / plan.segment_file(segment))
    discard(_former(plan))


def discard(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _former(plan: CameraPlan) -> Path:
    return plan.store / plan.camera.name / f"former{plan.destination.suffix}"


def fingerprint(files: Path | Sequence[Path]) -> tuple[str, int]:
    """SHA-256 in hexadecimal and size in bytes: of a file, or of pictures with their names, in order.

    Raises:
        UserError: a file cannot be read.
    """
    paths = [files] if isinstance(files, Path) and not files.is_dir() else _pictures(files)
    digest, size = hashlib.sha256(), 0
    for path in paths:
        if len(paths) > 1 or paths[0] != files:
            digest.update(path.name.encode() + b"\0")
        try:
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    digest.update(block)
                    size += len(block)
        except OSError as error:
            raise UserError(f"Cannot read {path}: {error.strerror}.") from error
    return digest.hexdigest(), size


def is_same_file(output: Path, noted: dict[str, Any]) -> bool:
    """Whether an output is still the one that was noted when it was finished; hashed only if it may have changed."""
    return output.stat().st_mtime_ns == noted["modified"] or fingerprint(output) == (noted["sha256"], noted["size"])


def _pictures(files: Path | Sequence[Path]) -> list[Path]:
    return sorted(path for path in files.iterdir() if path.is_file()) if isinstance(files, Path) else list(files)
