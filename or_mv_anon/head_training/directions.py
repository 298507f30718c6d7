"""The directions that a head can face, few and evenly spread, and the drawings of a head that faces them.

A direction is a unit vector: right and down in the picture, and towards the camera.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor

from or_mv_anon.core.truth import TruthPeople
from or_mv_anon.head_training.turntable import SCENERY, Look, turned_heads
from or_mv_anon.models.pose import Halpe26

TILT = 20.0  # degrees that the drawn heads are looked at from above, as cameras of a room look at people
SHARPNESS = 6.0  # how fast a direction's share falls with the cosine of the angle to it
NEEDED = [Halpe26.NOSE, Halpe26.LEFT_EAR, Halpe26.RIGHT_EAR]


def directions(count: int) -> NDArray[np.float32]:
    """So many directions (count, 3) around the head, the first one facing the camera."""
    yaw, tilt = 2 * np.pi * np.arange(count) / count, np.radians(TILT)
    towards = np.cos(yaw) * np.cos(tilt)
    return np.stack([np.sin(yaw), np.cos(yaw) * np.sin(tilt), towards], axis=1).astype(np.float32)


def nearest_direction(facing: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Which of `directions(count)` each of the unit vectors (N, 3) is closest to."""
    return (facing @ directions(count).T).argmax(axis=1)


def shares_of_directions(facing: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """How much each of `directions(count)` is meant by the unit vectors (N, 3): (N, count), rows that sum to 1.

    Not all or nothing, because a head halfway between two directions faces both.
    """
    return np.asarray(softmax(SHARPNESS * facing @ directions(count).T, axis=1), np.float32)


def facing_of(people: TruthPeople) -> NDArray[np.float32]:
    """Where simulated people (N,) face, (N, 3); NaN for heads that reach out of the picture.

    The truth has the angle to the camera; where in the picture the face turns is where its nose lies seen from the
    middle between its ears.
    """
    points = people.keypoints[..., :2]
    inside = np.all(people.keypoints[:, NEEDED, 2] > 0, axis=1)
    nose = points[:, Halpe26.NOSE] - (points[:, Halpe26.LEFT_EAR] + points[:, Halpe26.RIGHT_EAR]) / 2
    length = np.linalg.norm(nose, axis=1, keepdims=True).clip(1e-6)
    angle = np.radians(people.face_angle)[:, None]
    facing = np.concatenate([np.sin(angle) * nose / length, np.cos(angle)], axis=1)
    return np.where(inside[:, None], facing, np.nan).astype(np.float32)


def draw_heads(count: int, *, person: int, side: int, margin: float) -> Tensor:
    """One simulated person's head facing each of `directions(count)`, (count, 3, side, side) RGB 0-1.

    Args:
        count: how many.
        person: seed of the person.
        side: pixels.
        margin: share of the head that a region shows more than it.
    """
    looks = [Look(yaw=360 * number / count, pitch=TILT) for number in range(count)]
    heads = turned_heads(person, looks, side=side, shown=1 + margin)
    pictures = [np.where(head.present[..., None], head.picture / 255, SCENERY) for head in heads]
    return torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32))
