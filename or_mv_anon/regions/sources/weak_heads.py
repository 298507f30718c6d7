"""What sources share that look at heads too weak to count alone: they come with every look for people."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections
from or_mv_anon.regions.source import Batch, Mask, RegionSource
from or_mv_anon.video.frame import Frame


class WeakHeadSource(RegionSource):
    """Notes those of the weak heads that are worth it."""

    observes_by = ("detection", "heads", "weak_heads")

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        return detected

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Detections | None:
        heads = batch.weak_heads
        return None if heads is None else heads[self.worth(heads, batch, due[0].upright_size, config)]

    @abstractmethod
    def worth(self, heads: Detections, batch: Batch, size: tuple[int, int], config: PipelineConfig) -> Mask:
        """Which `heads` are noted; `size` is width and height of the upright frames in pixels."""
