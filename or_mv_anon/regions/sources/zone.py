"""Zones of site.toml that are covered in every frame."""

from __future__ import annotations

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.regions.source import CameraScene, RegionSource
from or_mv_anon.regions.whole_rows import same_box


class ZoneSource(RegionSource):
    """Places `always_cover`."""

    name = "zone"

    def place(self, scene: CameraScene, config: PipelineConfig) -> Regions:
        return Regions.concat([same_box(scene.frames.frame, zone, RegionKind.ZONE, 0.0) for zone in scene.always])
