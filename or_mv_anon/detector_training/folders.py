"""Reads folders of labelled pictures: `images/` and a `labels.json`.

    {"classes": ["person", "head", ...],
     "images": [{"file": "a.jpg", "width": 640, "height": 360, "complete": true, "camera": "ward 3",
                 "boxes": [[x0, y0, x1, y1, "person"], ...]}, ...]}

`classes` names what was looked for; a class that it lacks is unknown in these pictures, not absent. `complete` false
says that not everybody was labelled, so what lies outside the boxes is unknown. `camera` is optional: pictures of one
camera are held out together. `source` and `licence` are for people. Where a box is of the class `hat`, there is a head
whose box is not known. Where all people of a picture are labelled there is no head away from them, whether or not
heads were looked for.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.errors import UserError
from or_mv_anon.detector_training.examples import NOTHING, Example, Picture, everywhere
from or_mv_anon.models.detectors.dense import fitted_size
from or_mv_anon.models.detectors.people_and_heads import CLASSES, HEAD, PERSON

LONG_SIDE = 640  # px of pictures in memory
HAT = "hat"
UNDER_HAT = (0.3, 0.3, 0.3, 1.0)  # of a hat's sides, added left, above, right and below: the head is in there
AROUND_PERSON = 0.15  # of a person's sides, in which their head may be, too
LABELS = "labels.json"


@dataclass(frozen=True, kw_only=True)
class Use:
    """How a folder is used; `configs/detector_training.toml` explains each value."""

    hold_out_cameras: tuple[str, ...] = ()
    hold_out_every: int = 0
    hold_out_last: float = 0.0
    repeat: int = 1
    weight: float = 1.0
    posed_heads: bool = False

    def holds_out(self, image: Mapping[str, Any], place: float) -> bool:
        """Whether a picture is only judged on.

        Args:
            image: its entry in the labels.
            place: among the folder's pictures by name, from 0 to 1.
        """
        digits = "".join(filter(str.isdigit, image["file"])) or "0"
        every = bool(self.hold_out_every) and int(digits) % self.hold_out_every == 0
        return every or image.get("camera") in self.hold_out_cameras or place >= 1 - self.hold_out_last


def read_content(folder: Path) -> dict[str, Any]:
    """The labels of a folder, its images by name.

    Raises:
        UserError: there are none of the form above.
    """
    try:
        content: dict[str, Any] = json.loads((folder / LABELS).read_text())
        content["images"] = sorted(content["images"], key=lambda image: image["file"])
        set(content["classes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder} has no readable {LABELS} with classes and images ({error}).") from error
    if not content["images"]:
        raise UserError(f"{folder / LABELS} names no pictures.")
    return content


def read_uses(path: Path) -> dict[str, Use]:
    """How folders are used, by their names.

    Raises:
        UserError: the file is none of the form of `configs/detector_training.toml`.
    """
    try:
        sets = tomllib.loads(path.read_text())
        return {
            name: Use(**{**values, "hold_out_cameras": tuple(values.get("hold_out_cameras", ()))})
            for name, values in sets.items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} does not say how folders are used ({error}).") from error


def read_folder(folder: Path, use: Use, *, held_out: bool = False) -> list[tuple[Example, dict[str, Any]]]:
    """The pictures of a folder that are trained on, or those `held_out`, each with its entry in the labels.

    Raises:
        UserError: the labels or a picture cannot be read.
    """
    content = read_content(folder)
    found = []
    for number, image in enumerate(content["images"]):
        if use.holds_out(image, number / len(content["images"])) != held_out:
            continue
        picture = cv2.imread(str(folder / "images" / image["file"]))
        if picture is None:
            raise UserError(f"{folder / 'images' / image['file']} cannot be read; expected a picture.")
        example = _example(np.asarray(picture, np.uint8), image, content["classes"], use.weight, folder.name)
        found.append((example, image))
    return found


def _example(
    picture: Picture, image: Mapping[str, Any], classes: Collection[str], weight: float, source: str
) -> Example:
    height, width = picture.shape[:2]
    size = fitted_size(width, height, long_side=min(LONG_SIDE, max(width, height)))
    shrunk = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.tile(np.array(size) / (image["width"], image["height"]), 2).astype(np.float32)
    of_class = {name: _boxes(image, name) * scale for name in (*CLASSES, HAT)}
    people = of_class[CLASSES[PERSON]]
    unsure = [NOTHING, NOTHING]
    for number, name in enumerate(CLASSES):
        if not image["complete"]:
            unsure[number] = everywhere(shrunk)
        elif name not in classes:
            beside_people = number == HEAD and CLASSES[PERSON] in classes
            unsure[number] = _grown(people, (AROUND_PERSON,) * 4) if beside_people else everywhere(shrunk)
    unsure[HEAD] = np.concatenate([unsure[HEAD], _grown(of_class[HAT], UNDER_HAT)])
    boxes = (people, of_class[CLASSES[HEAD]])
    return Example(shrunk, boxes, (unsure[PERSON], unsure[HEAD]), (weight, weight), source)


def _grown(boxes: Boxes, shares: tuple[float, float, float, float]) -> Boxes:
    """Boxes that reach farther left, up, right and down by shares of their sides."""
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return (boxes + sides * np.array(shares, np.float32) * (-1, -1, 1, 1)).astype(np.float32)


def _boxes(image: Mapping[str, Any], name: str) -> Boxes:
    return np.array([box[:4] for box in image["boxes"] if box[4] == name], np.float32).reshape(-1, 4)
