"""Losses of a detector that scores one box per cell, for targets that count by how far they are trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor

BOX_WEIGHT = 5.0  # of the overlap loss against the others, as in YOLOX


@dataclass(frozen=True)
class Predictions:
    """Everything the network says about pictures, one row per cell of the three grids (`P` of them).

    Attributes:
        cls: ``(N, P)`` logits of being a person.
        obj: ``(N, P)`` logits of there being something.
        boxes: ``(N, P, 4)`` in pixels of the picture.
    """

    cls: Tensor
    obj: Tensor
    boxes: Tensor

    @property
    def scores(self) -> Tensor:
        return self.cls.sigmoid() * self.obj.sigmoid()


@dataclass(frozen=True)
class Targets:
    """What one picture's labels say about each of `P` cells.

    Attributes:
        weight: ``(P,)`` of the label that a cell is to find, 0 for the other cells.
        boxes: ``(P, 4)`` of that label.
        overlap: ``(P,)`` of the predicted box with it.
        judged: ``(P,)`` weight of the objectness: the label's, 1 for background, 0 in ignored regions.
        unlabelled: ``(P,)`` whether a cell's centre lies in no trusted label.
    """

    weight: Tensor
    boxes: Tensor
    overlap: Tensor
    judged: Tensor
    unlabelled: Tensor


def losses(
    predictions: Predictions,
    obj: Tensor,
    cls: Tensor,
    boxes: Tensor,
    *,
    judged: Tensor,
    weight: Tensor,
    unit: Tensor,
) -> dict[str, Tensor]:
    """Losses against targets ``(N, P)`` and boxes ``(N, P, 4)``, divided by `unit`; 0 where their weight is 0."""
    kept = weight > 0
    overlap = bbox_overlaps(predictions.boxes[kept], boxes[kept], is_aligned=True)
    differences = {
        "loss_obj": F.binary_cross_entropy_with_logits(predictions.obj, obj, weight=judged, reduction="sum"),
        "loss_cls": F.binary_cross_entropy_with_logits(
            predictions.cls[kept], cls[kept], weight=weight[kept], reduction="sum"
        ),
        "loss_bbox": BOX_WEIGHT * ((1 - overlap**2) * weight[kept]).sum(),
    }
    return {name: value / unit.clamp(min=1) for name, value in differences.items()}


def rows(maps: Sequence[Tensor]) -> Tensor:
    """Maps ``(N, C, h, w)`` of all strides as ``(N, P, C)``."""
    return torch.cat([part.permute(0, 2, 3, 1).flatten(1, 2) for part in maps], dim=1)


def holds(boxes: Tensor, centres: Tensor) -> Tensor:
    """For each of ``(P, 4)`` cells, whether its centre lies in any of the boxes."""
    x, y = centres[:, 0:1], centres[:, 1:2]
    inside = (x > boxes[:, 0]) & (x < boxes[:, 2]) & (y > boxes[:, 1]) & (y < boxes[:, 3])
    return inside.any(dim=1)
