"""Settings of the training, read from configs/endoscopy_training.toml, which explains them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from or_mv_anon.config import load_settings


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which pictures belong together, and how they are split."""

    families: list  # of lists of group names
    calibrate_share: float
    test_share: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class LearningConfig:
    """Optimization."""

    steps: int
    batch: int
    warm_up_steps: int
    frozen_stages: int
    learning_rate: float
    weight_decay: float
    outside_weight: float
    label_smoothing: float
    average: float
    check_every: int
    patience: int


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """All of `configs/endoscopy_training.toml`."""

    data: DataConfig
    training: LearningConfig


def load_training_config(
    path: Path | None = None, overrides: dict[str, dict[str, Any]] | None = None
) -> TrainingConfig:
    """See `or_mv_anon.config.load_settings`."""
    return load_settings(TrainingConfig, "configs/endoscopy_training.toml", path, overrides)
