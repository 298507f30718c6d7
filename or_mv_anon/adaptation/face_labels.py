"""Faces that a recording itself confirms: where the heads of tracked people turn a face to the camera.

The face detector is sure of bare faces and blind to masked ones; the pose model finds eyes and nose under caps and over
masks. Where both are sure, the recording shows how a face box lies about eyes, nose and ears; that relation then places
the faces that only the pose model saw (the idea of FaceOff, Flouty et al. 2018, with labels from tracked people).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.head_labels import PosedCamera
from or_mv_anon.adaptation.settings import FaceAdaptationConfig
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Column, Columns, Detections
from or_mv_anon.models.pose import Halpe26
from or_mv_anon.regions.heads import locate_heads

LANDMARKS = [Halpe26.NOSE, Halpe26.LEFT_EYE, Halpe26.RIGHT_EYE, Halpe26.LEFT_EAR, Halpe26.RIGHT_EAR]
USUAL_BOX = np.array([-0.36, -0.42, 0.36, 0.42])  # about the landmarks' middle, in head heights: forehead to chin
LEAST_PAIRS = 30  # faces that both models see, below which the usual box is taken
RIDGE = 0.1
FARTHEST = 0.6  # head heights by which a placed face box may differ from the usual one on any side


@dataclass(frozen=True)
class FaceLabels(Columns):
    """Faces of one camera; weight 0 marks what is left undecided."""

    frame: Column
    box: Column  # pixels of the upright frame
    weight: Column

    columns = {"frame": (np.int32, ()), "box": (np.float32, (4,)), "weight": (np.float32, ())}


@dataclass(frozen=True, kw_only=True)
class FacedCamera:
    """One camera before the face detector is adapted: its people with keypoints, and the faces found."""

    posed: PosedCamera
    faces: Detections
    looked: NDArray[np.int32]  # frames in which faces were looked for


@dataclass(frozen=True, eq=False)
class FacePlacer:
    """Where a face lies about its landmarks: ``corners = features @ weights``, in head heights about their middle."""

    weights: NDArray[np.float64]  # (features, 4)

    @classmethod
    def learn(cls, cameras: Sequence[FacedCamera], config: FaceAdaptationConfig, *, trusted_score: float) -> FacePlacer:
        """From the faces that both models are sure of; the usual box where there are too few."""
        features, corners = [], []
        for camera in cameras:
            seen = _visible_faces(camera, config, trusted_score=trusted_score)
            faces = camera.faces[camera.faces.score >= config.sure_face]
            for frame in np.intersect1d(seen.frame, faces.frame):
                heads, boxes = np.flatnonzero(seen.frame == frame), faces.box[faces.frame == frame]
                inside = _inside(seen.middle[heads], boxes)
                for head, row in zip(heads, inside, strict=True):
                    if row.sum() == 1:
                        features.append(seen.features[head])
                        middle = np.tile(seen.middle[head], 2)
                        corners.append((boxes[np.flatnonzero(row)[0]] - middle) / seen.size[head])
        if len(features) < LEAST_PAIRS:
            weights = np.zeros((FEATURES, 4))
            weights[-1] = USUAL_BOX
            return cls(weights)
        x, y = np.array(features), np.clip(np.array(corners), USUAL_BOX - FARTHEST, USUAL_BOX + FARTHEST)
        penalty = RIDGE * len(x) * np.diag([1.0] * (FEATURES - 1) + [0.0])
        return cls(np.linalg.solve(x.T @ x + penalty, x.T @ y))

    def place(self, seen: VisibleFaces) -> Boxes:
        """Face boxes ``(N, 4)`` in pixels."""
        corners = np.clip(seen.features @ self.weights, USUAL_BOX - FARTHEST, USUAL_BOX + FARTHEST)
        return (np.tile(seen.middle, 2) + corners * seen.size[:, None]).astype(np.float32)


FEATURES = 6


@dataclass(frozen=True)
class VisibleFaces(Columns):
    """Heads whose face turns to the camera, by their landmarks."""

    frame: Column
    middle: Column  # of the eyes and the nose, pixels
    size: Column  # head height, pixels
    features: Column  # how the head is turned, last a 1

    columns = {
        "frame": (np.int32, ()),
        "middle": (np.float32, (2,)),
        "size": (np.float32, ()),
        "features": (np.float64, (FEATURES,)),
    }


def label_faces(
    camera: FacedCamera, placer: FacePlacer, config: FaceAdaptationConfig, *, trusted_score: float
) -> FaceLabels:
    """Faces in the frames in which faces were looked for and poses estimated.

    Args:
        camera: what is known of it.
        placer: learned from the same site.
        config: thresholds.
        trusted_score: least score of a keypoint that places a head.
    """
    seen = _visible_faces(camera, config, trusted_score=trusted_score)
    placed = placer.place(seen)
    posed = np.unique(camera.posed.detections.frame[camera.posed.keypoints.detection])
    parts = []
    for frame in np.intersect1d(camera.looked, posed):
        here = camera.faces[camera.faces.frame == frame]
        people = camera.posed.detections[camera.posed.detections.frame == frame]
        at_somebody = borne(here.box, people.box[people.score >= config.bearer_score])
        certain = (here.score >= config.sure_face) & at_somebody
        sure = here.box[certain]
        mine = placed[seen.frame == frame]
        new = mine[~_met(mine, sure)]
        weak = here.box[~certain & (here.score >= config.candidate_score)]
        undecided = weak[~_met(weak, np.concatenate([sure, new]))]
        boxes = np.concatenate([sure, new, undecided])
        weight = np.repeat([1.0, config.placed_weight, 0.0], [len(sure), len(new), len(undecided)])
        parts.append(FaceLabels(frame=np.full(len(boxes), frame), box=boxes, weight=weight))
        unclear = _unclear_heads(camera, seen, int(frame))
        unclear = unclear[~_met(unclear, boxes)]
        parts.append(FaceLabels(frame=np.full(len(unclear), frame), box=unclear, weight=np.zeros(len(unclear))))
    return FaceLabels.concat(parts)


def _visible_faces(camera: FacedCamera, config: FaceAdaptationConfig, *, trusted_score: float) -> VisibleFaces:
    posed = camera.posed
    keypoints = posed.keypoints
    keypoints = keypoints[posed.detections.score[keypoints.detection] >= config.sure_person]
    heads = locate_heads(keypoints, posed.detections, trusted_score=trusted_score)
    keypoints = keypoints[np.isin(keypoints.detection, heads.detection)]
    points, scores = keypoints.points.astype(np.float64), keypoints.score
    eyes = scores[:, [Halpe26.LEFT_EYE, Halpe26.RIGHT_EYE]]
    shows = (scores[:, Halpe26.NOSE] >= config.least_score) & (eyes.max(axis=1) >= config.least_score)
    shows &= ~_turned_away(points, heads.size)
    points, heads, frame = points[shows], heads[shows], posed.detections.frame[keypoints.detection[shows]]
    middle = points[:, [Halpe26.NOSE, Halpe26.LEFT_EYE, Halpe26.RIGHT_EYE]].mean(axis=1)
    eye = points[:, [Halpe26.LEFT_EYE, Halpe26.RIGHT_EYE]].mean(axis=1)
    ear = points[:, [Halpe26.LEFT_EAR, Halpe26.RIGHT_EAR]].mean(axis=1)
    unit = heads.size[:, None]
    across = np.abs(points[:, Halpe26.LEFT_EYE, 0] - points[:, Halpe26.RIGHT_EYE, 0])[:, None]
    features = [(points[:, Halpe26.NOSE] - eye) / unit, (ear - eye) / unit, across / unit, np.ones((len(points), 1))]
    return VisibleFaces(frame=frame, middle=middle, size=heads.size, features=np.concatenate(features, axis=1))


def _turned_away(points: NDArray[np.float64], size: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Backs of heads: a person who faces the camera has the left shoulder on the right of the picture."""
    across = points[:, Halpe26.LEFT_SHOULDER, 0] - points[:, Halpe26.RIGHT_SHOULDER, 0]
    return np.asarray(across < -0.5 * size)


