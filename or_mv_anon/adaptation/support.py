"""Who is surely there in the held-out pictures, according to all iterations together.

No iteration judges itself: a person counts whom tracking supports in any iteration, if witnesses that training cannot
change confirm it (`evidence`). What only some iteration suspects is neutral, neither a person to be found nor a mistake
to find, unless these witnesses deny it: mistakes that a detector repeats must cost it something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Column


@dataclass(frozen=True)
class Support:
    """One held-out picture: `people` (P, 4) with `weight` (P,), `neutral` (N, 4), `denied` (D, 4), in its pixels."""

    people: Boxes
    weight: Column
    neutral: Boxes
    denied: Boxes


def merge_support(
    iterations: Sequence[Sequence[LabelledImage]], *, least_weight: float, match_iou: float
) -> Mapping[int, Support]:
    """The support in every held-out picture.

    Args:
        iterations: the labels that each iteration gives the same pictures.
        least_weight: of a label that counts as a person.
        match_iou: boxes of two iterations that overlap at least this much are one person.
    """
    merged: dict[int, Support] = {}
    for images in iterations:
        for image in images:
            labels = image.labels
            sure = labels.weight >= least_weight
            denied = labels.evidence <= 0
            fresh = Support(
                labels.box[sure], labels.weight[sure], labels.box[~sure & ~denied], labels.box[~sure & denied]
            )
            known = merged.get(image.number)
            merged[image.number] = fresh if known is None else _joined(known, fresh, match_iou)
    return merged


def _joined(known: Support, fresh: Support, match_iou: float) -> Support:
    new = geometry.iou(fresh.people, known.people).max(axis=1, initial=0) < match_iou
    return Support(
        np.concatenate([known.people, fresh.people[new]]),
        np.concatenate([known.weight, fresh.weight[new]]),
        np.concatenate([known.neutral, fresh.neutral]),
        np.concatenate([known.denied, fresh.denied]),
    )
