"""Rotation matrices as motion needs them: from an angle, from directions, and the twist in one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TINY = 1e-9


def turn(axis: str, angle: float) -> Array:
    """Rotation (3, 3) by `angle` radians about 'x', 'y' or 'z'."""
    c, s = math.cos(angle), math.sin(angle)
    if axis == "x":
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    if axis == "y":
        return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def facing(heading: float) -> Array:
    """World from body rotation of somebody upright who faces `heading` (the body frame faces −y)."""
    return turn("z", heading + math.pi / 2)


def about(axis: NDArray[Any], angle: float) -> Array:
    """Rotation (3, 3) by `angle` radians about a direction (Rodrigues' formula)."""
    x, y, z = (float(value) for value in unit(axis))
    c, s = math.cos(angle), math.sin(angle)
    t = 1 - c
    return np.array(
        [
            [c + t * x * x, t * x * y - s * z, t * x * z + s * y],
            [t * x * y + s * z, c + t * y * y, t * y * z - s * x],
            [t * x * z - s * y, t * y * z + s * x, c + t * z * z],
        ]
    )


def unit(vector: NDArray[Any]) -> Array:
    """The vector at length 1; a zero vector gives +x."""
    values = np.asarray(vector, np.float64)
    length = math.sqrt(float(values @ values))
    return values / length if length > TINY else np.array([1.0, 0.0, 0.0])


def axis_angle(rotation: NDArray[Any]) -> tuple[Array, float]:
    """Axis (3,) and angle in [0, π) of a rotation."""
    vector = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine = math.sqrt(float(vector @ vector)) / 2
    cosine = (float(np.trace(rotation)) - 1) / 2
    return unit(vector), math.atan2(sine, cosine)


def twist_about(rotation: NDArray[Any], axis: NDArray[Any]) -> float:
    """Signed angle by which a rotation turns things about `axis` (swing-twist decomposition), radians."""
    along = unit(axis)
    turned_axis, angle = axis_angle(rotation)
    half = angle / 2
    return wrapped(2 * math.atan2(math.sin(half) * float(turned_axis @ along), math.cos(half)))


def frame(along: NDArray[Any], hint: NDArray[Any]) -> Array:
    """Right-handed axes (columns): the first along `along`, the second as near to `hint` as is possible."""
    first = unit(along)
    second = np.asarray(hint, np.float64) - first * float(first @ hint)
    if float(second @ second) < TINY:
        other = np.array([0.0, 0.0, 1.0]) if abs(first[2]) < 0.9 else np.array([0.0, 1.0, 0.0])
        second = other - first * float(first @ other)
    second = unit(second)
    return np.array([first, second, cross(first, second)]).T


def cross(first: NDArray[Any], second: NDArray[Any]) -> Array:
    """Cross product of two vectors (3,); for so few numbers much faster than numpy's."""
    a, b, c = first
    x, y, z = second
    return np.array([b * z - c * y, c * x - a * z, a * y - b * x])


def length(vector: NDArray[Any]) -> float:
    """Length of a vector."""
    return math.sqrt(float(vector @ vector))


def wrapped(angle: float) -> float:
    """The angle within [−π, π)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi
