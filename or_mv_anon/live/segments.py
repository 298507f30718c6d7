"""A camera's output as files that follow one another: each whole and on disk under its name, or `.partial`.

Files begin at full multiples of their length by the wall clock and are named after the moment of their first picture;
a picture's time in its file counts from there, so that the moment at which it was taken is kept to a millisecond.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import av

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained, partial_path, publish
from or_mv_anon.live.sinks import EncodedSink
from or_mv_anon.video.live.places import Place

SUFFIX = ".mp4"
CUT = ".cut"  # before the suffix: of a file that was not ended by the run that wrote it
_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z(\.cut)?\.mp4")


class SegmentedSink:
    """See `sinks.Sink`. A file that cannot be written any further ends as it is; the next picture begins another.

    Attributes:
        finished: name and pictures of every file that was ended since they were taken from here.
    """

    def __init__(
        self, folder: Path, *, size: tuple[int, int], rate: float, crf: int, preset: str, threads: int,
        segment_s: float, epoch: Callable[[], float], keep_s: float | None = None, done: Callable[[Path, int], None],
    ) -> None:  # fmt: skip
        """Take over what an earlier run left in `folder`.

        Args:
            folder: of this camera alone; made if it is not there.
            size: (width, height), both even.
            rate: nominal pictures per second.
            crf, preset, threads: of the encoder.
            segment_s: length of a file.
            epoch: the wall clock, in seconds since 1970 (UTC), at the output's time 0; asked for every file.
            keep_s: remove files of this kind that began longer ago; None keeps all.
            done: told of every finished file, with its number of pictures.

        Raises:
            UserError: the folder cannot be written.
        """
        self.reconnects = 0
        self._folder, self._size, self._rate = folder, size, rate
        self._encoder = {"crf": crf, "preset": preset, "threads": threads}
        self._segment_s, self._epoch, self._keep_s, self._done = segment_s, epoch, keep_s, done
        self._sink: EncodedSink | None = None
        self._path = folder
        self._begin = self._end = -math.inf
        self._count = 0
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for left in sorted(folder.glob(f"*{SUFFIX}.partial")):
                name = left.name.removesuffix(f"{SUFFIX}.partial")
                if left.stat().st_size:
                    publish(left, folder / f"{name}{CUT}{SUFFIX}")
                else:
                    left.unlink()

    def write(self, picture: av.VideoFrame, time: float) -> bool:
        """See `sinks.Sink`.

        Raises:
            UserError: the file cannot be written; it was ended.
        """
        if self._sink is None or time >= self._end:
            self.close()
            self._start(time)
        assert self._sink is not None
        try:
            self._sink.write(picture, max(0.0, time - self._begin))
        except UserError:
            self._sink.abandon()
            self._sink = None
            raise
        self._count += 1
        return True

    def close(self) -> None:
        """See `sinks.Sink`."""
        sink, self._sink = self._sink, None
        if sink is None:
            return
        sink.close()
        with explained(self._path):
            publish(partial_path(self._path), self._path)
        self._done(self._path, self._count)
        self._forget()

    def _start(self, time: float) -> None:
        wall = self._epoch() + time
        moment = datetime.fromtimestamp(math.floor(wall * 1000) / 1000, UTC)
        name = f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z"
        self._path = self._folder / f"{name}{SUFFIX}"
        place = Place("file", str(partial_path(self._path)), "mp4")
        self._sink = EncodedSink(place, size=self._size, rate=self._rate, **self._encoder)  # type: ignore[arg-type]
        self._begin, self._count = time, 0
        self._end = time + self._segment_s - wall % self._segment_s

    def _forget(self) -> None:
        """Remove what is older than it may be."""
        if self._keep_s is None:
            return
        oldest = datetime.fromtimestamp(self._path.stat().st_mtime - self._keep_s, UTC)
        for entry in os.scandir(self._folder):
            if _NAME.fullmatch(entry.name) and entry.name[:15] < f"{oldest:%Y%m%dT%H%M%S}":
                os.unlink(entry.path)
