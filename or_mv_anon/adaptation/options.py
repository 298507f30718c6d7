"""What the user asked for: the command-line options of the adaptation as one record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.models.runtime import Device
from or_mv_anon.pipeline.options import ExecutorName


@dataclass(frozen=True, kw_only=True)
class AdaptOptions:
    """See `tools/adapt_site.py --help` for the meaning of each."""

    videos: Path
    out: Path
    iterations: int = 3
    budget_minutes: float | None = None
    start: Path | None = None
    teacher: tuple[Path, ...] | None = None  # a stronger detector: ONNX, or configuration and checkpoint
    corrections: Path | None = None  # output folder of a reviewed run over the same recordings
    config: Path | None = None
    weights_dir: Path | None = None
    device: Device = "auto"
    student: bool = True
    seed: int = 0
    workers: int | None = None
    executor: ExecutorName = "local"  # of the analysis; training is done here
    address: str | None = None
    overwrite: bool = False
