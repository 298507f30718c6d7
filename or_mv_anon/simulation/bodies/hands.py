"""Shapes of hands: rotations of the finger bones for hands at rest, hands that hold an instrument, and fists.

The bones turn in body axes (see `scene.Pose`), so the axis about which a finger bends is found from the rest pose: it
lies across the knuckles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Rotations = dict[str, NDArray[np.float64]]

# Degrees of bending at the three joints of thumb, index, middle, ring and little finger.
_RELAXED = ((8, 12, 14), (22, 28, 16), (28, 32, 18), (32, 34, 20), (36, 34, 20))
_GRIP = ((22, 24, 26), (38, 46, 30), (52, 60, 34), (60, 66, 38), (62, 66, 38))
_PINCH = ((26, 20, 16), (46, 44, 22), (50, 46, 26), (46, 52, 30), (44, 50, 30))

_CLOSING = 0.6  # share of the rest pose's spread between the fingers that is taken back


def relaxed_hand(labels: Sequence[str], joints: NDArray[np.float64], side: str, *, bend: float = 1.0) -> Rotations:
    """A hand that holds nothing: fingers slightly curled, more towards the little finger.

    Args:
        labels: bone names of the body.
        joints: (B, 3) where the bones begin at rest, body frame.
        side: 'L' or 'R'.
        bend: 0 straight, 1 at rest; 1.5 nearly grips.

    Returns:
        Rotations (3, 3) of the finger bones, to be merged into a pose.
    """
    return _curled(labels, joints, side, _RELAXED, bend)


def grip_hand(labels: Sequence[str], joints: NDArray[np.float64], side: str, *, bend: float = 1.0) -> Rotations:
    """A hand round a handle; arguments as in `relaxed_hand`."""
    return _curled(labels, joints, side, _GRIP, bend)


def pinch_hand(labels: Sequence[str], joints: NDArray[np.float64], side: str, *, bend: float = 1.0) -> Rotations:
    """A hand that holds a fine instrument between thumb, index and middle finger; arguments as in `relaxed_hand`."""
    return _curled(labels, joints, side, _PINCH, bend)


def finger_shapes(
    labels: Sequence[str], joints: NDArray[np.float64], *, fine: bool = False
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Per finger bone of both hands its rotations in a relaxed and in a holding hand.

    Args:
        labels: bone names of the body.
        joints: (B, 3) where the bones begin at rest, body frame.
        fine: hold as one holds a fine instrument, not as a handle.
    """
    hold = pinch_hand if fine else grip_hand
    shapes = {}
    for side in ("L", "R"):
        relaxed, holding = relaxed_hand(labels, joints, side), hold(labels, joints, side)
        shapes.update({label: (relaxed[label], holding[label]) for label in relaxed})
    return shapes


def _curled(
    labels: Sequence[str],
    joints: NDArray[np.float64],
    side: str,
    shape: Sequence[Sequence[float]],
    bend: float,
) -> Rotations:
    place: Mapping[str, NDArray[np.float64]] = {label: joints[row] for row, label in enumerate(labels)}
    across = _unit(place[f"finger2-1.{side}"] - place[f"finger5-1.{side}"])
    if side == "L":
        across = -across
    middle = _unit(place[f"finger3-3.{side}"] - place[f"finger3-1.{side}"])
    palm = _unit(np.cross(across, middle))
    rotations: Rotations = {}
    for finger, bends in enumerate(shape, start=1):
        names = [f"finger{finger}-{bone}.{side}" for bone in (1, 2, 3)]
        along = _unit(place[names[2]] - place[names[0]])
        axis = _thumb_axis(place, along, side) if finger == 1 else _unit(across - (across @ along) * along)
        for name, degrees in zip(names, bends, strict=True):
            rotations[name] = Rotation.from_rotvec(axis * np.radians(degrees * bend)).as_matrix()
        if finger > 1:
            apart = np.arctan2(np.cross(middle, along) @ palm, middle @ along)
            rotations[names[0]] = Rotation.from_rotvec(-_CLOSING * apart * palm).as_matrix() @ rotations[names[0]]
    return rotations


def _thumb_axis(place: Mapping[str, NDArray[np.float64]], along: NDArray[np.float64], side: str) -> NDArray[np.float64]:
    """The thumb bends towards the root of the little finger."""
    return _unit(np.cross(along, place[f"finger5-1.{side}"] - place[f"finger1-2.{side}"]))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector))
