"""The training data as numbered draws: each depends on the seed and its number alone, so training can be resumed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from numpy.typing import NDArray
from torch.utils.data import Dataset

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.openmmlab.augmentation import GREY, Augmentation, degrade, occlude, place, shown_share
from or_mv_anon.openmmlab.further_augmentation import Changes, drape, infrared, turn

LEAST_SIDE = 2.0  # px; smaller boxes teach nothing


@dataclass(frozen=True)
class PictureLabels:
    """One picture's trusted boxes ``(N, 4)`` with weights ``(N,)``, and ignored regions ``(M, 4)``, in its pixels.

    `classes` ``(N + M,)`` has the numbers of the classes, those of the trusted boxes first.
    """

    image: int
    boxes: Boxes
    weights: NDArray[np.float32]
    ignored: Boxes
    classes: NDArray[np.int64]


def read_labels(path: Path, pictures: PictureBank, *, classes: int = 1) -> list[PictureLabels]:
    """The labels of `pictures` in a COCO json; `iscrowd` or a weight of 0 makes an ignored region.

    The first class has the category 1, the next 2, and so on; annotations of further ones are left out.

    Raises:
        UserError: the file is none, names no pictures, or names pictures that are not there.
    """
    try:
        content = json.loads(path.read_text())
        rows: dict[int, list[list[float]]] = {image["id"]: [] for image in content["images"]}
        for annotation in content["annotations"]:
            x, y, width, height = annotation["bbox"]
            weight = 0.0 if annotation.get("iscrowd") else float(annotation.get("weight", 1.0))
            number = annotation["category_id"] - 1
            if not 0 <= number < classes:
                continue
            rows[annotation["image_id"]].append([x, y, x + width, y + height, weight, number])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no COCO json of labels ({error}); expected images and annotations.") from error
    if not rows:
        raise UserError(f"{path} names no pictures; there is nothing to learn from.")
    missing = rows.keys() - pictures.pictures.keys()
    if missing:
        raise UserError(f"{path} has labels for {len(missing)} pictures that were not decoded; make them together.")
    found = []
    for image, values in rows.items():
        table = np.array(values, np.float32).reshape(-1, 6)
        trusted = table[:, 4] > 0
        numbers = np.concatenate([table[trusted, 5], table[~trusted, 5]]).astype(np.int64)
        found.append(PictureLabels(image, table[trusted, :4], table[trusted, 4], table[~trusted, :4], numbers))
    return found


class Draws(Dataset):
    """Endless draws of augmented pictures; every picture comes once before any comes again.

    Args:
        labels: of the pictures.
        pictures: in memory.
        length: how many draws there are.
        long_side: of the drawn pictures, in pixels.
        augmentation: how far they are changed.
        seed: of all randomness.
        weighted: whether the model's losses know weights and ignored regions. For one that does not, a label takes
            part as often as its weight says, and ignored regions are painted over.
        changes: further ones, for networks that are to know any place; None for none.
    """

    metainfo = {"classes": ("person",)}

    def __init__(
        self,
        labels: list[PictureLabels],
        pictures: PictureBank,
        *,
        length: int,
        long_side: int,
        augmentation: Augmentation,
        seed: int,
        weighted: bool = True,
        changes: Changes | None = None,
    ) -> None:
        self._labels = labels
        self._pictures = pictures
        self._length = length
        self._long_side = long_side
        self._augmentation = augmentation
        self._seed = seed
        self._weighted = weighted
        self._changes = changes
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: int) -> dict[str, Any]:
        rng = np.random.default_rng([self._seed, number])
        round_, place_in_round = divmod(number, len(self._labels))
        labels = self._labels[self._order(round_)[place_in_round]]
        people = len(labels.boxes)
        boxes = np.concatenate([labels.boxes, labels.ignored])
        picture = self._pictures[labels.image]
        if self._changes is not None:
            picture, boxes = turn(picture, boxes, trusted=people, settings=self._changes, rng=rng)
        picture, boxes = place(
            picture,
            boxes,
            people=people,
            long_side=self._long_side,
            settings=self._augmentation,
            rng=rng,
        )
        picture, covered = occlude(picture, boxes[:people], settings=self._augmentation, rng=rng)
        height, width = picture.shape[:2]
        shown = shown_share(boxes, covered, width=width, height=height)
        if self._changes is not None:
            draped = drape(picture, boxes[:people], labels.classes[:people], settings=self._changes, rng=rng)
            shown[:people] *= 1 - draped
            picture = infrared(picture, settings=self._changes, rng=rng)
        picture = degrade(picture, settings=self._augmentation, rng=rng)
        boxes = geometry.clip(boxes, width=width, height=height)
        visible = (boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= LEAST_SIDE
        trusted = np.arange(len(boxes)) < people
        kept = trusted & visible & (shown >= self._augmentation.shown)
        weights = np.concatenate([labels.weights, np.zeros(len(labels.ignored), np.float32)])
        if not self._weighted:
            kept &= rng.random(len(boxes)) < weights
            _paint_over(picture, boxes[~kept & visible], spared=boxes[kept])
        return _packed(picture, labels, boxes, weights, kept=kept, ignored=~kept & visible)

    def _shuffled(self, round_: int) -> NDArray[np.intp]:
        return np.random.default_rng([self._seed, round_, len(self._labels)]).permutation(len(self._labels))


def _paint_over(picture: NDArray[np.uint8], boxes: Boxes, *, spared: Boxes) -> None:
    hidden = np.zeros(picture.shape[:2], bool)
    for regions, value in ((boxes, True), (spared, False)):
        for left, top, right, bottom in np.rint(regions).astype(int):
            hidden[top:bottom, left:right] = value
    picture[hidden] = GREY


def _packed(
    picture: NDArray[np.uint8],
    labels: PictureLabels,
    boxes: Boxes,
    weights: NDArray[np.float32],
    *,
    kept: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
) -> dict[str, Any]:
    shape = picture.shape[:2]
    sample = DetDataSample(
        metainfo={"img_id": labels.image, "img_shape": shape, "ori_shape": shape, "scale_factor": (1.0, 1.0)}
    )
    sample.gt_instances = InstanceData(
        bboxes=torch.from_numpy(boxes[kept]),
        labels=torch.from_numpy(labels.classes[kept]),
        weights=torch.from_numpy(weights[kept]),
    )
    sample.ignored_instances = InstanceData(
        bboxes=torch.from_numpy(boxes[ignored]), labels=torch.from_numpy(labels.classes[ignored])
    )
    return {"inputs": torch.from_numpy(picture.transpose(2, 0, 1).copy()), "data_samples": sample}
