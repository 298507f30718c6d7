"""The networks that the region sources look at pictures with, loaded once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.detectors.families import register
from or_mv_anon.models.detectors.protocol import Detector, Thresholds
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.regions.registry import SOURCES

DETECTOR = "detector"
"""Role of the network that finds people."""
MMDET = "mmdet"
"""Kind of a detector that mmdet runs from a configuration and a checkpoint."""
GPU_BATCH = 16  # frames per detector call on a GPU; on a CPU batches gain nothing


@dataclass(frozen=True)
class NetworkFiles:
    """Which networks run, and where.

    Attributes:
        files: of every network, with its role.
        engine: where and how they run.
    """

    files: tuple[tuple[str, NetworkFile], ...]
    engine: Engine

    @property
    def by_role(self) -> dict[str, NetworkFile]:
        """The files by the role of their network."""
        return dict(self.files)


@dataclass(frozen=True)
class Networks:
    """Loaded networks by their role; an optional one that is not there is left out."""

    by_role: Mapping[str, Any]

    def __getitem__(self, role: str) -> Any:
        return self.by_role[role]

    def __contains__(self, role: str) -> bool:
        return role in self.by_role

    @property
    def providers(self) -> dict[str, str]:
        """The engine, device and precision that each network runs on, by role."""
        return {role: network.provider for role, network in self.by_role.items()}

    @property
    def batch(self) -> int:
        """Frames that are worth detecting together."""
        return 1 if self[DETECTOR].on_cpu else GPU_BATCH


@lru_cache(maxsize=1)
def load_networks(files: NetworkFiles, config: PipelineConfig) -> Networks:
    """See `open_networks`; loaded once per process."""
    return open_networks(files, config)


def open_networks(files: NetworkFiles, config: PipelineConfig) -> Networks:
    """The networks of every source. One set looks at one picture at a time.

    Raises:
        UserError: a file is no such network, or the device is not to be had.
    """
    loaded: dict[str, Any] = {}
    for source in SOURCES:
        loaded |= source.open(files.by_role, config, files.engine)
    return Networks(loaded)


def _open_mmdet(file: NetworkFile, config: Thresholds, engine: Engine) -> Detector:
    """A detector that mmdet runs, with its mmengine configuration."""
    try:
        from or_mv_anon.openmmlab.inference import MmdetDetector
    except ModuleNotFoundError as error:
        raise UserError(
            f"--detector needs PyTorch and mmdet ({error.name} is missing). Install them with: "
            "pip install 'or_mv_anon[adapt]'."
        ) from error
    assert file.config is not None
    return MmdetDetector(file.config, file.path, config, device=engine.device, threads=engine.threads)


register(MMDET, _open_mmdet)
