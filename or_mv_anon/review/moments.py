"""One moment of the session as it is sent to the page: a frame of every camera, chosen by its stored timestamp.

A moment is a JSON line about the cameras, then the pictures as JPEG, one after another; moments follow one another.
All cameras of a moment travel together, so what is shown side by side belongs together.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.review.proxies import PreparingError, Proxies
from or_mv_anon.review.run_folder import ReviewedCamera, ReviewedRun

QUALITY = 85  # of JPEG
GRID_S = 0.04  # a step where the camera that leads shows nothing
PATIENCE_S = 0.3  # for which an answer waits for pictures that are being made, all cameras together

State = Literal["shown", "preparing", "nothing", "refused"]


@dataclass(frozen=True)
class Shot:
    """One camera's part of a moment.

    Attributes:
        camera: its name.
        state: whether there is a picture, and why not.
        frame: as the run counts; -1 where the camera shows nothing.
        second: when the frame begins, session seconds.
        until: when it ends.
        bytes: of its JPEG.
        why: a sentence where it must not be shown.
    """

    camera: str
    state: State
    frame: int = -1
    second: float = 0.0
    until: float = 0.0
    bytes: int = 0
    why: str = ""


class Moments:
    """Gives moments of a run.

    Args:
        run: to show.
        proxies: where its pictures come from.
    """

    def __init__(self, run: ReviewedRun, proxies: Proxies) -> None:
        self.run = run
        self._proxies = proxies

    def seconds(self, at: float, *, camera: str, skip: int = 0, stride: int = 1, count: int = 1) -> list[float]:
        """Session seconds of moments in a row, those outside of the session left out.

        Args:
            at: where to begin.
            camera: that leads: moments after the first are those of its frames.
            skip: frames from `at` to the first moment; 0 for `at` itself.
            stride: frames from one moment to the next.
            count: how many.
        """
        lead, (start, end) = self.run.camera(camera), self.run.span
        here = lead.frame_at(at)
        found = []
        for number in range(count):
            frames = skip + number * stride
            if frames == 0:
                second = at
            elif here is None:
                second = at + frames * GRID_S
            elif here + frames < 0:
                second = float(lead.seconds[0]) + (here + frames) * GRID_S
            elif here + frames >= len(lead):
                second = lead.end + (here + frames - len(lead)) * GRID_S
            else:
                second = float(lead.seconds[here + frames])
            if start <= second < end:
                found.append(second)
        return found

    def packed(
        self, seconds: Sequence[float], cameras: Sequence[str], *, patience: float = PATIENCE_S, lead: str = ""
    ) -> Iterator[bytes]:
        """Moments as bytes: length of the JSON (uint32, little endian), the JSON, the pictures in its order.

        The picture of `lead` is made before the others', where they are not there yet.
        """
        chosen = [self.run.camera(name) for name in cameras] or list(self.run.cameras)
        lead_first = sorted(chosen, key=lambda camera: camera.name != lead)
        for second in seconds:
            shots, pictures = [], []
            played, limit = len(seconds) > 1, time.monotonic() + patience
            frames = {camera.name: frame for camera in lead_first if (frame := camera.frame_at(second)) is not None}
            self._proxies.ask(frames, played=played)
            for camera in chosen:
                shot, data = self._shot(camera, second, limit, played=played)
                shots.append(asdict(shot))
                pictures.append(data)
            yield packed_behind({"second": second, "shots": shots}, pictures)

    def _shot(self, camera: ReviewedCamera, second: float, limit: float, *, played: bool) -> tuple[Shot, bytes]:
        frame = camera.frame_at(second)
        if frame is None:
            return Shot(camera.name, "nothing"), b""
        number, begin, until = int(camera.numbers[frame]), float(camera.seconds[frame]), camera.until(frame)
        try:
            try:
                picture = self._proxies.picture(camera.name, frame, played=played)
            except PreparingError:
                self._proxies.wait(camera.name, frame, limit - time.monotonic())
                picture = self._proxies.picture(camera.name, frame, played=played)
        except PreparingError:
            return Shot(camera.name, "preparing", number, begin, until), b""
        except UserError as error:
            return Shot(camera.name, "refused", number, begin, until, why=str(error)), b""
        data = jpeg(picture)
        return Shot(camera.name, "shown", number, begin, until, len(data)), data


def packed_behind(about: Mapping[str, Any], pictures: Iterable[bytes]) -> bytes:
    """Length of the JSON of `about` (uint32, little endian), the JSON, the pictures in its order."""
    told = json.dumps(about).encode()
    return b"".join([struct.pack("<I", len(told)), told, *pictures])


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    """A BGR picture as JPEG."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
