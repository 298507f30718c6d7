"""The baselines of Ren, Lee and Ryoo 2018 ("Learning to Anonymize Faces"): noise, super-pixels, edges.

The paper names them without code; strengths are ours. They work on BGR pictures, on the same grid as the product.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.operators.cells import snap

NOISE = 128.0  # standard deviation on the 8-bit scale
SEGMENTS = 36  # super-pixels per region: as many as the cells of a 6 x 6 mosaic
SEGMENT_SIDE = 64  # px: regions are segmented at this size at most
POSITION_WEIGHT = 2.0  # of a region's side against the full range of a colour channel
EDGE_THRESHOLDS = (60.0, 150.0)  # of Canny's gradient, 8-bit scale

Picture = NDArray[np.uint8]


class Baseline(ABC):
    """Covers regions of BGR pictures by what `_drawn` makes of each."""

    name: str

    def __call__(self, picture: Picture, regions: Boxes) -> Picture:
        """A copy of the picture with the regions ``(N, 4)`` covered."""
        covered = picture.copy()
        height, width = picture.shape[:2]
        for x1, y1, x2, y2 in snap(regions, width=width, height=height):
            covered[y1:y2, x1:x2] = self._drawn(picture[y1:y2, x1:x2])
        return covered

    @abstractmethod
    def _drawn(self, region: Picture) -> Picture: ...


class Noise(Baseline):
    """Adds Gaussian noise, another one for every picture."""

    name = "noise"

    def _drawn(self, region: Picture) -> Picture:
        draw = np.random.default_rng(zlib.crc32(region.tobytes()))
        return np.clip(region + draw.normal(0, NOISE, region.shape), 0, 255).astype(np.uint8)


class SuperPixel(Baseline):
    """Paints every super-pixel in its mean colour; segments by k-means over colour and place, as SLIC does.

    SLIC: Achanta et al. 2012, "SLIC Superpixels Compared to State-of-the-Art Superpixel Methods".
    """

    name = "super-pixel"

    def _drawn(self, region: Picture) -> Picture:
        height, width = region.shape[:2]
        factor = min(1.0, SEGMENT_SIDE / max(height, width))
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        small = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
        y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
        place = np.stack([x / size[0], y / size[1]], axis=-1) * (255 * POSITION_WEIGHT)
        colour = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
        samples = np.concatenate([colour, place], axis=-1).reshape(-1, 5)
        side = round(SEGMENTS**0.5)
        start = np.int32(y * side / size[1]) * side + np.int32(x * side / size[0])
        count = min(SEGMENTS, len(samples))
        stop = (cv2.TERM_CRITERIA_MAX_ITER, 5, 0.0)
        start = start.reshape(-1, 1) % count
        _, label, _ = cv2.kmeans(samples, count, start.copy(), stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)
        members = np.bincount(label[:, 0], minlength=count).clip(1)
        sums = [np.bincount(label[:, 0], weights=band, minlength=count) for band in small.reshape(-1, 3).T]
        painted = (np.stack(sums, axis=-1) / members[:, None])[label[:, 0]].reshape(small.shape)
        return np.asarray(cv2.resize(painted.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST))


class Edge(Baseline):
    """Leaves the contours that Canny's detector finds, white on black."""

    name = "edge"

    def _drawn(self, region: Picture) -> Picture:
        grey = cv2.GaussianBlur(cv2.cvtColor(region, cv2.COLOR_BGR2GRAY), (5, 5), 0)
        return np.asarray(cv2.cvtColor(cv2.Canny(grey, *EDGE_THRESHOLDS), cv2.COLOR_GRAY2BGR), np.uint8)
