"""Reads a run's covered output, stretch by stretch, and only if it is the very file that the run vouches for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.error import FFmpegError
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
        pts: ``(N,)`` ticks of its frames; None for a folder of pictures.
        codec: of the video.
        orientation: how its coded pictures stand upright.
    """

    camera: ReviewedCamera
    stretches: tuple[tuple[int, int], ...]
    pts: NDArray[np.int64] | None = None
    codec: str = ""
    orientation: Orientation = UPRIGHT

    def pictures(self, stretch: int, size: tuple[int, int], *, begin: int = 0) -> Iterator[Picture]:
        """The upright BGR pictures of a stretch, scaled to `size` (width, height), one for each of its frames.

        Those before its frame `begin` are decoded only.

        Raises:
            NotShownError: other frames come out than the run stored.
        """
        first, stop = self.stretches[stretch]
        if self.pts is None:
            yield from _pictures_of_folder(self.camera.output, first + begin, stop, size)
            return
        expected = self.pts[first:stop]
        width, height = self.orientation.coded_size(*size)
        scaler, found = PictureScaler(), 0
        with open_video(self.camera.output) as container:
            stream = main_stream(container, self.camera.output)
            show_in_order(stream, self.codec)
            stream.codec_context.thread_count = 1  # threads of FFmpeg's that log can block those of Python's
            try:
                container.seek(int(expected[0]), stream=stream)
            except FFmpegError as error:
                raise NotShownError(f"{self.camera.output.name} cannot be read at frame {first}.") from error
            for frame in decode(container, stream, container.demux(stream)):
                if frame.pts is None or frame.pts < expected[0]:
                    continue
                if frame.pts != expected[found]:
                    raise NotShownError(f"{self.camera.output.name} shows another frame than {first + found} there.")
                if found >= begin:
                    yield self.orientation.upright(scaler.bgr(frame, width=width, height=height))
                found += 1
                if found == len(expected):
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
        return CoveredVideo(camera, _stretches(np.arange(count), count))
    with open_video(output) as container:
        stream = main_stream(container, output)
        codec, tick = stream.codec_context.codec.canonical_name, stream.time_base
        packets = read_packets(container, stream)
    _require(camera, packets.error is None and None not in packets.pts and tick is not None)
    pts = np.array(packets.pts, np.int64)
    keys = np.sort(pts[np.array(packets.is_key, bool)])
    pts.sort()
    times = pts * float(tick or 0)
    _require(camera, len(pts) == len(camera) and bool(np.allclose(times, camera.times, rtol=0, atol=SAME_S)))
    matrix = display_matrix(first_frame(output))
    upright = UPRIGHT if matrix is None else Orientation.from_matrix(matrix)
    return CoveredVideo(camera, _stretches(np.searchsorted(pts, keys), len(pts)), pts, codec, upright)


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
