"""Settings of the loop that adapts a person detector; `configs/adaptation.toml` explains each value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MaterialConfig:
    """What is looked at; times in seconds of session time, lengths in pixels."""

    detect_every_s: float
    face_every_s: float
    input_long_side: int
    window_s: float
    most_minutes: float


@dataclass(frozen=True, kw_only=True)
class LabelConfig:
    """How far each kind of tracked box is trusted; weights in [0, 1]."""

    detected: float
    tracked: float
    cross_view: float
    interpolated: float
    transferred: float
    least_score: float
    clear_score: float
    clear_detections: int
    most_gap_s: float
    uncertain_score: float
    least_posture: float
    sure_posture: float
    original_score: float
    original_iou: float
    candidate_score: float
    remember_s: float
    duplicate_iou: float


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """Which frames are trained on, and which are held out."""

    pictures: int
    most_megabytes: float
    long_side: int
    hard_weight: float
    crowd_weight: float
    empty_share: float
    held_out_share: float
    held_out_block_s: float
    guard_s: float
    held_out_pictures: int


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """One iteration's training."""

    network: str
    steps: int
    least_steps: int
    batch: int
    long_side: int
    learning_rate: float
    teacher_weight: float
    frozen_stages: int
    continue_training: bool


@dataclass(frozen=True, kw_only=True)
class CriterionConfig:
    """How iterations are compared without labels."""

    scores: list  # of floats
    least_weight: float
    match_iou: float
    unsupported_weight: float
    least_gain: float
    patience: int
    most_lost_by_student: float


@dataclass(frozen=True, kw_only=True)
class ThresholdConfig:
    """How the room's own thresholds are chosen."""

    adjust: bool
    least_pictures: int
    lowest_share: float
