"""All sources of regions, in the order in which they look and place; a new one is one more entry here."""

from __future__ import annotations

from typing import Any

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.run_layout import Table
from or_mv_anon.regions.source import RegionSource
from or_mv_anon.regions.sources.appearance import AppearanceSource
from or_mv_anon.regions.sources.background import BackgroundSource
from or_mv_anon.regions.sources.box import BoxSource
from or_mv_anon.regions.sources.cross_view import CrossViewSource
from or_mv_anon.regions.sources.edge_heads import EdgeHeadSource
from or_mv_anon.regions.sources.face import FaceSource
from or_mv_anon.regions.sources.head import HeadSource
from or_mv_anon.regions.sources.manual import ManualSource
from or_mv_anon.regions.sources.passing_heads import PassingHeadSource
from or_mv_anon.regions.sources.pose import PoseSource
from or_mv_anon.regions.sources.static_heads import StaticHeadSource
from or_mv_anon.regions.sources.unjudged import UnjudgedSource
from or_mv_anon.regions.sources.zone import ZoneSource

SOURCES: list[RegionSource] = [
    BoxSource(),  # first: what it detects, others look at more closely
    PoseSource(),
    HeadSource(),  # behind the poses, which it narrows
    PassingHeadSource(),
    EdgeHeadSource(),
    AppearanceSource(),
    FaceSource(),
    StaticHeadSource(),
    BackgroundSource(),
    CrossViewSource(),
    ZoneSource(),
    UnjudgedSource(),
    ManualSource(),
]


def observing() -> list[RegionSource]:
    """The sources that look at pixels; each has a table of its own."""
    return [source for source in SOURCES if source.table is not None]


def observed_tables() -> tuple[Table[Any], ...]:
    """The tables of what the sources observe."""
    return tuple(source.table for source in SOURCES if source.table is not None)


def needed_weights() -> dict[str, str]:
    """The registered weights that the sources cannot do without, by role."""
    return {role: name for source in SOURCES for role, name in source.weights.items()}


def sections(config: PipelineConfig, part: str) -> list[object]:
    """The sections of the configuration that a part of the sources' work rests on.

    Args:
        config: all of it.
        part: observes_by | follows_by | places_by.
    """
    names = {name: None for source in SOURCES for name in getattr(source, part)}
    return [getattr(config, name) for name in names]
