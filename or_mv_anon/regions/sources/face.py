"""Faces: detected on their own, so that a head whose person was not found is covered all the same.

Weak faces are as often instruments and folds of cloth. Where heads are looked for, too, a track that is never sure
counts only if a head was found at one of its faces, however weakly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections, FrameFlag, Tracks
from or_mv_anon.core.run_layout import FACES, HEADS
from or_mv_anon.core.schedule import due
from or_mv_anon.models.detectors.families import open_detector
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.regions.detecting import detect_frames, pictures_for
from or_mv_anon.regions.large_faces import headless_score, plausible_faces
from or_mv_anon.regions.own_heads import holds_a_head
from or_mv_anon.regions.source import Batch, Mask, Observed, RegionSource, head_around_face
from or_mv_anon.tracking.clear import ever_clear
from or_mv_anon.tracking.offline import track_detections
from or_mv_anon.video.frame import Frame


class FaceSource(RegionSource):
    """Detects faces and follows them."""

    name = "faces"
    table = FACES
    flag = FrameFlag.FACES
    weights = {"face": "yunet-2023mar"}
    observes_by = ("face",)
    follows_by = ("face", "face_tracking", "heads")

    def open(self, files: Mapping[str, NetworkFile], config: PipelineConfig, engine: Engine) -> dict[str, Any]:
        return {"face": open_detector(files["face"], config.face, engine)}

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        return due(times, config.face.interval_s)

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Detections:
        return detect_frames(networks["face"], due, pictures_for(networks["face"], due), batch.number)

    def follow(self, observed: Observed, config: PipelineConfig) -> Tracks:
        faces = observed.read(FACES)
        faces = faces[plausible_faces(faces, observed.size, config.face)]
        tracks = track_detections(faces, observed.frames, self.flag, config.face_tracking, observed.size)
        if not observed.frames.has(FrameFlag.HEADS).any():
            return tracks
        needed = headless_score(tracks.box, observed.size, config.face, config.face.headless_score)
        sure = ever_clear(tracks, needed)
        near = np.flatnonzero(~sure[tracks.track])
        region = head_around_face(tracks.box[near])
        sure[tracks.track[near[holds_a_head(tracks.frame[near], region, observed.read(HEADS))]]] = True
        return tracks[sure[tracks.track]]
