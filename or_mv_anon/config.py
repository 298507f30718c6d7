"""Every threshold of the pipeline as frozen dataclasses, read from TOML with unknown keys refused.

`configs/pipeline.toml` explains each value and holds the defaults; there is no second copy of them in code.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from or_mv_anon.errors import UserError
from or_mv_anon.resources import resource

Smoother = Literal["hull", "faceoff3", "faceoff5", "faceoff7", "none"]
WORST_CRF = 51  # on x264's scale
Settings = TypeVar("Settings")
CodecChoice = Literal["same", "h264", "hevc", "av1", "vp9"]
StrictMethod = Literal["pixelate", "blur", "solid"]
RecognizerChoice = Literal["sface", "all"]


@dataclass(frozen=True, kw_only=True)
class DetectionConfig:
    """Person detection; lengths in pixels, times in seconds."""

    input_long_side: int
    interval_s: float
    min_score: float
    nms_iou: float


@dataclass(frozen=True, kw_only=True)
class PoseConfig:
    """Top-down pose on person boxes."""

    interval_s: float
    min_detection_score: float
    batch: int
    trusted_score: float


@dataclass(frozen=True, kw_only=True)
class FaceConfig:
    """Face detection."""

    interval_s: float
    input_long_side: int
    min_score: float
    nms_iou: float
    large_share: float
    large_min_score: float


@dataclass(frozen=True, kw_only=True)
class TrackingConfig:
    """Two-threshold association in both directions, filling and padding."""

    high_score: float
    low_score: float
    new_track_score: float
    match_iou: float
    second_match_iou: float
    unconfirmed_match_iou: float
    duplicate_iou: float
    lost_buffer_s: float
    merge_iou: float
    fill_gap_s: float
    pad_s: float
    weak_pad_s: float
    lone_score: float


@dataclass(frozen=True, kw_only=True)
class StillConfig:
    """Heads that keep still, looked for in turned pictures."""

    interval_s: float
    person_input_long_side: int
    min_score: float
    same_place_iou: float
    least_looks: int
    least_share: float
    longest_gap_s: float
    window_s: float
    largest_heads: float


@dataclass(frozen=True, kw_only=True)
class AppearanceConfig:
    """Appearance embeddings of detected people."""

    interval_s: float
    min_detection_score: float
    batch: int


@dataclass(frozen=True, kw_only=True)
class AssociationConfig:
    """Who is who across cameras."""

    instant_s: float
    use_appearance: bool
    use_epipolar: bool
    use_synchrony: bool
    least_probability: float


@dataclass(frozen=True, kw_only=True)
class RecoveryConfig:
    """People whom one view missed, found with the help of the others."""

    transfer: bool
    least_confidence: float
    most_uncertainty: float
    most_misfit: float
    join_s: float
    least_s: float
    gap_s: float


@dataclass(frozen=True, kw_only=True)
class RegionConfig:
    """From boxes, keypoints and faces to covered regions."""

    head_scale: float
    uncertain_growth: float
    box_head_share: float
    lying_aspect: float
    tiny_height: float
    min_side: float
    keypoint_reach_s: float
    smoother: Smoother
    smooth_s: float


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """Strength of the anonymization operators, relative to the region."""

    cells: int
    blur_cells: int
    solid_luma: float


@dataclass(frozen=True, kw_only=True)
class LearnedConfig:
    """When a drawn head may take the strict operator's place; lengths in pixels or shares, times in seconds."""

    strict: StrictMethod
    least_px: float
    most_uncertainty: float
    ring: float
    seam: float
    smooth_s: float
    hold_s: float
    recognizers: RecognizerChoice
    least_distance: float
    most_detail: float


