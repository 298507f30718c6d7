"""Keypoints: the head of a person, where it is seen, and carried along the track between two sights of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig, RegionConfig
from or_mv_anon.core.records import FrameFlag, Frames, Keypoints, RegionKind, Tracks
from or_mv_anon.core.rows import rows_around
from or_mv_anon.core.run_layout import KEYPOINTS
from or_mv_anon.core.schedule import due
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.models.pose import PoseEstimator
from or_mv_anon.regions.heads import Heads
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
            if len(rows):
                points, scores = networks["pose"].estimate(frame.bgr(), batch.persons.box[rows])
                parts.append(Keypoints(detection=rows, points=points, score=scores))
        return Keypoints.concat(parts)

    def propose(self, scene: CameraScene, people: Tracks, config: PipelineConfig) -> Proposal:
        heads = scene.heads
        sample_of_detection = np.full(max(people.detection.max(), heads.detection.max(initial=-1)) + 2, -1)
        sample_of_detection[heads.detection] = np.arange(len(heads))  # the last entry stays -1 and answers detection -1
        sample = sample_of_detection[people.detection]
        head, uncertainty = _from_samples(scene.frames, people, heads, sample, config.regions)
        margin = config.regions.uncertain_growth * uncertainty[:, None] * (head[:, 2:] - head[:, :2])
        head = np.concatenate([head[:, :2] - margin, head[:, 2:] + margin], axis=1)
        return Proposal(head, uncertainty, np.full(len(people), RegionKind.HEAD, np.uint8))


def _from_samples(
    frames: Frames, tracks: Tracks, heads: Heads, sample: NDArray[np.intp], config: RegionConfig
) -> tuple[Boxes, NDArray[np.float32]]:
    """Head box and uncertainty per track row, from the pose samples before and after it on the same track.

    A head moves with its person box: what is interpolated is its offset from the middle of the box's upper edge.
    """
    rows = np.arange(len(tracks))
    before, after = rows_around(sample >= 0)
    has_before = (before >= 0) & (tracks.track[before] == tracks.track)
    has_after = (after < len(rows)) & (tracks.track[np.minimum(after, len(rows) - 1)] == tracks.track)
    before, after = np.where(has_before, before, rows), np.where(has_after, after, rows)

    time = frames.time[tracks.frame]
    since = np.where(has_before, time - time[before], np.inf)
    until = np.where(has_after, time[after] - time, np.inf)
    near = np.minimum(since, until)
    with np.errstate(invalid="ignore"):
        weight = np.where(
            has_before & has_after, since / np.maximum(since + until, 1e-9), np.where(has_after, 1.0, 0.0)
        )
    head_before, head_after = sample[before], sample[after]
    head_before = np.where(has_before, head_before, head_after)
    head_after = np.where(has_after, head_after, head_before)

    anchor = np.stack([(tracks.box[:, 0] + tracks.box[:, 2]) / 2, tracks.box[:, 1]], axis=1)
    square = _head_boxes(heads, config)

    def offset(head: NDArray[np.intp], row: NDArray[np.intp]) -> Boxes:
        return square[head] - np.tile(anchor[row], 2)

    at_before = np.where(has_before, before, after)
    at_after = np.where(has_after, after, before)
    mix = weight[:, None].astype(np.float32)
    if len(square):
        moved = (1 - mix) * offset(head_before, at_before) + mix * offset(head_after, at_after)
        box = moved + np.tile(anchor, 2)
        own = np.maximum(heads.uncertainty[head_before], heads.uncertainty[head_after])
    else:
        box, own = tracks.box.copy(), np.ones(len(rows), np.float32)
    far = np.clip(near / max(config.keypoint_reach_s, 1e-9), 0, 1)
    uncertainty = np.where(has_before | has_after, own + (1 - own) * far, 1.0)
    return box.astype(np.float32), uncertainty.astype(np.float32)


def _head_boxes(heads: Heads, config: RegionConfig) -> Boxes:
    half = config.head_scale * heads.size[:, None] / 2
    margin = POINT_MARGIN * heads.size[:, None]
    low = np.minimum(heads.center - half, heads.extent[:, :2] - margin)
    high = np.maximum(heads.center + half, heads.extent[:, 2:] + margin)
    return np.concatenate([low, high], axis=1)
