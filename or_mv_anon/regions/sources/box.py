"""Person boxes: who is there, and where a head would be if nothing but the box were known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig, RegionConfig
from or_mv_anon.core.records import Detections, FrameFlag, RegionKind, Tracks
from or_mv_anon.core.run_layout import PERSONS
from or_mv_anon.core.schedule import due
from or_mv_anon.models.detectors.families import open_detector
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.regions.detecting import detect_both, pictures_for
from or_mv_anon.regions.source import Batch, CameraScene, Mask, Proposal, RegionSource
from or_mv_anon.video.frame import Frame

BOX_MARGIN = 0.1  # widths of the person box added around a head region that rests on the box alone
SHORT_BOX_WIDTHS = 0.6  # a head region that rests on the box alone is at least this many box widths high


class BoxSource(RegionSource):
    """Detects persons; proposes the top of the box, or all of it for a lying or tiny person."""

    name = "persons"
    table = PERSONS
    flag = FrameFlag.PERSONS
    weights = {"detector": "people-and-heads"}
    observes_by = ("detection", "weak_heads")
    follows_by = ("tracking",)
    places_by = ("regions",)

    def open(self, files: Mapping[str, NetworkFile], config: PipelineConfig, engine: Engine) -> dict[str, Any]:
        return {"detector": open_detector(files["detector"], config.detection, engine)}

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        return due(times, config.detection.interval_s)

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Detections:
        pictures = pictures_for(networks["detector"], due)
        for frame, picture in zip(due, pictures, strict=True):
            if not frame.corrupt:  # damage is no movement
                batch.seen(picture, frame.time)
        weakest = config.weak_heads.weakest
        batch.persons, heads = detect_both(networks["detector"], due, pictures, batch.number, weakest=weakest)
        batch.heads = batch.found_heads(heads, config)
        return batch.persons

    def propose(self, scene: CameraScene, people: Tracks, config: PipelineConfig) -> Proposal:
        box, kind = head_in_box(people.box, config.regions)
        return Proposal(box, np.ones(len(people), np.float32), kind)


def head_in_box(person: Boxes, config: RegionConfig) -> tuple[Boxes, NDArray[np.uint8]]:
    """Where a head would be ``(N, 4)`` if nothing but the person box is known, and the region's kind ``(N,)``.

    That is the whole width of the top and a margin, or the whole box.
    """
    width, height = person[:, 2] - person[:, 0], person[:, 3] - person[:, 1]
    whole = (width >= config.lying_aspect * height) | (height < config.tiny_height)
    # A person cut off at the waist has a short box, and the head takes a larger share of it.
    share = np.maximum(config.box_head_share * height, np.minimum(SHORT_BOX_WIDTHS * width, height))
    margin = BOX_MARGIN * width
    top = np.stack([person[:, 0] - margin, person[:, 1] - margin, person[:, 2] + margin, person[:, 1] + share], axis=1)
    kind = np.where(whole, RegionKind.PERSON, RegionKind.BOX_TOP).astype(np.uint8)
    return np.where(whole[:, None], person, top).astype(np.float32), kind
