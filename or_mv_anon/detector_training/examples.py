"""What a detector of people and heads learns from: pictures with boxes of both, and where nothing is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.models.detectors.people_and_heads import CLASSES

Picture = NDArray[np.uint8]
NOTHING: Boxes = np.zeros((0, 4), np.float32)


@dataclass(frozen=True, eq=False)
class Example:
    """A picture with what is known of it.

    Attributes:
        picture: (H, W, 3) BGR.
        boxes: by class, (N, 4) in its pixels.
        unsure: by class, (M, 4): there may be somebody; a box over the whole picture where a class was not labelled.
        weights: by class, how far the boxes are trusted, from 0 to 1.
        source: the set that it is from.
    """

    picture: Picture = field(repr=False)
    boxes: tuple[Boxes, Boxes]
    unsure: tuple[Boxes, Boxes]
    weights: tuple[float, float]
    source: str


def everywhere(picture: Picture) -> Boxes:
    """The region of a whole picture ``(1, 4)``."""
    return np.array([[0, 0, picture.shape[1], picture.shape[0]]], np.float32)


def write_examples(examples: Sequence[Example], path: Path) -> PictureBank:
    """Writes the labels as COCO json, as `train_detector` reads them, and returns the pictures by image id.

    Raises:
        UserError: the file cannot be written.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, example in enumerate(examples, 1):
        images.append({"id": number, "height": example.picture.shape[0], "width": example.picture.shape[1]})
        images[-1]["source"] = example.source
        for sets, unsure in ((example.boxes, False), (example.unsure, True)):
            for category, boxes in enumerate(sets, 1):
                for left, top, right, bottom in boxes.tolist():
                    annotations.append(
                        {
                            "id": len(annotations) + 1,
                            "image_id": number,
                            "category_id": category,
                            "bbox": [left, top, right - left, bottom - top],
                            "iscrowd": int(unsure),
                            "weight": 0.0 if unsure else example.weights[category - 1],
                        }
                    )
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES, 1)]
    text = json.dumps({"images": images, "annotations": annotations, "categories": categories})
    write_atomically(path, lambda part: part.write_text(text))
    return PictureBank({number: example.picture for number, example in enumerate(examples, 1)})
