"""Frames of a simulated site with what the simulator knows of the people in them, held in memory alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.truth import Truth, TruthPeople, load_truth
from or_mv_anon.site.discovery import discover
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import open_source


@dataclass(frozen=True, eq=False)
class SimulatedFrame:
    """One picture of one camera and the people in it.

    Attributes:
        camera: its name.
        picture: (H, W, 3) uint8 BGR, upright.
        people: the truth's rows of this frame.
        time: seconds on the camera's clock.
    """

    camera: str
    picture: NDArray[np.uint8]
    people: TruthPeople
    time: float


@dataclass(frozen=True)
class SimulatedSite:
    """A folder as the simulator writes it, with `recording/` and `truth/`."""

    folder: Path
    truth: Truth

    def frames(self, *, interval_s: float) -> Iterator[SimulatedFrame]:
        """Pictures of every camera, one each `interval_s` seconds, camera by camera."""
        for session in discover(self.folder / "recording").sessions:
            for camera in session.cameras:
                if camera.name in self.truth.cameras:
                    yield from self._frames_of(camera.name, camera.source, interval_s)

    def _frames_of(self, name: str, path: Path, interval_s: float) -> Iterator[SimulatedFrame]:
        source = open_source(path)
        people = self.truth.cameras[name].people
        due = np.floor((source.times - source.times[0]) / interval_s + 1e-6)
        wanted = np.concatenate([[True], due[1:] > due[:-1]])
        for frame in source.frames(Segment(0, 0, source.n_frames), wanted=wanted):
            yield SimulatedFrame(name, frame.bgr(), people[people.frame == frame.index], frame.time)


def open_simulated(folder: Path) -> SimulatedSite:
    """Open what `or-mv-anon simulate` wrote.

    Raises:
        UserError: the folder holds no complete recording with truth.
    """
    if not (folder / "recording").is_dir():
        raise UserError(f"{folder}: expected recording/ and truth/ as `or-mv-anon simulate` writes them.")
    return SimulatedSite(folder, load_truth(folder / "truth"))
