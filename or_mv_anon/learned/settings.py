"""Settings of the training, read from configs/learned.toml, which explains them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from or_mv_anon.config import load_settings

Sees = Literal["cells", "picture"]
Margin = Literal["none", "cosface", "a-softmax"]
Goal = Literal["uniform", "wrong"]


@dataclass(frozen=True, kw_only=True)
class MaterialConfig:
    """Which heads are learned from, and how their regions vary."""

    held_out_share: float
    interval_s: float
    least_head_px: float
    head_margin: float
    shift: float
    growth: float
    stretch: float
    coarsest_px: float
    real_share: float
    looks: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class ModifierConfig:
    """The network M, what it is shown and what it may draw."""

    codes: int
    drawn_person: int
    sees: Sees
    cells: int
    least_cells: int
    side: int
    width: int
    blocks: int


@dataclass(frozen=True, kw_only=True)
class IdentityConfig:
    """The identity adversary D."""

    backbone: Literal["small", "sface"]
    margin_kind: Margin
    margin: float
    scale: float
    goal: Goal
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class ActionConfig:
    """The action detector A."""

    detector: Literal["crops", "faster-rcnn", "none"]
    warm_up_steps: int
    fine_tune_steps: int
    batch: int
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of what M is asked for."""

    direction: float
    picture: float
    identity: float
    action: float
    realism: float
    consistency: float


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Optimization of M, and the alternation with its adversaries."""

    steps: int
    batch: int
    learning_rate: float
    beta1: float
    beta2: float
    adversary_steps: int
    alone_steps: int
    average: float
    gradient_norm: float
    save_every: int
    mixed_precision: bool


@dataclass(frozen=True, kw_only=True)
class LearnedTrainingConfig:
    """All of `configs/learned.toml`."""

    material: MaterialConfig
    modifier: ModifierConfig
    identity: IdentityConfig
    action: ActionConfig
    losses: LossConfig
    training: TrainingConfig


def load_training_config(
    path: Path | None = None, overrides: dict[str, dict[str, Any]] | None = None
) -> LearnedTrainingConfig:
    """See `or_mv_anon.config.load_settings`."""
    return load_settings(LearnedTrainingConfig, "configs/learned.toml", path, overrides)
