"""Heads that other cameras place where this one has nothing of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import RegionKind, Tracks
from or_mv_anon.regions.source import CameraScene, Proposal, RegionSource


class CrossViewSource(RegionSource):
    """Proposes the transferred heads; rows of people whom this camera sees itself stay unknown to it."""

    name = "cross_view"
    places_by = ("regions",)

    def propose(self, scene: CameraScene, people: Tracks, config: PipelineConfig) -> Proposal | None:
        transferred = scene.transferred
        if not len(transferred):
            return None

        def key(frame: NDArray[np.int32], track: NDArray[np.int32]) -> NDArray[np.int64]:
            return (track.astype(np.int64) << 32) + frame

        own, wanted = key(people.frame, people.track), key(transferred.frame, transferred.track)
        order = np.argsort(own)
        place = np.minimum(np.searchsorted(own, wanted, sorter=order), len(own) - 1)
        found = own[order[place]] == wanted
        rows, heads = order[place[found]], transferred[found]
        box, uncertainty = np.zeros((len(people), 4), np.float32), np.full(len(people), np.nan, np.float32)
        box[rows], uncertainty[rows] = heads.box, np.clip(heads.uncertainty, 0, 1)
        return Proposal(box, uncertainty, np.full(len(people), RegionKind.HEAD, np.uint8), alone=True)