@dataclass(frozen=True, kw_only=True)
class AttackConfig:
    """The attack on the job's own output."""

    recognizers: RecognizerChoice
    looks_per_track: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class VideoConfig:
    """Encoding and segmentation."""

    segment_s: float
    codec: CodecChoice
    crf: int
    preset: str

    def __post_init__(self) -> None:
        if self.crf > WORST_CRF:
            raise UserError(f"video.crf (--crf) is {self.crf}; expected 0 (best) to {WORST_CRF} (worst).")


@dataclass(frozen=True, kw_only=True)
class RiskConfig:
    """What the audit calls a risk."""

    low_score: float
    min_s: float
    border_px: float


@dataclass(frozen=True, kw_only=True)
class PipelineConfig:
    """All of `configs/pipeline.toml`."""

    detection: DetectionConfig
    pose: PoseConfig
    face: FaceConfig
    tracking: TrackingConfig
    face_tracking: TrackingConfig
    still: StillConfig
    appearance: AppearanceConfig
    association: AssociationConfig
    recovery: RecoveryConfig
    regions: RegionConfig
    operators: OperatorConfig
    learned: LearnedConfig
    attack: AttackConfig
    video: VideoConfig
    risk: RiskConfig


def load_config(
    path: Path | None = None,
    overrides: dict[str, dict[str, Any]] | None = None,
    *,
    model: Mapping[str, Mapping[str, Any]] | None = None,
) -> PipelineConfig:
    """The anonymizer's settings: see `load_settings`."""
    return load_settings(PipelineConfig, "configs/pipeline.toml", path, overrides, model=model)


def load_settings(
    kind: type[Settings],
    shipped: str,
    path: Path | None = None,
    overrides: dict[str, dict[str, Any]] | None = None,
    *,
    model: Mapping[str, Mapping[str, Any]] | None = None,
) -> Settings:
    """The defaults of the `shipped` file, changed by `model`, by the file at `path`, and by `overrides`, in this order.

    Args:
        kind: a dataclass whose fields are the file's sections, each a dataclass of plain values.
        shipped: a file that comes with the package and states every value.
        path: a user's file of the same form.
        overrides: section -> key -> value, from a command line.
        model: the same, from a site model.

    Raises:
        UserError: a file cannot be read, or holds an unknown section, an unknown key or a value of the wrong type.
    """
    sections = typing.get_type_hints(kind)
    values: dict[str, Any] = {name: {} for name in sections}
    _merge(sections, values, _read(resource(shipped)), source=f"the shipped {shipped}")
    _merge(sections, values, model or {}, source="the site model")
    if path is not None:
        _merge(sections, values, _read(path), source=str(path))
    _merge(sections, values, overrides or {}, source="the command line")
    return kind(**{name: section(**values[name]) for name, section in sections.items()})


def config_hash(*sections: Any) -> str:
    """A short stable hash of config dataclasses and plain values, for the run manifest."""
    plain = [dataclasses.asdict(s) if dataclasses.is_dataclass(s) and not isinstance(s, type) else s for s in sections]
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise UserError(f"Cannot read the configuration {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}.") from error


def _merge(sections: dict[str, Any], values: dict[str, Any], changes: Mapping[str, Any], *, source: str) -> None:
    for section, entries in changes.items():
        if section not in sections or not isinstance(entries, dict):
            raise UserError(f"Unknown section [{section}] in {source}; known are {', '.join(sections)}.")
        kinds = typing.get_type_hints(sections[section])
        for key, value in entries.items():
            if key not in kinds:
                raise UserError(f"Unknown key '{key}' in [{section}] of {source}; known are {', '.join(kinds)}.")
            values[section][key] = _checked(value, kinds[key], f"{section}.{key} in {source}")


def _checked(value: Any, kind: Any, where: str) -> Any:
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        if value not in choices:
            raise UserError(f"{where} is {value!r}; expected one of {', '.join(choices)}.")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UserError(f"{where} is {value!r}; expected {kind.__name__}.")
    if kind in (int, float) and not 0 <= value < math.inf:
        raise UserError(f"{where} is {value!r}; expected a finite number of at least 0.")
    return value
