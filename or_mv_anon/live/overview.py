"""All cameras of a room in one picture: what has just left each of them, covered already, side by side."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from or_mv_anon.live.pictures import FORMAT, GREY, NEUTRAL
from or_mv_anon.live.queued_sink import QueuedSink
from or_mv_anon.live.room_camera import RoomCamera
from or_mv_anon.video.pixels import plane_rows

RATE = 10.0  # pictures per second
SIZE = 1280, 720


class Overview(threading.Thread):
    """Sends the tiled picture until it is asked to stop."""

    def __init__(self, cameras: Mapping[str, RoomCamera], sink: QueuedSink, *, start: float, delay: float) -> None:
        """`start` is the output's time 0 on the line's clock, `delay` that of the cameras."""
        super().__init__(name="overview", daemon=True)
        self._cameras, self._sink, self._start, self._delay = list(cameras.values()), sink, start, delay
        self._ended = threading.Event()
        columns = math.ceil(math.sqrt(len(self._cameras)))
        rows = math.ceil(len(self._cameras) / columns)
        self._columns = columns
        self._tile = SIZE[0] // columns // 4 * 4, SIZE[1] // rows // 4 * 4
        self._scalers = [VideoReformatter() for _ in self._cameras]

    def run(self) -> None:
        """See the class."""
        due = time.monotonic()
        while not self._ended.is_set():
            due += 1 / RATE
            self._ended.wait(max(0.0, due - time.monotonic()))
            at = time.monotonic() - self._delay - self._start
            if at >= 0:
                self._sink.write(self.picture([camera.shown for camera in self._cameras]), at)

    def end(self) -> None:
        """Stop, and end the output."""
        self._ended.set()
        self.join(2.0)
        self._sink.close()

    def picture(self, shown: Sequence[av.VideoFrame | None]) -> av.VideoFrame:
        """The tiled picture of what each camera shows; grey where one shows nothing."""
        whole = av.VideoFrame(*SIZE, FORMAT)
        planes = [plane_rows(plane, np.uint8) for plane in whole.planes]
        for plane, value in zip(planes, (GREY, NEUTRAL, NEUTRAL), strict=True):
            plane[...] = value
        width, height = self._tile
        for number, (frame, scaler) in enumerate(zip(shown, self._scalers, strict=True)):
            if frame is None:
                continue
            small = scaler.reformat(frame, width, height, FORMAT, threads=1)
            left, top = number % self._columns * width, number // self._columns * height
            for step, target, source in zip((1, 2, 2), planes, small.planes, strict=True):
                part = plane_rows(source, np.uint8)[: height // step, : width // step]
                target[top // step : (top + height) // step, left // step : (left + width) // step] = part
        return whole
