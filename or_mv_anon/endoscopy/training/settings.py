"""Settings of the training, read from configs/endoscopy_training.toml, which explains them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from or_mv_anon.core.ranges import Range
from or_mv_anon.core.settings_file import load_settings


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which pictures belong together, and how they are split."""

    families: list[list[str]]  # of group names
    calibrate_share: Annotated[float, Range(0.01, 0.8, "a share, not percent: of nothing no threshold can be chosen")]
    test_share: Annotated[float, Range(0.01, 0.8, "a share, not percent: of nothing nothing can be said")]
    seed: Annotated[int, Range(0, 2_147_483_647, "any whole number; the generators take no others")]


@dataclass(frozen=True, kw_only=True)
class LearningConfig:
    """Optimization."""

    steps: Annotated[int, Range(1, 1_000_000, "0 would learn nothing, and so many never end")]
    batch: Annotated[int, Range(2, 1024, "half inside, half outside; many need memory")]
    warm_up_steps: Annotated[int, Range(0, 1_000_000, "so many never end")]
    frozen_stages: Annotated[int, Range(0, 19, "the network has 19")]
    learning_rate: Annotated[float, Range(1e-07, 0.1, "0 would learn nothing, and more makes training break apart")]
    weight_decay: Annotated[float, Range(0.0, 1.0, "more forgets everything")]
    outside_weight: Annotated[float, Range(0.1, 100.0, "beside 1 for inside; less learns not to see the outside")]
    label_smoothing: Annotated[float, Range(0.0, 0.4, "more makes both classes one")]
    average: Annotated[float, Range(0.0, 0.99999, "at 1 nothing is ever learned")]
    check_every: Annotated[int, Range(1, 1_000_000, "steps; 0 is never")]
    patience: Annotated[int, Range(1, 10_000, "0 ends before the first look")]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """All of `configs/endoscopy_training.toml`."""

    data: DataConfig
    training: LearningConfig


def load_training_config(
    path: Path | None = None, overrides: dict[str, dict[str, Any]] | None = None
) -> TrainingConfig:
    """See `or_mv_anon.core.settings_file.load_settings`."""
    return load_settings(TrainingConfig, "configs/endoscopy_training.toml", path, overrides)
