"""One camera's media, be they a video file or a folder of pictures: how it is opened, written and put in place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import VideoConfig
from or_mv_anon.core.files import move_aside
from or_mv_anon.core.records import BlockHashes, Columns, FrameFlag, Frames
from or_mv_anon.core.run_layout import BLOCKS, FORMER, INDEX, JOINED, VIDEO, Stored, Table
from or_mv_anon.core.seals import Signature, fingerprint, same_content
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline.covering import Writer
from or_mv_anon.site import DEFAULT_PICTURE_RATE, Camera
from or_mv_anon.video.bound_file import InputChangedError
from or_mv_anon.video.check import check_video
from or_mv_anon.video.damage.watch import Scrutiny
from or_mv_anon.video.encoding import Encoding
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.images import ImageFolderSource, ImageSegmentWriter, join_image_segments
from or_mv_anon.video.index import VideoIndex, index_video
from or_mv_anon.video.join import join_segments
from or_mv_anon.video.pages import refuse_stacks
from or_mv_anon.video.parts import index_recording
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source, source_of
from or_mv_anon.video.writer import SegmentWriter

Record = TypeVar("Record", bound=Columns)


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
        signature: of the input's files before they were looked at; None where that does not matter.
    """

    camera: Camera
    store: Path
    segments: tuple[Segment, ...]
    shift: int
    encoding: Encoding | None
    destination: Path
    signature: Signature | None = None

    @property
    def first(self) -> int:
        """The source's frame that is frame 0 of this run."""
        return self.segments[0].first

    @property
    def stop(self) -> int:
        """The source's frame behind the last one of this run."""
        return self.segments[-1].stop

    def __len__(self) -> int:
        """Frames of this run."""
        return self.stop - self.first

    def numbers(self, segment: Segment) -> range:
        """The frames of a segment, counted from the first of this run."""
        return range(segment.first - self.first, segment.stop - self.first)

    def file(self, kind: Stored, segment: Segment | None = None, *, suffix: str | None = None) -> str:
        """Name in the store of a file of this camera, see `Stored.file`."""
        return kind.file(self.camera.name, None if segment is None else segment.number, suffix=suffix)

    def read(self, table: Table[Record], segment: Segment | None = None) -> Record:
        """A table of this camera, or of one of its segments.

        Raises:
            UserError: it is missing or damaged.
        """
        frames = None if segment is None else self.numbers(segment)
        return RunStore(self.store).read(self.file(table, segment), table.record, frames=frames)

    def write(self, table: Table[Record], record: Record, segment: Segment | None = None) -> None:
        """Store a table of this camera, or of one of its segments."""
        RunStore(self.store).write(self.file(table, segment), record)

    def stage(self, name: str, segment: Segment | None = None) -> str:
        """Key of a stage in the store's manifest."""
        return f"{self.camera.name}/{name}" + ("" if segment is None else f"/{segment.number:05d}")

    def segment_file(self, segment: Segment) -> str:
        """Name of a rendered segment in the store."""
        return self.file(VIDEO, segment, suffix="" if self.encoding is None else ".mp4")

    @property
    def joined_file(self) -> str:
        """Name in the store of the output until it is put in place."""
        return self.file(JOINED, suffix=self.destination.suffix)

    @property
    def output(self) -> str:
        """Name of the output as the store's manifest has it."""
        return os.path.relpath(self.destination, self.store)


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
    # Only the files' names are kept: the folders above may name patients, and may be elsewhere in a later run.
    content = json.dumps(index.placed({file: Path(file.name) for file in camera.all_files}).to_json())
    store.keep(f"{camera.name}/index", INDEX.file(camera.name), content)
    return index


def hash_camera(camera: Camera, store: Path, expected: Signature | None = None) -> tuple[str, int]:
    """Read the camera's files once for their SHA-256 and size, and keep the hashes of their blocks.

    Args:
        camera: whose files.
        store: folder of the stage outputs.
        expected: the files' signature when they were looked at.

    Raises:
        UserError: a file cannot be read, or changed meanwhile.
    """
    blocks: list[tuple[int, int, bytes]] = []
    digest, size = fingerprint(
        camera.files, block=lambda number, data: blocks.append((number, len(data), hashlib.sha256(data).digest()))
    )
    if expected is not None and not same_content(expected, camera.files):
        raise InputChangedError(camera.source)
    RunStore(store).write(BLOCKS.file(camera.name), BlockHashes.of(blocks))
    return digest, size


def open_camera(camera: Camera, store: Path, *, bound: bool = True, scrutiny: Scrutiny = "usual") -> Source:
    """The camera's frames, as `index_camera` found them.

    Args:
        camera: to open.
        store: folder of the stage outputs.
        bound: hold everything that is decoded to the hashes that `hash_camera` kept.
        scrutiny: how much is done to find damage.
    """
    if camera.holds_pictures:
        return _pictures_of(camera, _stored_hashes(camera, store) if bound else None)
    hashes = partial(_hashes_of, camera, store) if bound else None
    return source_of(_stored_index(camera, store), scrutiny=scrutiny, hashes=hashes)


def reached_by_damage(plan: CameraPlan, frames: Frames) -> Frames:
    """The frames of a plan's part, flagged as corrupt wherever damage reaches that any of its segments found."""
    if plan.camera.holds_pictures:
        return frames
    index = _stored_index(plan.camera, plan.store)
    corrupt, doubtful = frames.has(FrameFlag.CORRUPT), frames.has(FrameFlag.DOUBTFUL)
    reached = index.decoding.reached(index.times, corrupt, doubtful, first=plan.first, silent=index.hides_damage)
    return frames.replace(flags=frames.flags | np.where(reached, np.uint8(FrameFlag.CORRUPT), np.uint8(0)))


