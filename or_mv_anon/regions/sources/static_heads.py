"""Heads that keep still: looked for in turned pictures, where upright detectors find lying people.

A single picture's candidates are weak and mean nothing; those that recur at one place are covered throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig, StaticHeadConfig
from or_mv_anon.core.records import Detections, FrameFlag, Tracks
from or_mv_anon.core.run_layout import KEYPOINTS, PERSONS, STATIC_HEADS
from or_mv_anon.core.schedule import due
from or_mv_anon.regions.heads import locate_heads
from or_mv_anon.regions.rotated_detection import head_candidates, rotated_detectors
from or_mv_anon.regions.source import Batch, Mask, Observed, RegionSource
from or_mv_anon.regions.sources.face import plausible_faces
from or_mv_anon.tracking.static_heads import static_heads
from or_mv_anon.video.frame import Frame

USUAL_PERCENTILE = 90  # of head heights in a camera; a few larger ones are mistakes


class StaticHeadSource(RegionSource):
    """Finds candidates for heads in pictures turned by quarters, and follows the places where they recur."""

    name = "static_heads"
    table = STATIC_HEADS
    flag = FrameFlag.STATIC_HEADS
    observes_by = ("static_heads",)
    follows_by = ("static_heads", "pose", "face", "tracking")

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        if config.static_heads.interval_s <= 0:
            return np.zeros(len(times), bool)
        return looks_for_still_heads(times, config.static_heads)

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Detections:
        if not due:
            return Detections.empty()
        detectors = rotated_detectors(networks["detector"], networks["face"], config)
        parts = []
        for frame in due:
            boxes, scores = head_candidates(frame.bgr(), *detectors, networks["pose"], config)
            parts.append(Detections(frame=np.full(len(boxes), batch.number(frame)), box=boxes, score=scores))
        return Detections.concat(parts)

    def follow(self, observed: Observed, config: PipelineConfig) -> Tracks:
        candidates = observed.read(STATIC_HEADS)
        if not len(candidates):
            return Tracks.empty()
        candidates = candidates[plausible_faces(candidates, observed.size, config.face)]
        looked = observed.frames.frame[observed.frames.has(self.flag)]
        return static_heads(_of_head_size(candidates, observed, config), observed.frames, looked, config.static_heads)


def looks_for_still_heads(times: NDArray[np.float64], config: StaticHeadConfig) -> Mask:
    """Which frames, taken at `times` ``(F,)`` seconds, are looked at: often at first, later perhaps less often."""
    if config.later_interval_s <= config.interval_s:
        return due(times, config.interval_s)
    later = times > times.min(initial=np.inf) + config.first_s
    mask = np.zeros(len(times), bool)
    mask[~later] = due(times[~later], config.interval_s)
    mask[later] = due(times[later], config.later_interval_s)
    return mask


def _of_head_size(candidates: Detections, observed: Observed, config: PipelineConfig) -> Detections:
    """The candidates that are not much larger than the heads of people who are clearly seen by this camera."""
    persons = observed.read(PERSONS)
    keypoints = observed.read(KEYPOINTS)
    clear = locate_heads(keypoints, persons, trusted_score=config.pose.trusted_score)
    sizes = clear.size[persons.score[clear.detection] >= config.tracking.high_score]
    if not len(sizes):
        return candidates
    largest = config.static_heads.largest_heads * np.percentile(sizes, USUAL_PERCENTILE)
    return candidates[candidates.box[:, 3] - candidates.box[:, 1] <= largest]
