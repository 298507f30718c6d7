"""What the user asked for: the command-line options of the anonymizer as one record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from or_mv_anon.models.network_file import Engine
from or_mv_anon.models.runtime import Device, Precision
from or_mv_anon.operators.cells import Method
from or_mv_anon.pipeline.quicker import smaller_is_quicker
from or_mv_anon.pipeline.weights import NetworkChoice

ExecutorName = Literal["local", "ray"]
MethodChoice = Method | Literal["learned"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """See `tools/anonymize_multiview.py --help` for the meaning of each."""

    videos: Path
    out: Path
    model: Path | None = None
    detector: tuple[Path, ...] | None = None  # of the user's own: an ONNX file, or a configuration and a checkpoint
    fast: bool = False  # look less often, and with a smaller detector where that is quicker here
    weights_dir: Path | None = None
    endoscope_weights: Path | None = None
    config: Path | None = None
    endoscope_config: Path | None = None
    method: MethodChoice = "solid"
    modifier: Path | None = None  # a network of the user's own for `learned`
    device: Device = "auto"
    precision: Precision = "auto"
    audio: bool = False  # keep it
    start: float | None = None
    end: float | None = None
    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    detect_every: float | None = None  # seconds
    workers: int | None = None
    executor: ExecutorName = "local"
    address: str | None = None  # of the cluster; None starts one on this machine alone
    overwrite: bool = False
    render_only: bool = False
    preview: bool = False
    attack: bool = False
    dry_run: bool = False

    @cached_property
    def networks(self) -> NetworkChoice:
        """Which networks are wanted; found out once, as it may take a trial."""
        return NetworkChoice(
            model=self.model,
            fast=self.fast and self.detector is None and self._smaller_is_quicker(),
            detector=self.detector,
            weights_dir=self.weights_dir,
            endoscope_weights=self.endoscope_weights,
        )

    def _smaller_is_quicker(self) -> bool:
        engine = Engine(device=self.device, precision=self.precision, threads=1)
        return smaller_is_quicker(self.model, engine, weights_dir=self.weights_dir)
