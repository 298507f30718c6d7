"""What stands still in the picture: nothing is covered by it, but it tells whether a camera was turned meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Backgrounds
from or_mv_anon.core.run_layout import BACKGROUNDS
from or_mv_anon.core.schedule import due
from or_mv_anon.regions.background import HEIGHT, WIDTH, describe
from or_mv_anon.regions.source import Batch, Mask, RegionSource
from or_mv_anon.video.frame import Frame


class BackgroundSource(RegionSource):
    """Notes coarse gradients of the whole picture now and then."""

    name = "backgrounds"
    table = BACKGROUNDS
    observes_by = ("background",)

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        seen = detected.copy()
        seen[detected] = due(times[detected], config.background.interval_s)
        return seen

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Backgrounds:
        sound = [frame for frame in due if not frame.corrupt]
        if not sound:
            return Backgrounds.empty()
        cells = [describe(frame.bgr(WIDTH, HEIGHT)) for frame in sound]
        return Backgrounds(frame=np.array([batch.number(frame) for frame in sound]), cells=np.stack(cells))
