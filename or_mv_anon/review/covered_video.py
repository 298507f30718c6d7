"""Reads a run's covered output, stretch by stretch, and only if it is the very file that the run vouches for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.seals import holds
from or_mv_anon.review.run_folder import SAME_S, ReviewedCamera
from or_mv_anon.video.demux import decode, first_frame, main_stream, open_video, read_packets, show_in_order
from or_mv_anon.video.frame import PictureScaler
from or_mv_anon.video.images import ImageFolderSource
from or_mv_anon.video.index import display_matrix
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.segments import Segment

LEAST_FRAMES = 50  # of a stretch: fewer cost more in opening files than in decoding
Picture = NDArray[np.uint8]


class NotShownError(UserError):
    """A covered video that must not or cannot be shown; the sentence says why."""


UPRIGHT = Orientation()


@dataclass(frozen=True, eq=False)
class CoveredVideo:
    """A camera's covered output, opened.

    Attributes:
        camera: of the run.
        stretches: frames ``first`` to ``stop - 1``, in order; decoding can begin at each `first`.
        keys: ``(K,)`` frames at which decoding can begin, in order, the first is 0.
        pts: ``(N,)`` ticks of its frames; None for a folder of pictures.
        same: ticks that two clocks of one frame may differ by.
        codec: of the video.
        orientation: how its coded pictures stand upright.
    """

    camera: ReviewedCamera
    stretches: tuple[tuple[int, int], ...]
    keys: NDArray[np.intp]
    pts: NDArray[np.int64] | None = None
    same: int = 0
    codec: str = ""
    orientation: Orientation = UPRIGHT

    def key_before(self, frame: int) -> int:
        """The frame at which decoding has to begin for `frame`."""
        return int(self.keys[np.searchsorted(self.keys, frame, side="right") - 1])

    def is_before(self, pts: int, frame: int) -> bool:
        """Whether a picture of this time is shown before `frame`."""
        assert self.pts is not None
        return pts < int(self.pts[frame]) - self.same

    def is_at(self, pts: int, frame: int) -> bool:
        """Whether a picture of this time is `frame`."""
        assert self.pts is not None
        return abs(pts - int(self.pts[frame])) <= self.same

    def pictures(self, stretch: int, size: tuple[int, int]) -> Iterator[Picture]:
        """See `between`, for a whole stretch."""
        return self.between(*self.stretches[stretch], size)

    def between(self, first: int, stop: int, size: tuple[int, int]) -> Iterator[Picture]:
        """The upright BGR pictures of frames ``first`` to ``stop - 1``, scaled to `size` (width, height).

        Raises:
            NotShownError: other frames come out than the run stored.
        """
        if self.pts is None:
            yield from _pictures_of_folder(self.camera.output, first, stop, size)
            return
        width, height = self.orientation.coded_size(*size)
        scaler, number = PictureScaler(), first
        with open_video(self.camera.output) as container:
            stream = main_stream(container, self.camera.output)
            show_in_order(stream, self.codec)
            stream.codec_context.thread_count = 1  # threads of FFmpeg's that log can block those of Python's
            try:
                container.seek(int(self.pts[first]), stream=stream)
            except FFmpegError as error:
                raise NotShownError(f"{self.camera.output.name} cannot be read at frame {first}.") from error
            for frame in decode(container, stream, container.demux(stream)):
                if frame.pts is None or self.is_before(frame.pts, first):
                    continue
                if not self.is_at(frame.pts, number):
                    raise NotShownError(f"{self.camera.output.name} shows another frame than {number} there.")
                yield self.orientation.upright(scaler.bgr(frame, width=width, height=height))
                number += 1
                if number == stop:
                    return
        raise NotShownError(f"{self.camera.output.name} ends before frame {stop}.")


def open_covered(camera: ReviewedCamera) -> CoveredVideo:
    """Check the output against the run's word, and find where decoding can begin.

    Raises:
        NotShownError: it is gone, was changed, or does not hold the frames that the run stored.
    """
    output = camera.output
    if not output.exists():
        raise NotShownError(f"{output.name} is gone; run the anonymizer again.")
    if not holds(output, camera.seal):
        raise NotShownError(
            f"{output.name} is not the file that the run finished, so it is not shown: it may show faces. "
            "Run the anonymizer again."
        )
    if output.is_dir():
        count = ImageFolderSource(output, fps=Fraction(1)).n_frames
        _require(camera, count == len(camera))
        return CoveredVideo(camera, _stretches(np.arange(count), count), np.arange(count))
    with open_video(output) as container:
        stream = main_stream(container, output)
        codec, tick = stream.codec_context.codec.canonical_name, stream.time_base
        _require(camera, tick is not None)
        pts, keys = _from_index(camera, container, stream) or _from_packets(camera, container, stream)
    matrix = display_matrix(first_frame(output))
    upright = UPRIGHT if matrix is None else Orientation.from_matrix(matrix)
    same = int(SAME_S / float(tick or 1))
    return CoveredVideo(camera, _stretches(keys, len(pts)), keys, pts, same, codec, upright)


Frames = tuple[NDArray[np.int64], NDArray[np.intp]]


def _from_index(camera: ReviewedCamera, container: InputContainer, stream: VideoStream) -> Frames | None:
    """Ticks of the frames and where decoding can begin, by an MP4's index alone; None where it does not tell.

    The run's word is for the very bytes of the file, and it compared their times with those that it stored; every frame
    is compared again when it is shown. The groups of pictures are closed, so that a keyframe has as many frames before
    it where it is stored as where it is shown.
    """
    entries = stream.index_entries
    if not container.format.name.startswith("mov") or len(entries) != len(camera) or stream.frames != len(camera):
        return None
    keys = np.flatnonzero([entry.is_keyframe and not entry.is_discard for entry in entries])
    if not len(keys) or keys[0] != 0:
        return None
    assert stream.time_base is not None
    return np.round(camera.times / float(stream.time_base)).astype(np.int64), keys


def _from_packets(camera: ReviewedCamera, container: InputContainer, stream: VideoStream) -> Frames:
    """The same by reading the whole file."""
    packets = read_packets(container, stream)
    _require(camera, packets.error is None and None not in packets.pts)
    pts = np.array(packets.pts, np.int64)
    keys = np.sort(pts[np.array(packets.is_key, bool)])
    pts.sort()
    times = pts * float(stream.time_base or 0)
    _require(camera, len(pts) == len(camera) and bool(np.allclose(times, camera.times, rtol=0, atol=SAME_S)))
    return pts, np.union1d([0], np.searchsorted(pts, keys))


def _require(camera: ReviewedCamera, same: bool) -> None:
    if not same:
        raise NotShownError(f"{camera.output.name} does not hold the frames that the run stored; run it again.")


def _stretches(keys: NDArray[np.intp], count: int) -> tuple[tuple[int, int], ...]:
    starts = [0]
    for key in keys.tolist():
        if key - starts[-1] >= LEAST_FRAMES:
            starts.append(key)
    return tuple(zip(starts, [*starts[1:], count], strict=True))


def _pictures_of_folder(folder: Path, first: int, stop: int, size: tuple[int, int]) -> Iterator[Picture]:
    shown = first
    for frame in ImageFolderSource(folder, fps=Fraction(1)).frames(Segment(0, first, stop)):
        if frame.index != shown:
            break
        yield frame.bgr(*size)
        shown += 1
    if shown != stop:
        raise NotShownError(f"{folder.name} holds a picture that cannot be read.")
