"""Settings of the out-of-body detection, read from configs/endoscopy.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from or_mv_anon.config import load_settings
from or_mv_anon.errors import UserError


@dataclass(frozen=True, kw_only=True)
class SmoothingConfig:
    """Two-state smoothing; times in seconds, costs per second of video."""

    mean_inside_s: float
    mean_outside_s: float
    evidence_s: float
    leak_cost: float
    cover_cost: float
    certain: float
    margin_s: float

    def __post_init__(self) -> None:
        for name in ("mean_inside_s", "mean_outside_s", "evidence_s", "leak_cost", "cover_cost"):
            if getattr(self, name) <= 0:
                raise UserError(f"smoothing.{name} is {getattr(self, name)}; expected more than 0.")

    @property
    def threshold(self) -> float:
        """Probability of being outside from which covering costs less than not covering (Bayes' decision rule)."""
        return self.cover_cost / (self.cover_cost + self.leak_cost)


@dataclass(frozen=True, kw_only=True)
class EndoscopyConfig:
    """All of `configs/endoscopy.toml`."""

    smoothing: SmoothingConfig


def load_endoscopy_config(
    path: Path | None = None, overrides: dict[str, dict[str, Any]] | None = None
) -> EndoscopyConfig:
    """See `or_mv_anon.config.load_settings`."""
    return load_settings(EndoscopyConfig, "configs/endoscopy.toml", path, overrides)
