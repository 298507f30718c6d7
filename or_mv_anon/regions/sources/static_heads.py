"""Heads that keep still: looked for in turned pictures, where upright detectors find lying people.

A single picture's candidates are weak and mean nothing; those that recur at one place are covered throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig, StaticHeadConfig
from or_mv_anon.core.records import Detections, FrameFlag, Frames, Tracks
from or_mv_anon.core.run_layout import HEADS, KEYPOINTS, PERSONS, STATIC_HEADS
from or_mv_anon.core.schedule import due
from or_mv_anon.regions.heads import locate_heads
from or_mv_anon.regions.large_faces import plausible_faces
from or_mv_anon.regions.own_heads import holds_a_head
from or_mv_anon.regions.rotated_detection import REGION_SCALE, head_candidates, rotated_detectors
from or_mv_anon.regions.source import FACE_SCALE, Batch, Mask, Observed, RegionSource, head_around_face
from or_mv_anon.tracking.clear import ever_clear
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
        settings, sized = config.static_heads, _of_head_size(candidates, observed, config)
        if not observed.frames.has(FrameFlag.HEADS).any():
            return static_heads(sized, observed.frames, looked, settings)
        heads = observed.read(HEADS)
        sure = heads[heads.score >= settings.upright_score]

        def upright(box: NDArray[np.float32], frame: NDArray[np.int32]) -> float:
            return float(holds_a_head(frame, np.tile(head_around_face(box[None]), (len(frame), 1)), sure).mean())

        places = static_heads(sized, observed.frames, looked, settings, upright=upright)
        return places[_confirmed(places, observed.frames, heads, settings)]


def looks_for_still_heads(times: NDArray[np.float64], config: StaticHeadConfig) -> Mask:
    """Which frames, taken at `times` ``(F,)`` seconds, are looked at: often at first, later perhaps less often."""
    if config.later_interval_s <= config.interval_s:
        return due(times, config.interval_s)
    later = times > times.min(initial=np.inf) + config.first_s
    mask = np.zeros(len(times), bool)
    mask[~later] = due(times[~later], config.interval_s)
    mask[later] = due(times[later], config.later_interval_s)
    return mask


def _confirmed(places: Tracks, frames: Frames, heads: Detections, config: StaticHeadConfig) -> Mask:
    """Which rows ``(R,)`` are of places that are sure enough, or at which a head is found upright now and then."""
    rows = np.flatnonzero(frames.has(FrameFlag.HEADS)[places.frame])
    holding = holds_a_head(places.frame[rows], head_around_face(places.box[rows]), heads)
    possible = np.bincount(places.track[rows], minlength=places.track.max(initial=-1) + 1)
    found = np.bincount(places.track[rows], weights=holding, minlength=len(possible))
    kept = ever_clear(places, config.lone_place_score) | (found >= config.least_upright_share * np.maximum(possible, 1))
    return np.asarray(kept[places.track])


def _of_head_size(candidates: Detections, observed: Observed, config: PipelineConfig) -> Detections:
    """The candidates whose regions are not much larger than those of people who are clearly seen by this camera."""
    persons = observed.read(PERSONS)
    keypoints = observed.read(KEYPOINTS)
    clear = locate_heads(keypoints, persons, trusted_score=config.pose.trusted_score)
    sizes = clear.size[persons.score[clear.detection] >= config.tracking.high_score]
    if not len(sizes):
        return candidates
    largest = config.static_heads.largest_heads * REGION_SCALE * np.percentile(sizes, USUAL_PERCENTILE)
    return candidates[FACE_SCALE * (candidates.box[:, 3] - candidates.box[:, 1]) <= largest]
