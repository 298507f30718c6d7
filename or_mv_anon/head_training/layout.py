"""Where a head's region comes to lie: displaced, grown and stretched by chance, mirrored, in another light.

Where one picture lies in another is an affine matrix as `torch.nn.functional.affine_grid` takes it: from the sampled
picture's coordinates to the source's, both -1 to 1 across.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.head_training.head_pictures import Head
from or_mv_anon.head_training.settings import MaterialConfig
from or_mv_anon.models.recognizers import SFACE_TEMPLATE, similarity_transform

MIRRORED = [1, 0, 2, 4, 3]  # landmarks: right and left change places
LEAST_SIDE = 0.5  # of a head's region: less of it than this share is not learned from
STILL_SHIFT = 1 / 12  # of the region's width: how far the second region lies beside the first where nothing is chance
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LaidOut:
    """A head in its light, with its region and another one that is displaced a little."""

    head: Head
    region: Floats
    displaced: Floats


def face_in_region(landmarks: Floats, region: Floats) -> Floats:
    """Where the aligned face of `recognizers.align` lies in the region, (2, 3); landmarks (5, 2), region (4,)."""
    known = np.isfinite(landmarks).all(axis=1)
    placed = similarity_transform(landmarks[known], 2 * SFACE_TEMPLATE[known] - 1)
    back = np.asarray(cv2.invertAffineTransform(placed), np.float64)
    middle, reach = _middle_and_reach(region)
    back[:, 2] -= middle
    return (back / reach[:, None]).astype(np.float32)


def lay_out(head: Head, material: MaterialConfig, rng: np.random.Generator | None) -> LaidOut:
    """Lay out a head's region twice; without `rng` as it is, and a little to the right."""
    region = head.region
    if rng is None:
        return LaidOut(
            head, region, region + np.array([STILL_SHIFT, 0, STILL_SHIFT, 0], np.float32) * (region[2] - region[0])
        )
    if rng.random() < 0.5:
        head = _mirrored(head)
    head = _lit(head, rng)
    return LaidOut(head, _displaced(head, material, rng), _displaced(head, material, rng))


def _displaced(head: Head, material: MaterialConfig, rng: np.random.Generator) -> Floats:
    """The head's region moved, grown and stretched by chance, cut to the picture."""
    middle, reach = _middle_and_reach(head.region)
    middle = middle + rng.uniform(-material.shift, material.shift, 2) * 2 * reach
    stretch = np.exp(rng.uniform(-1, 1) * np.log1p(material.stretch) / 2)
    reach = reach * (1 + rng.uniform(-material.growth, material.growth)) * [stretch, 1 / stretch]
    wanted = np.concatenate([middle - reach, middle + reach])
    box = np.clip(wanted, np.tile(head.inside[:2], 2), np.tile(head.inside[2:], 2)).astype(np.float32)
    least = LEAST_SIDE * 2 * reach
    return box if (box[2:] - box[:2] >= least).all() else head.region


def _mirrored(head: Head) -> Head:
    side = head.picture.shape[1]

    def flipped(box: Floats) -> Floats:
        return np.array([side - box[2], box[1], side - box[0], box[3]], np.float32)

    points = head.landmarks
    return Head(
        source=head.source,
        picture=head.picture[:, ::-1],
        region=flipped(head.region),
        inside=flipped(head.inside),
        identity=head.identity,
        landmarks=None
        if points is None
        else (np.array([side, 0], np.float32) + points * np.array([-1, 1], np.float32))[MIRRORED],
        person=None if head.person is None else head.person[:, ::-1],
        person_box=None if head.person_box is None else flipped(head.person_box),
        action=head.action,
        facing=None if head.facing is None else head.facing * np.array([-1, 1, 1], np.float32),
    )


def _lit(head: Head, rng: np.random.Generator) -> Head:
    """The head in another light; its person crop with it."""
    gains = (np.exp(rng.normal(0, 0.12, 3)) * np.exp(rng.normal(0, 0.2))).astype(np.float32)

    def lit(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(np.clip(picture * gains, 0, 255).astype(np.uint8))

    person = None if head.person is None else lit(head.person)
    return replace(head, picture=lit(head.picture), person=person)


def whole_pixels(region: Floats, side: int) -> tuple[int, int, int, int]:
    """The region ``(x1, y1, x2, y2)`` on pixel edges, at least a pixel wide and high, in a square picture."""
    x1, y1, x2, y2 = (int(v) for v in np.clip(np.round(region), 0, side))
    return min(x1, side - 1), min(y1, side - 1), max(x2, x1 + 1), max(y2, y1 + 1)


def between(sampled: Floats, source: Floats) -> Floats:
    """Where the box `sampled` lies in the box `source`, (2, 3)."""
    middle, reach = _middle_and_reach(sampled)
    source_middle, source_reach = _middle_and_reach(source)
    scale, move = reach / source_reach, (middle - source_middle) / source_reach
    return np.array([[scale[0], 0, move[0]], [0, scale[1], move[1]]], np.float32)


def _middle_and_reach(box: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    edges = box.astype(np.float64)
    return (edges[:2] + edges[2:]) / 2, (edges[2:] - edges[:2]) / 2
