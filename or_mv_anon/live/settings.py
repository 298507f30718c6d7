"""Settings of the live gateway, read from configs/live.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from or_mv_anon.core.config import CRF
from or_mv_anon.core.ranges import Range, Relation
from or_mv_anon.core.settings_file import Changes, load_settings


@dataclass(frozen=True, kw_only=True)
class LookingConfig:
    """How often networks look at each camera; times in seconds."""

    interval_s: Annotated[float, Range(0.0, 0.5, "s; whoever comes and goes between two looks is not seen")]
    longest_interval_s: Annotated[float, Range(0.02, 0.5, "s; whoever comes and goes between two looks is not seen")]
    longest_gap_s: Annotated[float, Range(0.1, 1.0, "s; between looks farther apart nobody knows who was there")]
    pose_interval_s: Annotated[float, Range(0.0, 1.0, "s; a head that moves is not where it was")]
    pose_least_score: Annotated[
        float, Range(0.0, 0.8, "a share; above it, heads of clear people rest on their box alone")
    ]
    pose_known_head: Annotated[
        float, Range(0.3, 1.0, "a share; below it, nobody's keypoints make up for a doubtful head")
    ]
    pose_at_once: Annotated[int, Range(1, 100, "people; fewer leave others to their boxes, more take time")]
    face_interval_s: Annotated[float, Range(0.0, 1.0, "s; whoever comes and goes between two looks is not seen")]
    still_interval_s: Annotated[
        float, Range(0.0, 30.0, "s, 0 for never; rarer looks do not find a lying patient often enough")
    ]


@dataclass(frozen=True, kw_only=True)
class WindowConfig:
    """What is known of a frame when it is decided about."""

    past_s: Annotated[float, Range(1.0, 10.0, "s; a shorter past forgets people, a longer one costs time")]
    reserve: Annotated[float, Range(0.1, 0.8, "a share; less makes frames late, more leaves nothing that follows them")]
    chunk_s: Annotated[float, Range(0.02, 0.5, "s; shorter costs time, longer needs more of the delay")]
    head_growth: Annotated[float, Range(1.0, 2.0, "times; smaller leaves chins outside, larger covers the room")]
    hold_s: Annotated[float, Range(0.2, 5.0, "s; shorter shows who is hidden for a moment, longer covers the room")]


@dataclass(frozen=True, kw_only=True)
class MemoryConfig:
    """Places where a head kept still."""

    still_s: Annotated[float, Range(1.0, 60.0, "s; shorter remembers everybody who passes, longer nobody")]
    same_place_iou: Annotated[float, Range(0.1, 0.9, "higher finds nobody still, lower everybody")]
    remember_s: Annotated[float, Range(0.0, 600.0, "s; longer covers places that people have left")]
    unchanged_likeness: Annotated[float, Range(0.3, 1.0, "a correlation; lower takes what was behind a head for it")]
    unchanged_sights: Annotated[int, Range(1, 100, "times; more forgets a head that somebody passes before")]
    unchanged_s: Annotated[float, Range(0.0, 3600.0, "s; longer keeps what was taken for a head once")]
    hidden_s: Annotated[float, Range(0.0, 60.0, "s; shorter forgets a head that somebody stands before")]
    learn_looks: Annotated[int, Range(0, 60, "looks, 0 for none; fewer do not know who lies there, more cover longer")]
    learn_interval_s: Annotated[float, Range(0.1, 10.0, "s; shorter sees the same picture, longer covers longer")]


@dataclass(frozen=True, kw_only=True)
class OverloadConfig:
    """When something is given up, and what."""

    high: Annotated[float, Range(0.5, 5.0, "times; lower gives up what there is time for, higher looks rarely")]
    low: Annotated[float, Range(0.05, 0.95, "a share; higher goes back and forth, lower never back")]
    watch_s: Annotated[float, Range(0.5, 30.0, "s; shorter takes one hiccup for overload, longer notices too late")]
    calm_s: Annotated[float, Range(0.5, 600.0, "s; shorter goes back and forth")]
    slower: Annotated[float, Range(1.0, 5.0, "times; faces that are looked for more rarely are missed")]
    smaller: Annotated[float, Range(0.4, 1.0, "a share; people in smaller pictures are not found")]
    probe_s: Annotated[float, Range(0.2, 10.0, "s; rarer looks notice too late that there is time again")]


@dataclass(frozen=True, kw_only=True)
class FaultsConfig:
    """Pictures that are not to be believed."""

    frozen_s: Annotated[float, Range(0.5, 60.0, "s; shorter takes a quiet room for a frozen camera")]
    same_level: Annotated[float, Range(0.0, 3.0, "levels of 255; more takes a quiet room for a frozen camera")]
    black_level: Annotated[float, Range(0.0, 60.0, "levels of 255; higher takes a dark room for a covered lens")]
    moved_likeness: Annotated[float, Range(0.0, 0.9, "a correlation; higher takes people for a camera that moved")]
    moved_s: Annotated[float, Range(0.2, 30.0, "s; shorter takes a person before the lens for a camera that moved")]
    settled_s: Annotated[float, Range(0.5, 60.0, "s; shorter believes a picture that still moves")]
    disagree_heads: Annotated[float, Range(0.3, 10.0, "head heights; lower believes no geometry, higher any")]


@dataclass(frozen=True, kw_only=True)
class OutputConfig:
    """Files and streams that are written."""

    segment_s: Annotated[float, Range(1.0, 86400.0, "s; shorter files are no files, longer ones lose a day")]
    crf: Annotated[int, CRF]
    preset: str
    slate_rate: Annotated[float, Range(0.2, 60.0, "per second; fewer make players give up")]


@dataclass(frozen=True, kw_only=True)
class LiveConfig:
    """All of `configs/live.toml`."""

    looking: LookingConfig
    window: WindowConfig
    memory: MemoryConfig
    overload: OverloadConfig
    faults: FaultsConfig
    output: OutputConfig
    relations: ClassVar[tuple[Relation, ...]] = (
        Relation(
            ("looking.interval_s", "looking.longest_interval_s", "looking.longest_gap_s"),
            lambda usual, longest, gap: usual <= longest < gap,
            "interval_s of at most longest_interval_s, and that less than longest_gap_s",
            "no frame would ever be judged",
        ),
        Relation(
            ("window.hold_s", "window.past_s"),
            lambda hold, past: hold < past,
            "hold_s of less than past_s",
            "who is held must still be known",
        ),
    )


def load_live_config(path: Path | None = None, overrides: Changes | None = None) -> LiveConfig:
    """See `or_mv_anon.core.settings_file.load_settings`."""
    return load_settings(LiveConfig, "configs/live.toml", path, overrides)
