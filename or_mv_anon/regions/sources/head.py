"""Heads that a detector finds by themselves; they need no person and no pose.

They come in the pass that finds the people, where the detector knows both, and otherwise from a network of their own.
They are followed like faces. A person to whom one of them belongs is covered there, instead of wherever in the box a
head might be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import HeadConfig, PipelineConfig
from or_mv_anon.core.records import Detections, FrameFlag, RegionKind, Tracks
from or_mv_anon.core.run_layout import HEADS
from or_mv_anon.core.schedule import due
from or_mv_anon.models.detectors.families import open_detector
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.regions.carrying import carried
from or_mv_anon.regions.detecting import detect_both, pictures_for
from or_mv_anon.regions.own_heads import distinct_heads, own_heads, towards_body
from or_mv_anon.regions.source import HALF_SURE, Batch, CameraScene, Mask, Observed, Proposal, RegionSource, as_faces
from or_mv_anon.tracking.clear import ever_clear
from or_mv_anon.tracking.offline import track_detections
from or_mv_anon.video.frame import Frame

HEAD_NETWORK = "heads"
"""Role of the network that finds heads where the person detector knows none."""
KNOWS_HEADS = "people_and_heads"
"""Kind of the detectors that find heads with the people."""

CALIBRATION = ((0.0, 0.1, 0.3, 0.5, 1.0), (0.0, 0.5, 0.7, 0.9, 1.0))
"""Scores of heads, and how often such a head is that of the person in whose box it fits best."""


class HeadSource(RegionSource):
    """Notes heads, follows them, and proposes them for their people."""

    name = "heads"
    table = HEADS
    flag = FrameFlag.HEADS
    weights = {HEAD_NETWORK: "people-and-heads"}
    observes_by = ("detection", "heads")
    follows_by = ("face_tracking", "heads")
    places_by = ("heads", "regions")

    def open(self, files: Mapping[str, NetworkFile], config: PipelineConfig, engine: Engine) -> dict[str, Any]:
        if HEAD_NETWORK not in files or files["detector"].kind == KNOWS_HEADS:
            return {}
        return {HEAD_NETWORK: open_detector(files[HEAD_NETWORK], config.detection, engine)}

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        looked = detected.copy()
        looked[detected] = due(times[detected], config.heads.interval_s)
        return looked

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Detections | None:
        if batch.heads is not None:
            return batch.heads[np.isin(batch.heads.frame, [batch.number(frame) for frame in due])]
        if HEAD_NETWORK not in networks:
            return None
        network, weakest = networks[HEAD_NETWORK], config.weak_heads.weakest
        heads = detect_both(network, due, pictures_for(network, due), batch.number, weakest=weakest)[1]
        return batch.found_heads(heads, config)

    def follow(self, observed: Observed, config: PipelineConfig) -> Tracks:
        settings = dataclasses.replace(config.face_tracking, low_score=config.heads.lowest_score)
        tracks = track_detections(observed.read(HEADS), observed.frames, self.flag, settings, observed.size)
        return tracks.replace(box=as_faces(tracks.box, scale=config.heads.scale))

    def propose(self, scene: CameraScene, people: Tracks, config: PipelineConfig) -> Proposal | None:
        if scene.read is None:
            return None
        found = distinct_heads(scene.read(HEADS))
        rows = np.flatnonzero(people.detection >= 0)
        own = own_heads(people[rows], found, config.heads, lying_aspect=config.regions.lying_aspect)
        rows, own = rows[own >= 0], own[own >= 0]
        sample = np.full(len(people), -1)
        sample[rows] = np.arange(len(rows))
        head = around_head(found.box[own], config.heads)
        box, uncertainty = carried(
            scene.frames,
            people,
            towards_body(head, people.box[rows]),
            1 - chance(found.score[own]),
            sample,
            reach_s=config.regions.keypoint_reach_s,
        )
        if len(people):  # a weak candidate is covered where its head is seen, and not wherever it might be
            weak = ~ever_clear(people, config.regions.headless_score)[people.track] & (uncertainty < 1)
            uncertainty = np.where(weak, np.minimum(uncertainty, HALF_SURE), uncertainty)
        return Proposal(box, uncertainty, np.full(len(people), RegionKind.HEAD, np.uint8), narrows=True)


def around_head(heads: Boxes, config: HeadConfig) -> Boxes:
    """Regions ``(N, 4)`` of heads with these boxes."""
    return bx.expand(heads, ratio=(config.scale - 1) / 2)


def chance(score: NDArray[np.float32]) -> NDArray[np.float32]:
    """How likely it is ``(N,)`` that a head of this score in a person's box is the head of that person."""
    return np.interp(score, *CALIBRATION).astype(np.float32)
