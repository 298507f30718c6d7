"""Eyes and chin from body keypoints, and the fixed squares that stand for faces in the squares protocol.

The Halpe body set has no chin. It is placed on the line from the nose to the neck: adults' chins lie about 7.5 cm below
the tip of the nose, and the neck point, between the shoulder joints, about 19 cm. The same rule makes the points of the
ground truth and of the predictions, so that it favours neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.models.pose import Halpe26

CHIN_SHARE = 0.4  # of the way from the nose to the neck
EYES = [int(Halpe26.LEFT_EYE), int(Halpe26.RIGHT_EYE)]
NOSE, NECK = int(Halpe26.NOSE), int(Halpe26.NECK)


@dataclass(frozen=True, eq=False)
class FacePoints:
    """Left eye, right eye and chin of N people.

    Attributes:
        points: (N, 3, 2) float32 pixels.
        score: (N, 3) of each point; 0 where there is none.
    """

    points: NDArray[np.float32]
    score: NDArray[np.float32]

    def __getitem__(self, rows: Any) -> FacePoints:
        return FacePoints(self.points[rows], self.score[rows])

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which points there are (N, 3)."""
        return self.score > 0

    @property
    def mean_score(self) -> NDArray[np.float64]:
        """Mean score of the points that there are (N,), 0 for none."""
        number = self.known.sum(axis=1)
        return np.divide(self.score.sum(axis=1), number, out=np.zeros(len(number)), where=number > 0)


def face_points(
    points: NDArray[np.float32], score: NDArray[np.float32], *, chin_share: float = CHIN_SHARE
) -> FacePoints:
    """Eyes and chin of people.

    Args:
        points: (N, 26, 2) Halpe keypoints in pixels.
        score: (N, 26); 0 where a point is to be left out. A chin takes the lower one of nose and neck.
        chin_share: how far down the line from the nose to the neck it lies.
    """
    chin = points[:, NOSE] + chin_share * (points[:, NECK] - points[:, NOSE])
    chin_score = np.minimum(score[:, NOSE], score[:, NECK])
    return FacePoints(
        np.concatenate([points[:, EYES], chin[:, None]], axis=1).astype(np.float32),
        np.concatenate([score[:, EYES], chin_score[:, None]], axis=1).astype(np.float32),
    )


def squares(found: FacePoints, side: float) -> Boxes:
    """Squares (N, 4) of `side` pixels around the middle of the points' extent; each row needs at least one point."""
    known = found.known[:, :, None]
    low = np.where(known, found.points, np.inf).min(axis=1)
    high = np.where(known, found.points, -np.inf).max(axis=1)
    middle = (low + high) / 2
    return np.concatenate([middle - side / 2, middle + side / 2], axis=1).astype(np.float32)
