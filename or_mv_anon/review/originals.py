"""The recording itself, for a person who has to see what lies under a cover: one frame, in memory, on purpose.

Nothing of it is written anywhere. What is read of the recording is held to the hashes that the run kept of it, so what
is shown is what was anonymized.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.run_layout import STORE_FOLDER
from or_mv_anon.pipeline.asked import recall
from or_mv_anon.pipeline.media import open_camera
from or_mv_anon.review.run_folder import SAME_S, ReviewedCamera, ReviewedRun
from or_mv_anon.site import Camera, discover
from or_mv_anon.video.bound_file import InputChangedError
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source

LONG_SIDE = 1280  # px


class Originals:
    """The recordings of a run.

    Args:
        run: whose recordings they are.
        videos: folder of the recordings; None for where the run found them.
    """

    def __init__(self, run: ReviewedRun, videos: Path | None) -> None:
        self._run = run
        self._why, self._videos = "", videos
        if videos is None:
            try:
                self._videos = recall(run.out).videos
            except UserError as error:
                self._why = str(error)
        self._cameras: dict[str, Camera] | None = None

    def why_not(self) -> str:
        """A sentence about why no recording can be shown; empty if they may be there."""
        if self._videos is not None and not self._videos.exists():
            return f"The recordings are no longer in {self._videos}; start the review with --videos."
        return self._why

    def picture(self, camera: ReviewedCamera, frame: int) -> NDArray[np.uint8]:
        """A frame of the output as it was recorded: upright BGR, the longer side at most `LONG_SIDE`.

        Raises:
            UserError: the recording is gone, was changed, or cannot be read.
        """
        if why := self.why_not():
            raise UserError(why)
        source = self._open(camera.name)
        taken = float(camera.times[frame]) + camera.shift_s
        number = int(np.searchsorted(source.times, taken - SAME_S))
        if number >= source.n_frames or abs(float(source.times[number]) - taken) > SAME_S:
            raise UserError(f"The recording of {camera.name} has no such frame: it is not the one that was anonymized.")
        width, height = source.upright_size
        scale = min(1.0, LONG_SIDE / max(width, height))
        try:
            for found in source.frames(Segment(0, number, number + 1)):
                return found.bgr(max(1, round(width * scale)), max(1, round(height * scale)))
        except InputChangedError as error:
            raise UserError(
                f"The recording of {camera.name} is not the one that was anonymized, or it is gone; it is not shown."
            ) from error
        raise UserError(f"This frame of {camera.name}'s recording cannot be decoded.")

    def _open(self, name: str) -> Source:
        if self._cameras is None:
            assert self._videos is not None
            sessions = discover(self._videos).sessions
            fitting = [each for each in sessions if each.name == self._run.session] or list(sessions)
            self._cameras = {camera.name: camera for camera in fitting[0].cameras} if len(fitting) == 1 else {}
        if name not in self._cameras:
            raise UserError(f"The recording of {name} is no longer in {self._videos}.")
        try:
            return open_camera(self._cameras[name], self._run.out / STORE_FOLDER)
        except (KeyError, ValueError, OSError) as error:  # other files than those that were anonymized
            raise UserError(f"The recording of {name} is not the one that was anonymized; it is not shown.") from error
