"""Lenses that bend straight lines: pictures are rendered by a wider pinhole camera, then remapped.

The model is OpenCV's radial one (docs.opencv.org, "Camera Calibration and 3D Reconstruction"): a ray at distance r from
the axis in the plane z = 1 appears at r·(1 + k1·r² + k2·r⁴). Points go through the same formula, so that the ground
truth of points and the remapped id pictures agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.scene import View

Floats64 = NDArray[np.float64]
_REACH = 1.15  # beyond this multiple of the picture's corner the formula may fold back; it goes on as a straight line
_NEWTON_STEPS = 12


@dataclass(frozen=True)
class Lens:
    """Radial distortion; `k1` below 0 is the barrel shape of wide lenses."""

    k1: float = 0.0
    k2: float = 0.0

    def bend(self, radius: NDArray[Any]) -> Floats64:
        """Distorted radii of undistorted ones, both in the plane z = 1."""
        square = np.asarray(radius, np.float64) ** 2
        return np.asarray(radius * (1 + square * (self.k1 + self.k2 * square)))

    def slope(self, radius: NDArray[Any]) -> Floats64:
        """Derivative of `bend`; it is positive where the lens does not fold the picture over."""
        square = np.asarray(radius, np.float64) ** 2
        return np.asarray(1 + square * (3 * self.k1 + 5 * self.k2 * square))

    def straighten(self, radius: NDArray[Any]) -> Floats64:
        """Undistorted radii of distorted ones, by Newton's method."""
        wanted = np.asarray(radius, np.float64)
        found = wanted.copy()
        for _ in range(_NEWTON_STEPS):
            found -= (self.bend(found) - wanted) / np.maximum(self.slope(found), 0.05)
        return found


@dataclass(frozen=True, eq=False)
class Optics:
    """A camera with a lens at a fixed place: everything geometric about its picture.

    Attributes:
        width, height: pixels of the picture as recorded.
        focal: pixels, of the distorted picture at its centre; the axis hits the picture's middle.
        lens: its distortion.
        rotation: (3, 3), camera from world.
        translation: (3,), metres.
        sharpness: pixels of the pinhole picture per pixel of the recorded one at the centre.
    """

    width: int
    height: int
    focal: float
    lens: Lens
    rotation: Floats64
    translation: Floats64
    sharpness: float = 1.0

    @property
    def matrix(self) -> Floats64:
        """(3, 3) intrinsic matrix of the recorded picture, pixel centres at half-integers."""
        return _intrinsic(self.focal, self.width / 2, self.height / 2)

    @property
    def centre(self) -> Floats64:
        """The camera's position in the world, (3,)."""
        return np.asarray(-self.rotation.T @ self.translation)

    @cached_property
    def _rays(self) -> Floats64:
        """(H, W, 2): where the ray of each pixel centre meets the plane z = 1, undistorted."""
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal
        y = (np.arange(self.height) + 0.5 - self.height / 2) / self.focal
        bent = np.stack(np.meshgrid(x, y), axis=-1)
        radius = np.maximum(np.linalg.norm(bent, axis=-1, keepdims=True), 1e-12)
        return np.asarray(bent * (self.lens.straighten(radius) / radius))

    @cached_property
    def pinhole(self) -> View:
        """The undistorted view to render: it holds every ray of the recorded picture, and a pixel more."""
        focal = self.focal * self.sharpness
        half = np.abs(self._rays).reshape(-1, 2).max(axis=0) * focal
        width, height = (2 * int(np.ceil(side + 1)) for side in half)
        return View(
            width, height, _intrinsic(focal, width / 2, height / 2), self.rotation, self.translation
        )  # fmt: skip

    @cached_property
    def maps(self) -> NDArray[np.float32]:
        """(H, W, 2): where in the pinhole picture each recorded pixel looks, pixel centres at integers as in cv2."""
        view = self.pinhole
        middle = np.array([view.width, view.height]) / 2
        return (self._rays * view.matrix[0, 0] + middle - 0.5).astype(np.float32)

    @cached_property
    def nearest(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns (H, W) of the pinhole pixel that each recorded pixel's ids come from."""
        columns, rows = np.rint(self.maps[..., 0]).astype(np.intp), np.rint(self.maps[..., 1]).astype(np.intp)
        return rows, columns

    @cached_property
    def _axes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return np.ascontiguousarray(self.maps[..., 0]), np.ascontiguousarray(self.maps[..., 1])

    def colour(self, pinhole: NDArray[np.float32]) -> NDArray[np.float32]:
        """The recorded picture (H, W, 3) of the rendered one."""
        return np.asarray(cv2.remap(pinhole, *self._axes, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))

    def ids(self, pinhole: NDArray[Any]) -> NDArray[Any]:
        """The recorded picture of rendered numbers (ids, depths): taken, never mixed."""
        return np.asarray(pinhole[self.nearest])

    def project(self, points: NDArray[Any]) -> tuple[Floats64, Floats64]:
        """Pixels (N, 2) of the recorded picture and depths (N,) in metres of world points (N, 3).

        Points behind the camera have a depth of 0 or less, and pixels without meaning.
        """
        inside = np.asarray(points, np.float64) @ self.rotation.T + self.translation
        depth = inside[:, 2]
        flat = inside[:, :2] / np.where(np.abs(depth) < 1e-9, 1e-9, depth)[:, None]
        radius = np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
        near = np.minimum(radius, self._corner * _REACH)
        bent = self.lens.bend(near) + (radius - near) * np.maximum(self.lens.slope(near), 0.2)
        return flat / radius * bent * self.focal + [self.width / 2, self.height / 2], depth

    @cached_property
    def _corner(self) -> float:
        return float(np.linalg.norm(self._rays, axis=-1).max())

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, as the ground truth keeps them; distortion in OpenCV's order k1, k2, p1, p2, k3."""
        return {
            "matrix": self.matrix.tolist(),
            "distortion": [self.lens.k1, self.lens.k2, 0.0, 0.0, 0.0],
            "rotation": self.rotation.tolist(),
            "translation": self.translation.tolist(),
        }


def focal_length(*, width: int, field_of_view: float, lens: Lens) -> float:
    """Pixels at the centre of a picture whose left and right edges are `field_of_view` radians apart."""
    edge = float(lens.bend(np.array(np.tan(field_of_view / 2))))
    return width / 2 / edge


def _intrinsic(focal: float, x: float, y: float) -> Floats64:
    return np.array([[focal, 0.0, x], [0.0, focal, y], [0.0, 0.0, 1.0]])
