"""Heads that stay at the picture's edge, half of them outside."""

from __future__ import annotations

import numpy as np

from or_mv_anon.core.boxes import size as size_of
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections, Tracks
from or_mv_anon.core.run_layout import EDGE_HEADS, HEADS
from or_mv_anon.regions.source import Batch, Mask, Observed, as_faces
from or_mv_anon.regions.sources.static_heads import USUAL_PERCENTILE
from or_mv_anon.regions.sources.weak_heads import WeakHeadSource
from or_mv_anon.tracking.edge_places import at_edge, edge_places

CLEAR = 0.5  # score of heads that show how large heads are in this camera


class EdgeHeadSource(WeakHeadSource):
    """Keeps weak heads at the edge, and covers the places at which somebody stays."""

    name = "edge_heads"
    table = EDGE_HEADS
    follows_by = ("weak_heads", "heads", "static_heads")

    def worth(self, heads: Detections, batch: Batch, size: tuple[int, int], config: PipelineConfig) -> Mask:
        return (heads.score >= config.weak_heads.lowest_staying_at_edge) & at_edge(heads.box, size)

    def follow(self, observed: Observed, config: PipelineConfig) -> Tracks:
        found, heads = observed.read(EDGE_HEADS), observed.read(HEADS)
        clear = size_of(heads.box[heads.score >= CLEAR])
        if len(clear):
            largest = config.static_heads.largest_heads * np.percentile(clear, USUAL_PERCENTILE)
            found = found[size_of(found.box) <= largest]
        tracks = edge_places(found, np.maximum.accumulate(observed.frames.time))
        return tracks.replace(box=as_faces(tracks.box, scale=config.heads.scale))
