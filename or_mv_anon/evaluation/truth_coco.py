"""Ground truth as COCO person annotations with keypoints, for tools that read nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.truth import CameraTruth, Truth
from or_mv_anon.models.pose import Halpe26

_K = Halpe26
_BONES = (
    (_K.LEFT_ANKLE, _K.LEFT_KNEE), (_K.LEFT_KNEE, _K.LEFT_HIP), (_K.RIGHT_ANKLE, _K.RIGHT_KNEE),
    (_K.RIGHT_KNEE, _K.RIGHT_HIP), (_K.LEFT_HIP, _K.MID_HIP), (_K.RIGHT_HIP, _K.MID_HIP), (_K.MID_HIP, _K.NECK),
    (_K.NECK, _K.LEFT_SHOULDER), (_K.LEFT_SHOULDER, _K.LEFT_ELBOW), (_K.LEFT_ELBOW, _K.LEFT_WRIST),
    (_K.NECK, _K.RIGHT_SHOULDER), (_K.RIGHT_SHOULDER, _K.RIGHT_ELBOW), (_K.RIGHT_ELBOW, _K.RIGHT_WRIST),
    (_K.NECK, _K.HEAD_TOP), (_K.NOSE, _K.LEFT_EYE), (_K.NOSE, _K.RIGHT_EYE), (_K.LEFT_EYE, _K.LEFT_EAR),
    (_K.RIGHT_EYE, _K.RIGHT_EAR), (_K.LEFT_ANKLE, _K.LEFT_HEEL), (_K.LEFT_ANKLE, _K.LEFT_BIG_TOE),
    (_K.LEFT_ANKLE, _K.LEFT_SMALL_TOE), (_K.RIGHT_ANKLE, _K.RIGHT_HEEL), (_K.RIGHT_ANKLE, _K.RIGHT_BIG_TOE),
    (_K.RIGHT_ANKLE, _K.RIGHT_SMALL_TOE),
)  # fmt: skip


def write_coco(truth: Truth, path: Path) -> None:
    """Write every frame as an image and every visible person as an annotation.

    `bbox` is the visible box (x, y, width, height) and `area` its area; keypoints are Halpe-26. Beyond COCO, images
    carry `camera`, `frame` and `instant`, annotations `person`, `visible_fraction` and `amodal_bbox`. People of whom
    nothing shows are left out. `file_name` is "<camera>/<frame, six digits>.jpg": the video holds the pixels.

    Raises:
        UserError: the file cannot be written.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for name, camera in truth.cameras.items():
        first_image = len(images) + 1
        images += _images(name, camera, first_image)
        annotations += _annotations(camera, first_image, len(annotations) + 1)
    text = json.dumps(
        {
            "info": {"description": "Simulated operating room, exact ground truth", "version": "1"},
            "images": images,
            "annotations": annotations,
            "categories": [_category()],
        },
        separators=(",", ":"),
    )
    write_atomically(path, lambda part: part.write_text(text))


def _category() -> dict[str, Any]:
    return {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": [point.name.lower() for point in Halpe26],
        "skeleton": [[start + 1, end + 1] for start, end in _BONES],
    }


def _images(name: str, camera: CameraTruth, first: int) -> list[dict[str, Any]]:
    frames = camera.frames
    return [
        {
            "id": first + row,
            "file_name": f"{name}/{frame:06d}.jpg",
            "width": camera.width,
            "height": camera.height,
            "camera": name,
            "frame": frame,
            "instant": instant,
        }
        for row, (frame, instant) in enumerate(zip(frames.frame.tolist(), frames.instant.tolist(), strict=True))
    ]


def _annotations(camera: CameraTruth, first_image: int, first: int) -> list[dict[str, Any]]:
    image_of = {frame: first_image + row for row, frame in enumerate(camera.frames.frame.tolist())}
    people = camera.people[camera.people.visible_fraction > 0]
    found = []
    for row in range(len(people)):
        points = people.keypoints[row]
        box = _xywh(people.visible_box[row].tolist())
        found.append(
            {
                "id": first + row,
                "image_id": image_of[int(people.frame[row])],
                "category_id": 1,
                "bbox": box,
                "area": round(box[2] * box[3], 2),
                "iscrowd": 0,
                "keypoints": [round(value, 1) for value in points.astype(float).ravel().tolist()],
                "num_keypoints": int((points[:, 2] > 0).sum()),
                "person": int(people.person[row]),
                "visible_fraction": round(float(people.visible_fraction[row]), 4),
                "amodal_bbox": _xywh(people.amodal_box[row].tolist()),
            }
        )
    return found


def _xywh(box: list[float]) -> list[float]:
    left, top, right, bottom = box
    return [round(value, 2) for value in (left, top, right - left, bottom - top)]
