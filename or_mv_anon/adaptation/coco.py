"""Pseudo-labels as COCO json: what training reads, and what can be judged against ground truth afterwards.

Beyond COCO, images carry `camera` (session/camera), `frame` (counted over the recording), `time` (seconds of session
time) and `heads` (whether anybody looked for them); annotations of people carry `weight`, `evidence`, `score`,
`provenance`, `track` and `identity`, those of heads `weight`. An ignored region has `iscrowd` 1. Boxes stay fractions
of pixels. `file_name` names no file: the recording holds the pixels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from or_mv_anon.adaptation.head_boxes import HeadBoxes
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.records import Provenance

PERSON = 1  # COCO's category
HEAD = 2  # ours
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
        labels: of the people in it.
        heads: in it; None where nobody looked for them.
    """

    number: int
    camera: str
    frame: int
    time: float
    size: tuple[int, int]
    labels: PseudoLabels
    heads: HeadBoxes | None = None


def write_coco(images: Sequence[LabelledImage], path: Path) -> None:
    """Write the labels of all `images`.

    Raises:
        UserError: the file cannot be written.
    """
    content = {
        "info": {"description": "Pseudo-labels of people, made without a labeller", "version": "1"},
        "images": [_image(image) for image in images],
        "annotations": _annotations(images),
        "categories": [
            {"id": PERSON, "name": "person", "supercategory": "person"},
            {"id": HEAD, "name": "head", "supercategory": "person"},
        ],
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
        "heads": image.heads is not None,
    }


def _annotations(images: Sequence[LabelledImage]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for image in images:
        labels = image.labels
        heads = _nothing_known(image) if image.heads is None else image.heads
        for row in range(len(labels)):
            found.append(
                _region(len(found) + 1, image, PERSON, labels, row)
                | {
                    "evidence": labels.evidence[row].item(),
                    "score": labels.score[row].item(),
                    "provenance": Provenance(labels.provenance[row]).name.lower(),
                    "track": labels.track[row].item(),
                    "identity": labels.identity[row].item(),
                }
            )
        found += [_region(len(found) + 1 + row, image, HEAD, heads, row) for row in range(len(heads))]
    return found


def _nothing_known(image: LabelledImage) -> HeadBoxes:
    """The whole picture as a region in which nothing is taught."""
    return HeadBoxes(frame=np.zeros(1), box=np.array([[0, 0, *image.size]]), weight=np.zeros(1))


def _region(
    number: int, image: LabelledImage, category: int, labels: PseudoLabels | HeadBoxes, row: int
) -> dict[str, Any]:
    left, top, right, bottom = labels.box[row].tolist()
    return {
        "id": number,
        "image_id": image.number,
        "category_id": category,
        "bbox": [left, top, right - left, bottom - top],
        "area": (right - left) * (bottom - top),
        "iscrowd": int(labels.weight[row] <= 0),
        "weight": labels.weight[row].item(),
    }


def _read_image(image: Mapping[str, Any], annotations: Sequence[Mapping[str, Any]]) -> LabelledImage:
    people = [entry for entry in annotations if entry["category_id"] == PERSON]
    columns = {name: [entry[name] for entry in people] for name in NUMBERS}
    labels = PseudoLabels(
        frame=np.full(len(people), image["frame"]),
        box=_boxes(people),
        evidence=np.array([entry.get("evidence", NO_DENIAL) for entry in people], np.float32),
        provenance=np.array([Provenance[entry["provenance"].upper()] for entry in people], np.uint8),
        **columns,  # type: ignore[arg-type]
    )
    heads = None
    if image.get("heads", False):
        found = [entry for entry in annotations if entry["category_id"] == HEAD]
        weight = np.array([entry["weight"] for entry in found], np.float32)
        heads = HeadBoxes(frame=np.full(len(found), image["frame"]), box=_boxes(found), weight=weight)
    return LabelledImage(
        number=image["id"],
        camera=image["camera"],
        frame=image["frame"],
        time=image["time"],
        size=(image["width"], image["height"]),
        labels=labels,
        heads=heads,
    )


def _boxes(annotations: Sequence[Mapping[str, Any]]) -> Boxes:
    """Corners ``(N, 4)`` of COCO's boxes."""
    boxes = np.array([entry["bbox"] for entry in annotations], np.float32).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
