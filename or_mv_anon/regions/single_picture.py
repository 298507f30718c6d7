"""Regions of one picture by itself: nothing can be tracked, so every candidate is covered."""

from __future__ import annotations

import numpy as np

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections, Frames, Keypoints, Tracks
from or_mv_anon.regions.heads import Heads, locate_heads
from or_mv_anon.regions.networks import Networks
from or_mv_anon.regions.placing import head_around_face, head_regions
from or_mv_anon.regions.source import CameraScene
from or_mv_anon.regions.sources.face import plausible_faces
from or_mv_anon.video.frame import Frame


def find_regions(frame: Frame, networks: Networks, config: PipelineConfig) -> Boxes:
    """Regions ``(N, 4)`` of one picture in upright pixels: every candidate that the detectors name."""
    size, persons_of, faces_of = frame.upright_size, networks["detector"], networks["face"]
    boxes, _ = persons_of.detect([frame.bgr(*persons_of.input_size(*size))], size=size)[0]
    face_boxes, face_scores = faces_of.detect([frame.bgr(*faces_of.input_size(*size))], size=size)[0]
    faces = Detections(frame=np.zeros(len(face_boxes)), box=face_boxes, score=face_scores)
    faces = faces[plausible_faces(faces, size, config.face)]
    points, scores = networks["pose"].estimate(frame.bgr(), boxes)
    keypoints = Keypoints(detection=np.arange(len(boxes)), points=points, score=scores)
    persons = Detections(frame=np.zeros(len(boxes)), box=boxes, score=np.ones(len(boxes)))
    heads = locate_heads(keypoints, persons, trusted_score=config.pose.trusted_score)
    return untracked_regions(boxes, heads, faces.box, config)


def untracked_regions(boxes: Boxes, heads: Heads, faces: Boxes, config: PipelineConfig) -> Boxes:
    """Regions of a single picture without any tracking, ``(N, 4)``: every candidate counts as a person.

    Args:
        boxes: of the persons.
        heads: of some of them.
        faces: face boxes.
        config: of all sources.
    """
    rows = len(boxes)
    frames = Frames(frame=np.zeros(1), pts=np.zeros(1), time=np.zeros(1), flags=np.zeros(1))
    tracks = Tracks(
        frame=np.zeros(rows),
        track=np.arange(rows),
        box=boxes,
        score=np.ones(rows),
        provenance=np.zeros(rows),
        detection=np.arange(rows),
    )
    scene = CameraScene(frames, (0, 0), heads, tracks, Tracks.empty())
    return np.concatenate([head_regions(scene, tracks, config).box, head_around_face(faces)])
