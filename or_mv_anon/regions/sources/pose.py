"""Keypoints: the head of a person, where it is seen, and carried along the track between two sights of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig, RegionConfig
from or_mv_anon.core.records import FrameFlag, Keypoints, RegionKind, Tracks
from or_mv_anon.core.run_layout import KEYPOINTS
from or_mv_anon.core.schedule import due
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.pose import PoseEstimator
from or_mv_anon.regions.carrying import carried
from or_mv_anon.regions.heads import Heads
from or_mv_anon.regions.own_heads import known_heads
from or_mv_anon.regions.source import Batch, CameraScene, Mask, Proposal, RegionSource
from or_mv_anon.video.frame import Frame

POINT_MARGIN = 0.35  # head heights kept around every trusted head point


class PoseSource(RegionSource):
    """Estimates the keypoints of detected persons; proposes their heads."""

    name = "keypoints"
    table = KEYPOINTS
    flag = FrameFlag.POSE
    weights = {"pose": "rtmpose-s-halpe26"}
    observes_by = ("pose",)
    places_by = ("pose", "regions")

    def open(self, files: Mapping[str, NetworkFile], config: PipelineConfig, engine: Engine) -> dict[str, Any]:
        network = PoseEstimator(
            files["pose"].path, config.pose, device=engine.device, precision=engine.precision, threads=engine.threads
        )
        return {"pose": network}

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        posed = detected.copy()
        posed[detected] = due(times[detected], config.pose.interval_s)
        return posed

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Keypoints:
        parts = []
        for frame in due:
            rows = batch.rows(frame)
            rows = rows[batch.persons.score[rows] >= config.pose.min_detection_score]
            rows = rows[
                ~known_heads(batch.persons[rows], batch.heads, config, least_score=config.pose.known_head_score)
            ]
            if len(rows):
                points, scores = networks["pose"].estimate(frame.bgr(), batch.persons.box[rows])
                parts.append(Keypoints(detection=rows, points=points, score=scores))
        return Keypoints.concat(parts)

    def propose(self, scene: CameraScene, people: Tracks, config: PipelineConfig) -> Proposal:
        heads = scene.heads
        sample_of_detection = np.full(max(people.detection.max(), heads.detection.max(initial=-1)) + 2, -1)
        sample_of_detection[heads.detection] = np.arange(len(heads))  # the last entry stays -1 and answers detection -1
        sample = sample_of_detection[people.detection]
        head, uncertainty = carried(
            scene.frames,
            people,
            _head_boxes(heads, config.regions),
            heads.uncertainty,
            sample,
            reach_s=config.regions.keypoint_reach_s,
        )
        margin = config.regions.uncertain_growth * uncertainty[:, None] * (head[:, 2:] - head[:, :2])
        head = np.concatenate([head[:, :2] - margin, head[:, 2:] + margin], axis=1)
        return Proposal(head, uncertainty, np.full(len(people), RegionKind.HEAD, np.uint8))


def _head_boxes(heads: Heads, config: RegionConfig) -> Boxes:
    half = config.head_scale * heads.size[:, None] / 2
    margin = POINT_MARGIN * heads.size[:, None]
    low = np.minimum(heads.center - half, heads.extent[:, :2] - margin)
    high = np.maximum(heads.center + half, heads.extent[:, 2:] + margin)
    return np.concatenate([low, high], axis=1)
