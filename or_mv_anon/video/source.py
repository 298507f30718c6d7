"""What the stages see of a camera, be it a video file or a folder of numbered images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.video.frame import Frame
from or_mv_anon.video.segments import Segment

if TYPE_CHECKING:
    from or_mv_anon.core.records import BlockHashes
    from or_mv_anon.video.damage.watch import Scrutiny
    from or_mv_anon.video.index import VideoIndex


class Source(Protocol):
    """A camera's frames, readable segment by segment in any order."""

    @property
    def missing(self) -> list[int]:
        """Ticks of planned frames that could not be decoded, as far as has been read."""

    @property
    def path(self) -> Path:
        """The video file or the folder of images."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels as displayed."""

    @property
    def pts(self) -> NDArray[np.int64]:
        """(N,) strictly increasing ticks, in display order."""

    @property
    def keyframes(self) -> NDArray[np.int64]:
        """Ticks of the frames that decoding can start at."""

    @property
    def seekable(self) -> bool:
        """Whether segments can be read on their own without decoding all that comes before."""

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick."""

    @property
    def times(self) -> NDArray[np.float64]:
        """(N,) seconds on the camera's own clock."""

    def frames(self, segment: Segment, *, wanted: NDArray[np.bool_] | None = None) -> Iterator[Frame]:
        """The frames of `segment`, in display order; those that cannot be decoded are left out and noted.

        Frames that the mask `wanted` ``(n_frames,)`` does not name are left out; None for all.
        """


def open_source(path: Path | Sequence[Path], *, fps: float | Fraction = 25) -> Source:
    """Open a video file, the consecutive parts of one, a folder of images, or an explicit list of image files.

    Args:
        path: what to read.
        fps: frames per second of images; video files bring their own timestamps.

    Raises:
        UserError: it cannot be read.
    """
    from or_mv_anon.video.images import SUFFIXES, ImageFolderSource
    from or_mv_anon.video.parts import index_recording

    first = path if isinstance(path, Path) else next(iter(path), None)
    if first is None or first.is_dir() or (not isinstance(path, Path) and first.suffix.lower() in SUFFIXES):
        return ImageFolderSource(path, fps=fps)
    return source_of(index_recording(path))


def source_of(
    index: VideoIndex, *, scrutiny: Scrutiny = "usual", hashes: Callable[[Path], BlockHashes] | None = None
) -> Source:
    """The frames of an indexed video, be it in one file or in parts.

    Args:
        index: of the video.
        scrutiny: how much is done to find damage.
        hashes: gives those of a file's blocks, which everything that is decoded must then agree with.
    """
    from or_mv_anon.video.parts_reader import PartsSource
    from or_mv_anon.video.reader import VideoSource

    if index.parts:
        return PartsSource(index, scrutiny=scrutiny, hashes=hashes)
    return VideoSource(index, scrutiny=scrutiny, hashes=None if hashes is None else partial(hashes, index.path))
