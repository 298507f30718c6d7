"""Training examples for the pose model: cut-outs of labelled people, in memory alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.head_labels import HeadLabels, ReadFrames
from or_mv_anon.adaptation.settings import PoseAdaptationConfig
from or_mv_anon.core.pictures import Picture
from or_mv_anon.models.pose import crop_frames

CONTEXT = 1.5  # side of a cut-out ÷ side of the network's crop: room for shifted and turned crops
LONGEST_SIDE = 400  # px; larger cut-outs are reduced, the network's crop has 256
HELD_OUT_EVERY = 5  # stretches of time
FILLED_EXTRA = 2.0  # how much more often a person with filled points is drawn: there the model has something to learn


@dataclass(frozen=True, kw_only=True)
class HeadCrop:
    """One labelled person.

    Attributes:
        picture: the person and some surroundings, (h, w, 3) BGR.
        centre: of the person box, in pixels of `picture` (2,).
        size: width and height of the network's crop, in pixels of `picture` (2,).
        points: Halpe-26 keypoints in pixels of `picture` (26, 2).
        weight: of each keypoint in the loss (26,).
    """

    picture: Picture = field(repr=False)
    centre: NDArray[np.float32]
    size: NDArray[np.float32]
    points: NDArray[np.float32]
    weight: NDArray[np.float32]


def held_out(labels: HeadLabels, settings: PoseAdaptationConfig) -> NDArray[np.bool_]:
    """Which rows lie in the stretches of time that are judged on and never trained on."""
    block = np.floor(labels.time / settings.block_s).astype(int)
    return np.asarray(block % HELD_OUT_EVERY == HELD_OUT_EVERY - 1)


def choose(labels: Mapping[str, HeadLabels], count: int, *, rng: np.random.Generator) -> dict[str, NDArray[np.intp]]:
    """At most `count` rows over all cameras: every track alike, people with filled points more often."""
    names = [name for name in labels for _ in range(len(labels[name]))]
    rows = np.concatenate([np.arange(len(part)) for part in labels.values()])
    chance = np.concatenate([_chance(part) for part in labels.values()])
    count = min(count, len(rows))
    # Keys for sampling without replacement by weight: Efraimidis and Spirakis 2006.
    key = rng.random(len(rows)) ** (1 / chance)
    taken = np.sort(np.argsort(-key, kind="stable")[:count])
    of = np.array(names)[taken]
    return {name: rows[taken[of == name]] for name in labels}


def cut(name: str, labels: HeadLabels, read: ReadFrames) -> list[HeadCrop]:
    """The examples of one camera; only one frame at a time is in memory beside them."""
    order = np.argsort(labels.frame, kind="stable")
    labels = labels[order]
    frames = np.unique(labels.frame)
    crops = []
    for frame, picture in read(name, [int(number) for number in frames]):
        rows = np.flatnonzero(labels.frame == frame)
        centres, sizes = crop_frames(labels.box[rows])
        for row, centre, size in zip(rows, centres, sizes, strict=True):
            crops.append(_cut_out(picture, centre, size, labels.points[row], labels.weight[row]))
    return crops


def _chance(labels: HeadLabels) -> NDArray[np.float64]:
    _, which, counts = np.unique(labels.track, return_inverse=True, return_counts=True)
    return np.asarray((1 + FILLED_EXTRA * (labels.filled > 0)) / np.sqrt(counts[which]))


def _cut_out(
    picture: Picture,
    centre: NDArray[np.float32],
    size: NDArray[np.float32],
    points: NDArray[np.float32],
    weight: NDArray[np.float32],
) -> HeadCrop:
    height, width = picture.shape[:2]
    low = np.clip(np.floor(centre - CONTEXT / 2 * size), 0, [width - 1, height - 1]).astype(int)
    high = np.clip(np.ceil(centre + CONTEXT / 2 * size), low + 1, [width, height]).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, LONGEST_SIDE / max(part.shape[:2]))
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else part.copy()
    return HeadCrop(
        picture=np.asarray(small, np.uint8),
        centre=(centre - low).astype(np.float32) * np.float32(scale),
        size=size * np.float32(scale),
        points=(points - low).astype(np.float32) * np.float32(scale),
        weight=weight,
    )
