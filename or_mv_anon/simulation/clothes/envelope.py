"""How loose cloth hangs round a body: the tight outline of each horizontal slice, eased and made to fall straight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import ConvexHull, QhullError

from or_mv_anon.simulation.clothes.cloth import Points

_ANGLES = 72
_STEP = 0.02  # metres between slices


@dataclass(frozen=True, eq=False)
class Envelope:
    """Radii around an upright or slanting axis.

    Attributes:
        low, high: heights of the lowest and the highest slice, metres.
        foot, head: (2,) x and y of the axis at these heights.
        radii: (S, A) metres from the axis, slices from low to high, angles from +x counter-clockwise.
    """

    low: float
    high: float
    foot: NDArray[Any]
    head: NDArray[Any]
    radii: Points

    @staticmethod
    def around(points: Points, low: float, high: float, foot: NDArray[Any], head: NDArray[Any]) -> Envelope:
        """The convex outline of what lies between two heights, slice by slice."""
        heights = np.linspace(low, high, max(2, round((high - low) / _STEP) + 1))
        radii = np.zeros((len(heights), _ANGLES))
        for row, height in enumerate(heights):
            near = points[np.abs(points[:, 2] - height) < 1.2 * _STEP, :2]
            share = (height - low) / (high - low)
            radii[row] = _outline(near - (foot + share * (head - foot)))
        empty = ~radii.any(axis=1)
        if empty.any() and not empty.all():
            known = np.flatnonzero(~empty)
            radii[empty] = radii[known[np.argmin(np.abs(np.flatnonzero(empty)[:, None] - known), axis=1)]]
        return Envelope(low, high, np.asarray(foot), np.asarray(head), radii)

    def falling(self, *, drop: float = 0.0) -> Envelope:
        """Cloth hangs straight down from the widest place above; each metre it may come in by `drop` metres."""
        radii = self.radii.copy()
        step = (self.high - self.low) / (len(radii) - 1)
        for row in range(len(radii) - 2, -1, -1):
            radii[row] = np.maximum(radii[row], radii[row + 1] - drop * step)
        return Envelope(self.low, self.high, self.foot, self.head, radii)

    def eased(self, ease: float, *, flare: float = 0.0, blur: float = 1.5) -> Envelope:
        """Wider by `ease` metres and by `flare` metres per metre downwards, evened out over `blur` slices."""
        below = np.linspace(self.high - self.low, 0, len(self.radii))[:, None]
        even = gaussian_filter(self.radii, (blur, blur), mode=("nearest", "wrap"))
        return Envelope(self.low, self.high, self.foot, self.head, np.maximum(even, self.radii) + ease + flare * below)

    def belted(self, height: float, share: float, reach: float) -> Envelope:
        """Drawn in round a height to `share` of the radius, over about `reach` metres up and down."""
        heights = np.linspace(self.low, self.high, len(self.radii))
        factor = 1 - (1 - share) * np.exp(-(((heights - height) / reach) ** 2))
        return Envelope(self.low, self.high, self.foot, self.head, self.radii * factor[:, None])

    def centre(self, heights: NDArray[Any]) -> Points:
        """x and y (N, 2) of the axis at heights (N,)."""
        share = ((heights - self.low) / (self.high - self.low))[:, None]
        return np.asarray(self.foot + share * (self.head - self.foot))

    def polar(self, points: Points) -> tuple[Points, Points]:
        """Angles (N,) about the axis and distances (N,) from it."""
        away = points[:, :2] - self.centre(points[:, 2])
        return np.arctan2(away[:, 1], away[:, 0]), np.linalg.norm(away, axis=1)

    def radius(self, angles: NDArray[Any], heights: NDArray[Any]) -> Points:
        """Radii (N,) at angles and heights; beyond the ends those of the ends."""
        rows = (np.clip(heights, self.low, self.high) - self.low) / (self.high - self.low) * (len(self.radii) - 1)
        columns = np.mod(angles, 2 * np.pi) / (2 * np.pi) * _ANGLES
        wrapped = np.concatenate([self.radii, self.radii[:, :1]], axis=1)
        return np.asarray(map_coordinates(wrapped, [rows, columns], order=1, mode="nearest"))

    def place(self, angles: NDArray[Any], heights: NDArray[Any], radii: NDArray[Any]) -> Points:
        """Points (N, 3) from polar coordinates."""
        centre = self.centre(heights)
        return np.column_stack([centre[:, 0] + radii * np.cos(angles), centre[:, 1] + radii * np.sin(angles), heights])


def _outline(points: NDArray[Any]) -> Points:
    """Distance (A,) from the origin to the convex hull of points (N, 2) in each direction; zeros if there is none."""
    angles = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    if len(points) < 3:
        return np.zeros(_ANGLES)
    try:
        hull = ConvexHull(points)
    except QhullError:
        return np.zeros(_ANGLES)
    normal, offset = hull.equations[:, :2], -hull.equations[:, 2]
    if offset.min() <= 0:
        return np.zeros(_ANGLES)  # it does not go round the axis
    facing = np.stack([np.cos(angles), np.sin(angles)]).T @ normal.T
    with np.errstate(divide="ignore"):
        reach = np.where(facing > 1e-9, offset / facing, np.inf)
    return np.asarray(np.maximum(reach.min(axis=1), 0.0))
