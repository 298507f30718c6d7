"""Heads that other cameras place where this one has nothing of its own."""

from __future__ import annotations

import numpy as np

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import RegionKind, Tracks
from or_mv_anon.core.rows import pair_key, rows_of
from or_mv_anon.regions.source import CameraScene, Proposal, RegionSource


class CrossViewSource(RegionSource):
    """Proposes the transferred heads; rows of people whom this camera sees itself stay unknown to it."""

    name = "cross_view"
    places_by = ("regions",)

    def propose(self, scene: CameraScene, people: Tracks, config: PipelineConfig) -> Proposal | None:
        transferred = scene.transferred
        if not len(transferred):
            return None

        place = rows_of(pair_key(people.track, people.frame), pair_key(transferred.track, transferred.frame))
        rows, heads = place[place >= 0], transferred[place >= 0]
        box, uncertainty = np.zeros((len(people), 4), np.float32), np.full(len(people), np.nan, np.float32)
        box[rows], uncertainty[rows] = heads.box, np.clip(heads.uncertainty, 0, 1)
        return Proposal(box, uncertainty, np.full(len(people), RegionKind.HEAD, np.uint8), alone=True)