def borne(faces: Boxes, people: Boxes) -> NDArray[np.bool_]:
    """Which faces lie in somebody's upper part; lamps and monitors that look like faces do not."""
    if not len(faces) or not len(people):
        return np.zeros(len(faces), bool)
    upper = people.copy()
    upper[:, 3] = people[:, 1] + np.maximum(0.5 * (people[:, 3] - people[:, 1]), people[:, 2] - people[:, 0])
    return np.asarray(geometry.containment(faces, upper).max(axis=1) >= 0.7)


def _unclear_heads(camera: FacedCamera, seen: VisibleFaces, frame: int) -> Boxes:
    """Upper ends of the people in a frame whose face is not known to show: they may show one."""
    posed = camera.posed
    people = posed.detections.box[posed.detections.frame == frame]
    if not len(people):
        return people
    width, height = (people[:, 2:] - people[:, :2]).T
    top = np.stack([people[:, 0], people[:, 1], people[:, 2], people[:, 1] + np.minimum(0.35 * height, width)], axis=1)
    told = _inside(seen.middle[seen.frame == frame], top).any(axis=0)
    return top[~told]


def _met(boxes: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Which boxes overlap any of the others by a fifth."""
    if not len(boxes) or not len(others):
        return np.zeros(len(boxes), bool)
    return np.asarray(geometry.iou(boxes, others).max(axis=1) >= 0.2)


def _inside(points: NDArray[np.float32], boxes: Boxes) -> NDArray[np.bool_]:
    """Which points ``(N, 2)`` lie in which boxes, (N, M)."""
    at = points[:, None]
    return np.asarray(((at >= boxes[None, :, :2]) & (at <= boxes[None, :, 2:])).all(axis=2))