def _pictures_of(camera: Camera, hashes: BlockHashes | None = None) -> ImageFolderSource:
    return ImageFolderSource(camera.files, fps=camera.fps or DEFAULT_PICTURE_RATE, hashes=hashes)


def _stored_hashes(camera: Camera, store: Path) -> BlockHashes:
    return _read_hashes(store, BLOCKS.file(camera.name), RunStore(store).fingerprint(f"{camera.name}/hash"))


@lru_cache(maxsize=4)
def _read_hashes(store: Path, name: str, _: str | None) -> BlockHashes:
    return RunStore(store).read(name, BlockHashes)


def _stored_index(camera: Camera, store: Path) -> VideoIndex:
    index = _read_index(store, INDEX.file(camera.name), RunStore(store).fingerprint(f"{camera.name}/index"))
    return index.placed({Path(file.name): file for file in camera.all_files})


def _hashes_of(camera: Camera, store: Path, video: Path) -> BlockHashes:
    """Those of the camera's video, or of one of its parts."""
    return _stored_hashes(camera, store).of_file(camera.all_files.index(video))


@lru_cache(maxsize=4)
def _read_index(store: Path, name: str, _: str | None) -> VideoIndex:
    return VideoIndex.from_json(RunStore(store).read_json(name))


def open_writer(
    plan: CameraPlan, segment: Segment, config: VideoConfig, *, threads: int
) -> AbstractContextManager[Writer]:
    """A writer for one segment of the output."""
    path = RunStore(plan.store).path(plan.segment_file(segment))
    if plan.encoding is None:
        return ImageSegmentWriter(path, _pictures_of(plan.camera))
    index = _stored_index(plan.camera, plan.store)
    return SegmentWriter(
        path, index, plan.encoding, crf=config.crf, preset=config.preset, shift=plan.shift, threads=threads,
        keyframe_every=config.keyframe_every,
    )  # fmt: skip


def read_back(plan: CameraPlan, segment: Segment) -> Iterator[Frame]:
    """The frames of a rendered segment, decoded from the file."""
    path = plan.store / plan.segment_file(segment)
    source: Source
    if plan.encoding is None:
        source = ImageFolderSource(path, fps=plan.camera.fps or DEFAULT_PICTURE_RATE)
    elif path.stat().st_size == 0:  # no frame of the segment could be decoded
        return iter(())
    else:
        source = VideoSource(index_video(path), scrutiny="none")
    return source.frames(Segment(0, 0, source.n_frames))


def join(plan: CameraPlan, expected_pts: NDArray[np.int64], *, audio: bool) -> list[str]:
    """Join the rendered segments under the name `CameraPlan.joined_file`, and check the result.

    Args:
        plan: whose segments are all rendered.
        expected_pts: ``(N,)`` timestamps that the output must have, in ticks of the source's time base.
        audio: copy the source's sound.

    Returns:
        Sentences about what could not be kept.

    Raises:
        UserError: a segment is not what was checked when it was rendered.
        VerificationError: the joined file is not what it must be.
    """
    store = RunStore(plan.store)
    names = [plan.segment_file(segment) for segment in plan.segments]
    store.require(names)
    paths = [store.root / name for name in names]
    joined = store.path(plan.joined_file)
    if plan.encoding is None:
        join_image_segments(paths, joined, expected=len(expected_pts))
        return []
    index = _stored_index(plan.camera, plan.store)
    hashes = partial(_hashes_of, plan.camera, plan.store) if audio else None
    notes = join_segments(index, paths, joined, audio=audio, shift=plan.shift, hashes=hashes)
    check_video(joined, expected_pts, time_base=index.time_base)
    return notes


def set_aside(plan: CameraPlan, *, own: bool) -> str | None:
    """Take an output of other settings out of the way, so that nobody takes it for the one being made.

    It is kept among the stage outputs until the new one is in place. What this tool did not write is kept for good
    under another name.

    Args:
        plan: whose output.
        own: whether an earlier run wrote what is there.

    Returns:
        A sentence about something that this tool did not write.
    """
    if not os.path.lexists(plan.destination):
        return None
    if own:
        former = _former(plan)
        discard(former)
        former.parent.mkdir(parents=True, exist_ok=True)
        plan.destination.replace(former)
        return None
    kept = move_aside(plan.destination)
    return (
        f"{plan.camera.name}: {plan.destination.name} was changed after it was finished. It is made again; what was "
        f"found there is kept as {kept.name}: look at it, it may show faces."
    )


def discard_leftovers(plan: CameraPlan, *, segments: bool) -> None:
    """Remove the former output once the new one is in place, and rendered segments that are of no use any more.

    Args:
        plan: of the camera.
        segments: all of them; otherwise only those of a recording that was cut in another way.
    """
    kept = set() if segments else {plan.store / plan.segment_file(segment) for segment in plan.segments}
    for path in (plan.store / plan.camera.name).glob("video-*"):
        if path not in kept:
            discard(path)
    discard(plan.store / plan.joined_file)
    discard(_former(plan))


def discard(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _former(plan: CameraPlan) -> Path:
    return plan.store / plan.file(FORMER, suffix=plan.destination.suffix)
