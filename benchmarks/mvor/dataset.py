"""MVOR: real surgery seen by three cameras, without its pixels (Srivastav et al. 2018, arXiv:1808.08180).

The public annotations hold boxes, ten keypoints and identities of 732 instants, and what five detectors found in
them. They are for research (CC BY-NC-SA 4.0): not shipped and never downloaded; who has them names their folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.mvor.epipolar_baseline import midline
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.errors import UserError

MVOR_VARIABLE = "OR_MV_ANON_MVOR"
ANNOTATIONS = "camma_mvor_2018.json"
DETECTORS = {  # files of boxes and, from pose estimators, of keypoints in the same order
    "faster_rcnn": ("faster_rcnn_bbox.json", None),
    "rfcn": ("dfcnet_rfcn_bbox.json", None),
    "alphapose": ("alphapose_bbox.json", None),
    "openpose": ("openpose_bbox.json", "openpose_kps.json"),
    "rtpose": ("rtpose_bbox.json", "rtpose_kps.json"),
}
POINTS = 10  # head, neck, shoulders, hips, elbows, wrists; left before right
COCO_OF_POINT = (0, -1, 5, 6, 11, 12, 7, 8, 9, 10)  # COCO-17's nose stands for the head; the neck is in the middle
COCO_SHOULDERS = (5, 6)
LEAST_POINT_SCORE = 0.1


@dataclass(frozen=True, eq=False)
class MvorView:
    """The annotated people in one picture.

    Attributes:
        image: its number in the data set.
        boxes: (N, 4) xyxy pixels.
        identities: (N,) numbers that hold within an instant, -1 where unknown.
        points: (N, 10, 3) x, y in pixels and visibility: 0 not annotated, 1 hidden, 2 seen.
    """

    image: int
    boxes: Boxes
    identities: NDArray[np.int64]
    points: NDArray[np.float64]


@dataclass(frozen=True)
class MvorInstant:
    """One moment: the day that it was recorded on, and the three views by camera number."""

    day: int
    views: Mapping[int, MvorView]


@dataclass(frozen=True, eq=False)
class MvorCamera:
    """Calibration: `matrix` (3, 3) and `pose` (4, 4), the first camera from this one, in millimetres.

    The published lens distortion is left out: the annotations fit the calibration no better with it.
    """

    matrix: NDArray[np.float64]
    pose: NDArray[np.float64]


@dataclass(frozen=True)
class Mvor:
    """The annotated instants in order, and the cameras by number."""

    instants: Sequence[MvorInstant]
    cameras: Mapping[int, MvorCamera]


@dataclass(frozen=True, eq=False)
class MvorDetections:
    """What a detector found in one picture.

    Attributes:
        boxes: (N, 4) xyxy pixels.
        scores: (N,) on the detector's own scale.
        points: (N, K, 3) x, y in pixels and a weight, 0 for points that are not there: a pose estimator's keypoints
            in the order of the annotated ones, or the boxes' middle lines where there are none.
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    points: NDArray[np.float64]


def find_mvor(folder: Path | None = None) -> Path | None:
    """The folder of the annotations: the given one, or the one that the environment names, or None."""
    named = os.environ.get(MVOR_VARIABLE)
    place = folder or (Path(named) if named else None)
    if place is not None and not (place / ANNOTATIONS).is_file():
        raise UserError(f"{place} does not hold {ANNOTATIONS}; expected the annotations of the public MVOR repository.")
    return place


def load_mvor(folder: Path) -> Mvor:
    """The annotations.

    Raises:
        UserError: they are missing or of another form.
    """
    content = _read(folder / ANNOTATIONS)
    try:
        rows: dict[int, list[dict[str, Any]]] = {}
        for row in content["annotations"]:
            rows.setdefault(row["image_id"], []).append(row)
        instants = [
            MvorInstant(
                moment["images"][0]["day_id"],
                {image["cam_id"]: _view(image["id"], rows.get(image["id"], [])) for image in moment["images"]},
            )
            for moment in content["multiview_images"]
        ]
        return Mvor(instants, _cameras(content["cameras_info"]["camParams"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder / ANNOTATIONS} is not MVOR's annotation file ({error!r}).") from error


def load_detections(folder: Path, detector: str) -> dict[int, MvorDetections]:
    """What one of `DETECTORS` found, by image number; pictures in which it found nobody are left out.

    Raises:
        UserError: the files are missing or of another form.
    """
    box_file, point_file = DETECTORS[detector]
    rows = _read(folder / box_file)
    poses = _read(folder / point_file) if point_file else None
    try:
        image = np.array([row["image_id"] for row in rows], np.int64)
        if poses is not None and [row["image_id"] for row in poses] != image.tolist():
            raise ValueError(f"{box_file} and {point_file} do not go together")
        boxes, scores = _xyxy([row["bbox"] for row in rows]), np.array([row["score"] for row in rows], np.float64)
        points = _points(poses) if poses is not None else midline(boxes)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder / box_file} is not one of MVOR's detection files ({error!r}).") from error
    return {
        int(number): MvorDetections(boxes[here], scores[here], points[here])
        for number in np.unique(image)
        for here in [image == number]
    }


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}.") from error


def _view(image: int, rows: Sequence[Mapping[str, Any]]) -> MvorView:
    return MvorView(
        image,
        _xyxy([row["bbox"] for row in rows]),
        np.array([row["person_id"] for row in rows], np.int64),
        np.array([row["keypoints"] for row in rows], np.float64).reshape(-1, POINTS, 3),
    )


def _cameras(parameters: Mapping[str, Any]) -> dict[int, MvorCamera]:
    cameras = {}
    for number, (optics, pose) in enumerate(zip(parameters["intrinsics"], parameters["extrinsics"], strict=True)):
        matrix = np.eye(3)
        matrix[[0, 1], [0, 1]], matrix[:2, 2] = optics["focallength"], optics["principalpoint"]
        cameras[number + 1] = MvorCamera(matrix, np.reshape(pose, (4, 4)).astype(float))
    return cameras


def _points(poses: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """MVOR's ten points (N, 10, 3) from COCO's seventeen; points of a low score get the weight 0."""
    coco = np.array([row["coco_keypoints"] for row in poses], np.float64).reshape(len(poses), -1, 3)
    points = coco[:, COCO_OF_POINT]
    points[:, 1] = coco[:, COCO_SHOULDERS].mean(axis=1)
    points[:, 1, 2] = coco[:, COCO_SHOULDERS, 2].min(axis=1)
    points[..., 2] *= points[..., 2] > LEAST_POINT_SCORE
    return points


def _xyxy(boxes: Sequence[Sequence[float]]) -> Boxes:
    """Corner boxes from (x, y, width, height)."""
    rows = np.array(boxes, np.float64).reshape(-1, 4)
    return np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], axis=1).astype(np.float32)
