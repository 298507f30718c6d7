"""Settings of the loop that adapts a person detector; `configs/adaptation.toml` explains each value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from or_mv_anon.core.ranges import Range


@dataclass(frozen=True, kw_only=True)
class MaterialConfig:
    """What is looked at; times in seconds of session time, lengths in pixels."""

    detect_every_s: Annotated[float, Range(0.02, 2.0, "s; tracking loses people between looks that are farther apart")]
    face_every_s: Annotated[float, Range(0.02, 10.0, "s; rarer looks leave too few faces")]
    input_long_side: Annotated[
        int, Range(224, 4096, "px; people in a smaller picture are too few pixels, a larger one needs memory")
    ]
    window_s: Annotated[
        float, Range(10.0, 3600.0, "s; shorter windows show too little to learn geometry from, longer ones need memory")
    ]
    most_minutes: Annotated[float, Range(0.1, 1440.0, "minutes; less shows nothing, more takes days")]


@dataclass(frozen=True, kw_only=True)
class LabelConfig:
    """How far each kind of tracked box is trusted; weights in [0, 1]."""

    detected: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    tracked: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    cross_view: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    interpolated: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    transferred: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    least_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    clear_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    clear_detections: Annotated[int, Range(1, 1000, "0 trusts tracks that nobody saw, more trusts none")]
    most_gap_s: Annotated[float, Range(0.0, 10.0, "s; far apart, nobody knows where a person was between")]
    uncertain_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    least_posture: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    sure_posture: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    original_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    original_iou: Annotated[float, Range(0.1, 0.95, "an overlap; lower takes any place for the same, higher none")]
    candidate_score: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    remember_s: Annotated[float, Range(0.0, 60.0, "s; longer leaves nothing to learn from")]
    duplicate_iou: Annotated[float, Range(0.3, 1.0, "an overlap; lower drops people who stand close")]


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """Which frames are trained on, and which are held out."""

    pictures: Annotated[int, Range(1, 100_000, "they are held in memory, and 0 is nothing to learn from")]
    most_megabytes: Annotated[float, Range(1.0, 1e6, "MB; 0 is nothing to learn from")]
    long_side: Annotated[
        int, Range(128, 4096, "px; people in a smaller picture are too few pixels, a larger one needs memory")
    ]
    hard_weight: Annotated[float, Range(0.0, 100.0, "a factor beside 1")]
    crowd_weight: Annotated[float, Range(0.0, 100.0, "a factor beside 1")]
    empty_share: Annotated[float, Range(0.0, 0.9, "a share, not percent: of pictures without people little is learned")]
    held_out_share: Annotated[float, Range(0.02, 0.8, "a share, not percent: nothing held out is nothing to judge by")]
    held_out_block_s: Annotated[
        float, Range(0.5, 600.0, "s; neighbouring pictures look alike, and a recording has to hold several stretches")
    ]
    guard_s: Annotated[float, Range(0.0, 60.0, "s; longer leaves nothing to learn from")]
    held_out_pictures: Annotated[int, Range(1, 100_000, "0 is nothing to judge by, and they are held in memory")]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """One iteration's training."""

    network: str
    steps: Annotated[int, Range(1, 1_000_000, "0 would learn nothing, and so many never end")]
    least_steps: Annotated[int, Range(1, 1_000_000, "0 would learn nothing, and so many never end")]
    batch: Annotated[int, Range(1, 1024, "0 would learn nothing, and many need memory")]
    long_side: Annotated[
        int, Range(128, 4096, "px; people in a smaller picture are too few pixels, a larger one needs memory")
    ]
    learning_rate: Annotated[float, Range(1e-07, 0.1, "0 would learn nothing, and more makes training break apart")]
    teacher_weight: Annotated[float, Range(0.0, 100.0, "a weight in the loss, beside 1 for what is sure")]
    frozen_stages: Annotated[int, Range(0, 4, "the backbone has four")]
    continue_training: bool


@dataclass(frozen=True, kw_only=True)
class CriterionConfig:
    """How iterations are compared without labels."""

    scores: Annotated[list[float], Range(0.05, 0.95, "a share, not percent")]
    least_weight: Annotated[float, Range(0.0, 1.0, "a weight in the loss, beside 1 for what is sure")]
    match_iou: Annotated[float, Range(0.1, 0.95, "an overlap; lower takes any place for the same, higher none")]
    unsupported_weight: Annotated[float, Range(0.0, 100.0, "a cost beside 1")]
    least_gain: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    patience: Annotated[int, Range(1, 1000, "0 ends before the first round")]
    most_lost_by_student: Annotated[float, Range(0.0, 10.0, "on the scale of the criterion; more accepts anything")]


@dataclass(frozen=True, kw_only=True)
class ThresholdConfig:
    """How the room's own thresholds are chosen."""

    adjust: bool
    least_pictures: Annotated[int, Range(1, 100_000, "0 judges by nothing")]
    lowest_share: Annotated[
        float, Range(0.2, 1.0, "a share of the shipped threshold: lower covers everything, and none is ever raised")
    ]
