"""Regions of one picture by itself: nothing can be tracked, so every candidate is covered."""

from __future__ import annotations

import numpy as np

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections, Frames, Keypoints, Tracks
from or_mv_anon.regions.detecting import detect_frames, pictures_for
from or_mv_anon.regions.heads import Heads, locate_heads
from or_mv_anon.regions.large_faces import plausible_faces
from or_mv_anon.regions.networks import Networks
from or_mv_anon.regions.placing import head_regions
from or_mv_anon.regions.source import Batch, CameraScene, head_around_face
from or_mv_anon.regions.sources.box import BoxSource
from or_mv_anon.regions.sources.head import HeadSource, around_head
from or_mv_anon.video.frame import Frame


def find_regions(frame: Frame, networks: Networks, config: PipelineConfig) -> Boxes:
    """Regions ``(N, 4)`` of one picture in upright pixels: every candidate that the detectors name."""
    batch = Batch([frame], frame.index)
    persons = BoxSource().observe(batch, [frame], networks, config)
    heads = HeadSource().observe(batch, [frame], networks, config)
    faces = detect_frames(networks["face"], [frame], pictures_for(networks["face"], [frame]), batch.number)
    faces = faces[plausible_faces(faces, frame.upright_size, config.face)]
    points, scores = networks["pose"].estimate(frame.bgr(), persons.box)
    keypoints = Keypoints(detection=np.arange(len(persons)), points=points, score=scores)
    posed = locate_heads(keypoints, persons, trusted_score=config.pose.trusted_score)
    return untracked_regions(persons.box, posed, faces.box, heads or Detections.empty(), config)


def untracked_regions(boxes: Boxes, posed: Heads, faces: Boxes, heads: Detections, config: PipelineConfig) -> Boxes:
    """Regions of a single picture without any tracking, ``(N, 4)``: every candidate counts as a person.

    Args:
        boxes: of the persons.
        posed: heads of some of them, by their keypoints.
        faces: face boxes.
        heads: that were detected by themselves.
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
    scene = CameraScene(frames, (0, 0), posed, tracks, Tracks.empty(), read=lambda table: heads)  # type: ignore[arg-type]
    alone = [head_around_face(faces), around_head(heads.box, config.heads)]
    return np.concatenate([head_regions(scene, tracks, config).box, *alone])
