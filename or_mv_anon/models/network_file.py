"""A network as it lies on disk, and where it is to run: what every loader takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.models.runtime import Device, Precision


@dataclass(frozen=True)
class NetworkFile:
    """One network's file.

    Attributes:
        kind: the family that reads it; of detectors a key of `detectors.families.FAMILIES`.
        path: the weights.
        config: what describes the network, for families whose weights do not.
    """

    kind: str
    path: Path
    config: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Where a network runs and how; see `models.runtime.load_model`."""

    device: Device = "auto"
    precision: Precision = "auto"
    threads: int = 0
