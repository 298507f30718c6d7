"""Settings of the out-of-body detection, read from configs/endoscopy.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from or_mv_anon.config import load_settings
from or_mv_anon.errors import UserError

LEAST_PICTURE_SIDE = 224  # pixels, the network's own input


@dataclass(frozen=True, kw_only=True)
class JudgingConfig:
    """Which frames of a recording the network looks at, and at what size."""

    interval_s: float
    doubt: float
    picture_side: int

    def __post_init__(self) -> None:
        if not 0 < self.doubt <= 1:
            raise UserError(f"judging.doubt is {self.doubt}; expected a probability above 0, at most 1.")
        if self.picture_side < LEAST_PICTURE_SIDE:
            raise UserError(
                f"judging.picture_side is {self.picture_side}; expected at least {LEAST_PICTURE_SIDE}, what the "
                "network sees."
            )


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
        if not 0 < self.certain <= 1:
            raise UserError(f"smoothing.certain is {self.certain}; expected a probability above 0, at most 1.")

    @property
    def threshold(self) -> float:
        """Probability of being outside from which covering costs less than not covering (Bayes' decision rule)."""
        return self.cover_cost / (self.cover_cost + self.leak_cost)


@dataclass(frozen=True, kw_only=True)
class EndoscopyConfig:
    """All of `configs/endoscopy.toml`."""

    judging: JudgingConfig
    smoothing: SmoothingConfig


def load_endoscopy_config(
    path: Path | None = None, overrides: dict[str, dict[str, Any]] | None = None
) -> EndoscopyConfig:
    """See `or_mv_anon.config.load_settings`."""
    return load_settings(EndoscopyConfig, "configs/endoscopy.toml", path, overrides)


def smoothing_overrides(*, margin: float | None, threshold: float | None) -> dict[str, Any]:
    """What the command line changes in `[smoothing]`; a threshold is told as the costs that lead to it.

    Args:
        margin: seconds.
        threshold: smoothed probability of being outside from which a frame is covered.

    Raises:
        UserError: the threshold is no probability between 0 and 1.
    """
    changes: dict[str, Any] = {} if margin is None else {"margin_s": margin}
    if threshold is not None:
        if not 0 < threshold < 1:
            raise UserError(f"--threshold is {threshold:g}; expected a probability between 0 and 1, both excluded.")
        changes |= {"cover_cost": 1.0, "leak_cost": (1 - threshold) / threshold}
    return changes
