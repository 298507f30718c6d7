"""Which keypoints of a person are in the picture, and which of them show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.cameras.lens import Optics

OUTSIDE, HIDDEN, SEEN = 0, 1, 2
_ON_THE_SKIN, _IN_A_LIMB, _IN_THE_TRUNK = 0.05, 0.11, 0.2  # metres that a keypoint may lie under what shows there
# Halpe-26: five of the face, shoulders, elbows, wrists, hips, knees, ankles, head top, neck, mid hip, six of the feet.
_DEPTHS = np.array(
    [_ON_THE_SKIN] * 5 + [_IN_THE_TRUNK] * 2 + [_IN_A_LIMB] * 4 + [_IN_THE_TRUNK] * 2 + [_IN_A_LIMB] * 4
    + [_IN_A_LIMB] + [_IN_THE_TRUNK] * 2 + [_IN_A_LIMB] * 6
)  # fmt: skip


def keypoint_rows(
    optics: Optics, keypoints: NDArray[Any], own: NDArray[np.bool_], depth: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Rows x, y, visibility (26, 3) in COCO's sense: 0 outside the picture (at 0, 0), 1 hidden, 2 seen.

    A keypoint is seen when its pixel or a neighbour shows the person there: not farther in front of the joint than the
    joint lies under the skin, or it is another part of the same body.

    Args:
        optics: of the picture.
        keypoints: (26, 3) world metres.
        own: (H, W) pixels that show the person.
        depth: (H, W) metres along the camera's axis.
    """
    pixels, distance = optics.project(keypoints)
    inside = (distance > 0) & (pixels >= 0).all(axis=1) & (pixels < [optics.width, optics.height]).all(axis=1)
    rows = np.zeros((len(keypoints), 3), np.float32)
    rows[inside, :2] = pixels[inside]
    rows[inside, 2] = HIDDEN
    for number in np.flatnonzero(inside):
        column, row = pixels[number].astype(int)
        around = slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2)
        near = distance[number] - depth[around] < _DEPTHS[number]
        if (own[around] & near).any():
            rows[number, 2] = SEEN
    return rows
