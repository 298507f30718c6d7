"""Frames about which nothing is known: damaged ones, and those whose analysis failed, are covered whole."""

from __future__ import annotations

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import FrameFlag, RegionKind, Regions
from or_mv_anon.regions.source import CameraScene, RegionSource
from or_mv_anon.regions.whole_rows import same_box


class UnjudgedSource(RegionSource):
    """Places the whole picture."""

    name = "unjudged"

    def place(self, scene: CameraScene, config: PipelineConfig) -> Regions:
        bad = scene.frames.has(FrameFlag.FAILED) | scene.frames.has(FrameFlag.CORRUPT)
        return same_box(scene.frames.frame[bad], (0, 0, *scene.size), RegionKind.FRAME, 1.0)
