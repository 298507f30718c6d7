"""All of `configs/adaptation.toml`, which holds the defaults; there is no second copy of them in code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.adaptation.distill import StudentConfig
from or_mv_anon.adaptation.face_labels import FaceAdaptationConfig
from or_mv_anon.adaptation.head_labels import PoseAdaptationConfig
from or_mv_anon.adaptation.quantize import QuantizationConfig
from or_mv_anon.adaptation.settings import (
    CriterionConfig,
    LabelConfig,
    MaterialConfig,
    SamplingConfig,
    ThresholdConfig,
    TrainingConfig,
)
from or_mv_anon.core.settings_file import load_settings


@dataclass(frozen=True, kw_only=True)
class AdaptationConfig:
    """The file's sections."""

    material: MaterialConfig
    labels: LabelConfig
    sampling: SamplingConfig
    training: TrainingConfig
    criterion: CriterionConfig
    thresholds: ThresholdConfig
    faces: FaceAdaptationConfig
    student: StudentConfig
    quantization: QuantizationConfig
    pose: PoseAdaptationConfig


def load_adaptation_config(path: Path | None = None) -> AdaptationConfig:
    """The shipped settings, changed by the file at `path`: see `load_settings`."""
    return load_settings(AdaptationConfig, "configs/adaptation.toml", path)
