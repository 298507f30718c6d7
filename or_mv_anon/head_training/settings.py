"""Settings of the training, read from configs/learned.toml, which explains them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from or_mv_anon.core.ranges import Range
from or_mv_anon.core.settings_file import load_settings

Sees = Literal["cells", "picture"]
Margin = Literal["none", "cosface", "a-softmax"]
Goal = Literal["uniform", "wrong"]


@dataclass(frozen=True, kw_only=True)
class MaterialConfig:
    """Which heads are learned from, and how their regions vary."""

    held_out_share: Annotated[float, Range(0.02, 0.8, "a share, not percent: of nothing nothing can be said")]
    interval_s: Annotated[float, Range(0.01, 600.0, "s; rarer pictures are too few")]
    least_head_px: Annotated[float, Range(4.0, 1000.0, "px; smaller heads show nothing, larger ones are none")]
    head_margin: Annotated[float, Range(0.1, 3.0, "a share of the head; less leaves hair, ears and chin outside")]
    shift: Annotated[float, Range(0.0, 1.0, "a share of the side")]
    growth: Annotated[float, Range(0.0, 0.9, "a share of the side")]
    stretch: Annotated[float, Range(0.0, 0.9, "a share of the side")]
    coarsest_px: Annotated[float, Range(4.0, 1000.0, "px; smaller shows nothing")]
    real_share: Annotated[float, Range(0.0, 1.0, "a share, not percent")]
    looks: Annotated[int, Range(1, 10_000, "0 shows nobody, and pictures are held in memory")]
    seed: Annotated[int, Range(0, 2_147_483_647, "any whole number; the generators take no others")]


@dataclass(frozen=True, kw_only=True)
class ModifierConfig:
    """The network M, what it is shown and what it may draw."""

    codes: Annotated[int, Range(0, 64, "each is a drawing, and more of them say more about the person")]
    drawn_person: Annotated[int, Range(0, 2_147_483_647, "any whole number; the generators take no others")]
    sees: Sees
    cells: Annotated[int, Range(1, 8, "more show the face, and 0 shows nothing")]
    least_cells: Annotated[int, Range(1, 8, "more show the face, and 0 shows nothing")]
    side: Annotated[int, Range(32, 512, "px, a multiple of 32; smaller draws nothing, larger needs memory")]
    width: Annotated[int, Range(1, 512, "channels; more need memory")]
    blocks: Annotated[int, Range(0, 64, "more need memory")]


@dataclass(frozen=True, kw_only=True)
class IdentityConfig:
    """The identity adversary D."""

    backbone: Literal["small", "sface"]
    margin_kind: Margin
    margin: Annotated[float, Range(0.0, 10.0, "more cannot be learned")]
    scale: Annotated[float, Range(1.0, 200.0, "less does not tell people apart, more cannot be learned")]
    goal: Goal
    learning_rate: Annotated[float, Range(1e-07, 0.1, "0 would learn nothing, and more makes training break apart")]


@dataclass(frozen=True, kw_only=True)
class ActionConfig:
    """The action detector A."""

    detector: Literal["crops", "faster-rcnn", "none"]
    warm_up_steps: Annotated[int, Range(0, 1_000_000, "so many never end")]
    fine_tune_steps: Annotated[int, Range(0, 1_000_000, "so many never end")]
    batch: Annotated[int, Range(1, 1024, "0 would learn nothing, and many need memory")]
    learning_rate: Annotated[float, Range(1e-07, 0.1, "0 would learn nothing, and more makes training break apart")]


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights of what M is asked for."""

    direction: Annotated[float, Range(0.0, 1000.0, "a weight beside the others")]
    picture: Annotated[float, Range(0.0, 1000.0, "a weight beside the others")]
    identity: Annotated[float, Range(0.0, 1000.0, "a weight beside the others")]
    action: Annotated[float, Range(0.0, 1000.0, "a weight beside the others")]
    realism: Annotated[float, Range(0.0, 1000.0, "a weight beside the others")]
    consistency: Annotated[float, Range(0.0, 1000.0, "a weight beside the others")]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Optimization of M, and the alternation with its adversaries."""

    steps: Annotated[int, Range(0, 10_000_000, "so many never end")]
    batch: Annotated[int, Range(1, 4096, "0 would learn nothing, and many need memory")]
    learning_rate: Annotated[float, Range(1e-07, 0.1, "0 would learn nothing, and more makes training break apart")]
    beta1: Annotated[float, Range(0.0, 0.9999, "at 1 nothing is ever learned")]
    beta2: Annotated[float, Range(0.0, 0.999999, "at 1 nothing is ever learned")]
    adversary_steps: Annotated[int, Range(0, 1000, "so many never end")]
    alone_steps: Annotated[int, Range(0, 10_000_000, "so many never end")]
    average: Annotated[float, Range(0.0, 0.99999, "at 1 nothing is ever learned")]
    gradient_norm: Annotated[float, Range(0.001, 1e6, "at 0 nothing is ever learned")]
    save_every: Annotated[int, Range(1, 1_000_000, "steps; 0 is never")]
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
    """See `or_mv_anon.core.settings_file.load_settings`."""
    return load_settings(LearnedTrainingConfig, "configs/learned.toml", path, overrides)
