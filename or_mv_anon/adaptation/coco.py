"""Pseudo-labels as COCO json: what training reads, and what can be judged against ground truth afterwards.

Beyond COCO, images carry `camera` (session/camera), `frame` (counted over the recording) and `time` (seconds of
session time); annotations carry `weight`, `evidence`, `score`, `provenance`, `track` and `identity`. An ignored region
has `iscrowd` 1. Boxes stay fractions of pixels. `file_name` names no file: the recording holds the pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.records import Provenance

PERSON = 1  # COCO's category
NO_DENIAL = 1.0  # of labels that come from elsewhere
NUMBERS = ("weight", "score", "track", "identity")


@dataclass(frozen=True, kw_only=True)
class LabelledImage:
    """One picture with its labels, whose boxes are in the picture's pixels.

    Attributes:
        number: the image id.
        camera: session and camera.
        frame: counted over the recording's file.
        time: seconds of session time.
        size: width and height of the picture in pixels.
        labels: of this picture.
    """

    number: int
    camera: str
    frame: int
    time: float
    size: tuple[int, int]
    labels: PseudoLabels


def write_coco(images: Sequence[LabelledImage], path: Path) -> None:
    """Write the labels of all `images`.

    Raises:
        UserError: the file cannot be written.
    """
    content = {
        "info": {"description": "Pseudo-labels of people, made without a labeller", "version": "1"},
        "images": [_image(image) for image in images],
        "annotations": _annotations(images),
        "categories": [{"id": PERSON, "name": "person", "supercategory": "person"}],
    }
    text = json.dumps(content, separators=(",", ":"))
    write_atomically(path, lambda part: part.write_text(text))


def read_coco(path: Path) -> list[LabelledImage]:
    """What `write_coco` wrote.

    Raises:
        UserError: it cannot be read.
    """
    try:
        content = json.loads(path.read_text())
        by_image: dict[int, list[Mapping[str, Any]]] = {image["id"]: [] for image in content["images"]}
        for annotation in content["annotations"]:
            by_image[annotation["image_id"]].append(annotation)
        return [_read_image(image, by_image[image["id"]]) for image in content["images"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} holds no pseudo-labels ({error}); make them again with adapt_site.py.") from error


def _image(image: LabelledImage) -> dict[str, Any]:
    return {
        "id": image.number,
        "file_name": f"{image.camera}/{image.frame:07d}",
        "width": image.size[0],
        "height": image.size[1],
        "camera": image.camera,
        "frame": image.frame,
        "time": image.time,
    }


def _annotations(images: Sequence[LabelledImage]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for image in images:
        labels = image.labels
        sides = labels.box[:, 2:] - labels.box[:, :2]
        for row in range(len(labels)):
            (left, top), (width, height) = labels.box[row, :2].tolist(), sides[row].tolist()
            found.append(
                {
                    "id": len(found) + 1,
                    "image_id": image.number,
                    "category_id": PERSON,
                    "bbox": [left, top, width, height],
                    "area": width * height,
                    "iscrowd": int(labels.weight[row] <= 0),
                    "weight": labels.weight[row].item(),
                    "evidence": labels.evidence[row].item(),
                    "score": labels.score[row].item(),
                    "provenance": Provenance(labels.provenance[row]).name.lower(),
                    "track": labels.track[row].item(),
                    "identity": labels.identity[row].item(),
                }
            )
    return found


def _read_image(image: Mapping[str, Any], annotations: Sequence[Mapping[str, Any]]) -> LabelledImage:
    boxes = np.array([entry["bbox"] for entry in annotations], np.float32).reshape(-1, 4)
    columns = {name: [entry[name] for entry in annotations] for name in NUMBERS}
    labels = PseudoLabels(
        frame=np.full(len(boxes), image["frame"]),
        box=np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1),
        evidence=np.array([entry.get("evidence", NO_DENIAL) for entry in annotations], np.float32),
        provenance=np.array([Provenance[entry["provenance"].upper()] for entry in annotations], np.uint8),
        **columns,  # type: ignore[arg-type]
    )
    return LabelledImage(
        number=image["id"],
        camera=image["camera"],
        frame=image["frame"],
        time=image["time"],
        size=(image["width"], image["height"]),
        labels=labels,
    )
