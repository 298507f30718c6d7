"""Sums per stretch of time over judged faces and frames: what every exposure figure is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.bootstrap import Blocks, Estimate
from or_mv_anon.core.figures import Figures
from or_mv_anon.evaluation.judging import JudgedFaces, JudgedFrames

HOUR = 3600.0


@dataclass(frozen=True)
class Counted(Figures):
    """Members of one group: how many counted, how many of them were exposed."""

    considered: int
    exposed: int
    share: Estimate


def instant_seconds(frames: JudgedFrames) -> float:
    """Seconds from one instant of the session to the next, by the cameras' clocks."""
    steps = [
        np.ptp(frames.start[rows]) / np.ptp(frames.instant[rows])
        for camera in np.unique(frames.camera)
        if (rows := frames.camera == camera).sum() > 1
    ]
    return float(np.median(steps if steps else frames.stop - frames.start))


@dataclass(frozen=True)
class Tally:
    """Sums per block; `faces` are those that count."""

    faces: JudgedFaces
    exposed: NDArray[np.bool_]
    face_block: NDArray[np.intp]
    frames: JudgedFrames
    frame_block: NDArray[np.intp]
    blocks: Blocks

    def counted(self, rows: NDArray[np.bool_]) -> Counted:
        """The faces that the mask `rows` (N,) names."""
        bad = rows & self.exposed
        above, below = (self.blocks.total(self.face_block[chosen]) for chosen in (bad, rows))
        return Counted(int(rows.sum()), int(bad.sum()), self.blocks.ratio(above, below))

    def everything(self) -> Counted:
        """All the faces."""
        return self.counted(np.ones(len(self.faces), bool))

    def of_frames(self, frames: NDArray[np.bool_], faces: NDArray[np.bool_]) -> dict[str, Estimate]:
        """Figures that are shares of what was recorded, over the frames and faces that the masks name."""

        def total(values: NDArray[Any]) -> NDArray[np.float64]:
            return self.blocks.total(self.frame_block[frames], values[frames])

        seconds = total(self.frames.stop - self.frames.start)
        bad = self.blocks.total(self.face_block[faces & self.exposed])
        return {
            "per_camera_hour": self.blocks.ratio(bad, seconds, scale=HOUR),
            "covered_outside": self.blocks.ratio(total(self.frames.covered_outside), total(self.frames.outside)),
            "covered": self.blocks.ratio(total(self.frames.covered), total(self.frames.picture)),
        }

    def persons(self) -> Counted:
        """People in one camera; a resample knows those who count in one of its blocks."""
        key, track = np.unique(_pairs(self.faces.camera, self.faces.person), return_inverse=True)
        seen = np.zeros((self.blocks.number, len(key)), bool)
        bad = seen.copy()
        seen[self.face_block, track] = True
        bad[self.face_block[self.exposed], track[self.exposed]] = True
        considered, exposed = len(key), int(bad.any(axis=0).sum())
        if not considered:
            return Counted(0, 0, Estimate(None))
        share = self.blocks.statistic(
            lambda drawn: bad[drawn].any(axis=0).sum() / max(1, seen[drawn].any(axis=0).sum()), exposed / considered
        )
        return Counted(considered, exposed, share)

    def longest(self) -> Estimate:
        """The longest exposure; a resample knows those that begin in one of its blocks."""
        begin, seconds = exposures(self.faces[self.exposed])
        worst = np.zeros(self.blocks.number)
        np.maximum.at(worst, self.face_block[self.exposed][begin], seconds)
        return self.blocks.statistic(lambda drawn: float(worst[drawn].max()), float(worst.max()))

    def holistic(self) -> Estimate:
        """Moments of a person that are covered in every camera where the face counts."""
        key, moment = np.unique(_pairs(self.faces.instant, self.faces.person), return_inverse=True)
        covered = np.ones(len(key), bool)
        covered[moment[self.exposed]] = False
        block = np.zeros(len(key), np.intp)
        block[moment] = self.face_block
        return self.blocks.ratio(self.blocks.total(block[covered]), self.blocks.total(block))


def exposures(exposed: JudgedFaces) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Unbroken exposures of one person in one camera.

    An exposure lasts from its first frame's time to the time of the frame behind its last one, so frames that the
    camera dropped in between count.

    Args:
        exposed: the exposed faces.

    Returns:
        The row of `exposed` that each exposure begins with (E,), and its seconds (E,).
    """
    if not len(exposed):
        return np.zeros(0, np.intp), np.zeros(0)
    order = np.lexsort([exposed.frame, exposed.person, exposed.camera])
    rows = exposed[order]
    new = np.r_[True, (np.diff(rows.frame) != 1) | (np.diff(_pairs(rows.camera, rows.person)) != 0)]
    first = np.flatnonzero(new)
    last = np.r_[first[1:], len(rows)] - 1
    return order[first], rows.stop[last] - rows.start[first]


def _pairs(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.int64]:
    return a.astype(np.int64) * 2**16 + b.astype(np.int64)
