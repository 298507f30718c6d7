"""Settings of the out-of-body detection, read from configs/endoscopy.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.ranges import Range
from or_mv_anon.core.settings_file import load_settings


@dataclass(frozen=True, kw_only=True)
class JudgingConfig:
    """Which frames of a recording the network looks at, and at what size."""

    interval_s: Annotated[float, Range(0.0, 1.0, "s; whoever comes into the picture between two looks is not seen")]
    doubt: Annotated[float, Range(0.001, 0.5, "a probability, not percent: above it, exits are passed over")]
    picture_side: Annotated[int, Range(224, 4096, "px; the network sees 224, and a larger picture needs memory")]


@dataclass(frozen=True, kw_only=True)
class SmoothingConfig:
    """Two-state smoothing; times in seconds, costs per second of video."""

    mean_inside_s: Annotated[
        float, Range(1.0, 3600.0, "s; longer does not believe an exit, shorter sees one in every flicker")
    ]
    mean_outside_s: Annotated[float, Range(0.5, 3600.0, "s; shorter does not believe that the scope stays outside")]
    evidence_s: Annotated[float, Range(0.01, 2.0, "s; longer needs an exit of many seconds to believe it")]
    leak_cost: Annotated[float, Range(1.0, 1e6, "beside cover_cost; less shows what is probably outside")]
    cover_cost: Annotated[
        float, Range(0.01, 1000.0, "beside leak_cost; more shows what is probably outside, and 0 covers everything")
    ]
    certain: Annotated[
        float, Range(0.05, 0.9, "a probability, not percent: above it, a sure frame is overruled by its neighbours")
    ]
    margin_s: Annotated[float, Range(0.0, 60.0, "s; more covers the surgery")]

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
    """See `or_mv_anon.core.settings_file.load_settings`."""
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
