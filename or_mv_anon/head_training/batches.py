"""One training step's heads as tensors: what the modifier is shown of them, and what its adversaries need.

Where one picture lies in another is an affine matrix, see `layout`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from or_mv_anon.head_training.head_pictures import Head
from or_mv_anon.head_training.layout import Floats, between, face_in_region, lay_out, whole_pixels
from or_mv_anon.head_training.settings import MaterialConfig, ModifierConfig
from or_mv_anon.operators.cells import grid, mean_cells
from or_mv_anon.operators.drawn.mosaic import enlarge


@dataclass(frozen=True)
class Batch:
    """B heads; `seen` and `picture` are (B, 3, S, S) RGB 0-1.

    Attributes:
        seen: what M is shown.
        picture: the region as it was.
        seen_displaced: what M is shown of the same heads in regions displaced a little.
        to_displaced: (B, 2, 3) where the displaced regions lie in the first ones.
        known: (K,) rows of the heads whose identity is known, `identity` (K,) theirs.
        to_face: (K, 2, 3) where the upright face as recognizers want it lies in the region.
        turned: (T,) rows of the heads that face a known direction, (T, 3) in `facing`, see `directions`.
        acting: (A,) rows of the heads with a person crop (A, 3, 128, 96) in `person`, `action` (A,) theirs.
        to_region: (A, 2, 3) where the person crop lies in the region.
    """

    seen: Tensor
    picture: Tensor
    seen_displaced: Tensor
    to_displaced: Tensor
    known: Tensor
    identity: Tensor
    to_face: Tensor
    turned: Tensor
    facing: Tensor
    acting: Tensor
    action: Tensor
    person: Tensor
    to_region: Tensor

    def to(self, device: str) -> Batch:
        """The same on a device of torch."""
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


def make_batch(
    heads: Sequence[Head],
    *,
    identities: Sequence[str],
    material: MaterialConfig,
    modifier: ModifierConfig,
    rng: np.random.Generator | None,
) -> Batch:
    """Lay out the heads' regions.

    Args:
        heads: the batch.
        identities: the people the adversary knows.
        material, modifier: settings.
        rng: where chance comes from; None takes every head as it is.
    """
    seen, pictures, displaced, to_displaced = [], [], [], []
    known, identity, to_face, turned, facing = [], [], [], [], []
    acting, action, persons, to_region = [], [], [], []
    for row, head in enumerate(heads):
        laid = lay_out(head, material, rng)
        cells = modifier.cells if rng is None else int(rng.integers(modifier.least_cells, modifier.cells + 1))
        coarse = modifier.side if rng is None else rng.uniform(min(material.coarsest_px, modifier.side), modifier.side)
        seen.append(_seen(laid.head, laid.region, cells, round(coarse), modifier))
        pictures.append(_squared(laid.head.picture, laid.region, modifier.side))
        displaced.append(_seen(laid.head, laid.displaced, cells, round(coarse), modifier))
        to_displaced.append(between(laid.displaced, laid.region))
        if laid.head.landmarks is not None and head.identity in identities:
            known.append(row)
            identity.append(identities.index(head.identity))
            to_face.append(face_in_region(laid.head.landmarks, laid.region))
        if laid.head.facing is not None:
            turned.append(row)
            facing.append(laid.head.facing)
        if laid.head.person is not None and laid.head.person_box is not None:
            acting.append(row)
            action.append(head.action)
            persons.append(_channels_first(laid.head.person))
            to_region.append(between(laid.head.person_box, laid.region))
    return Batch(
        seen=_stacked(seen, (3, 1, 1)),
        picture=_stacked(pictures, (3, 1, 1)),
        seen_displaced=_stacked(displaced, (3, 1, 1)),
        to_displaced=_stacked(to_displaced, (2, 3)),
        known=torch.tensor(known, dtype=torch.int64),
        identity=torch.tensor(identity, dtype=torch.int64),
        to_face=_stacked(to_face, (2, 3)),
        turned=torch.tensor(turned, dtype=torch.int64),
        facing=_stacked(facing, (3,)),
        acting=torch.tensor(acting, dtype=torch.int64),
        action=torch.tensor(action, dtype=torch.int64),
        person=_stacked(persons, (3, 1, 1)),
        to_region=_stacked(to_region, (2, 3)),
    )


def _seen(head: Head, region: Floats, cells: int, coarse: int, modifier: ModifierConfig) -> Floats:
    """What M is shown: a mosaic of so many cells, or a picture that was `coarse` pixels high and wide."""
    x1, y1, x2, y2 = whole_pixels(region, head.picture.shape[0])
    if modifier.sees == "picture":
        small = cv2.resize(head.picture[y1:y2, x1:x2], (coarse, coarse), interpolation=cv2.INTER_AREA)
        return enlarge(np.asarray(small, np.uint8), modifier.side)
    mosaic = mean_cells(head.picture[y1:y2, x1:x2], grid(width=x2 - x1, height=y2 - y1, cells=cells))
    return enlarge(mosaic, modifier.side)


def _squared(picture: NDArray[np.uint8], region: Floats, side: int) -> Floats:
    """The region's picture (3, side, side), 0-1, stretched to a square."""
    x1, y1, x2, y2 = whole_pixels(region, picture.shape[0])
    shown = cv2.resize(picture[y1:y2, x1:x2], (side, side), interpolation=cv2.INTER_LINEAR)
    return _channels_first(np.asarray(shown, np.uint8))


def _channels_first(picture: NDArray[np.uint8]) -> Floats:
    """A picture (H, W, 3) as (3, H, W), 0-1."""
    return np.asarray(picture.transpose(2, 0, 1), np.float32) / np.float32(255)


def _stacked(parts: Sequence[Floats], empty: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(np.stack(parts) if parts else np.zeros((0, *empty), np.float32))
