"""Reads a recording in several parts as if it were one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import BlockHashes
from or_mv_anon.video.damage.watch import Scrutiny
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.reader import IndexedSource, VideoSource
from or_mv_anon.video.segments import Segment


class PartsSource(IndexedSource):
    """The frames of a recording in parts, numbered and timed as one recording; a `Source`."""

    def __init__(
        self,
        index: VideoIndex,
        *,
        scrutiny: Scrutiny = "usual",
        hashes: Callable[[Path], BlockHashes] | None = None,
    ) -> None:
        """`index` is a joined one; for the others see `source_of`."""
        self.index = index
        self._sources = [
            VideoSource(
                part, scrutiny=scrutiny, shown=index, hashes=None if hashes is None else partial(hashes, part.path)
            )
            for part in index.parts
        ]
        self._bounds = np.cumsum([0, *(part.n_frames for part in index.parts)])

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels as displayed."""
        return self.index.upright_size

    @property
    def missing(self) -> list[int]:
        """Ticks of planned frames that could not be decoded, as far as has been read."""
        found = []
        for source, first in zip(self._sources, self._bounds, strict=False):
            found += self.pts[first + np.searchsorted(source.pts, source.missing)].tolist()
        return found

    def frames(self, segment: Segment, *, wanted: NDArray[np.bool_] | None = None) -> Iterator[Frame]:
        """See `Source`."""
        for source, first, stop in zip(self._sources, self._bounds[:-1], self._bounds[1:], strict=True):
            begin, end = max(segment.first, int(first)), min(segment.stop, int(stop))
            if begin >= end:
                continue
            mask = None if wanted is None else wanted[first:stop]
            if mask is not None and not mask[begin - first : end - first].any():
                continue
            for frame in source.frames(Segment(0, begin - int(first), end - int(first)), wanted=mask):
                number = frame.index + int(first)
                pts = int(self.pts[number])
                yield replace(frame, index=number, pts=pts, time=float(pts * self.time_base))
