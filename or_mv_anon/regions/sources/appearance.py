"""What people look like: nothing is covered by it, but cameras compare it to tell who is who."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Embeddings
from or_mv_anon.core.run_layout import EMBEDDINGS
from or_mv_anon.core.schedule import due
from or_mv_anon.models.embedder import PersonEmbedder
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.regions.source import Batch, Mask, RegionSource
from or_mv_anon.video.frame import Frame

EMBEDDER = "embedder"
"""Role of its network, which is left out where there is nobody to compare."""


class AppearanceSource(RegionSource):
    """Notes embeddings of detected persons."""

    name = "embeddings"
    table = EMBEDDINGS
    observes_by = ("appearance",)

    def open(self, files: Mapping[str, NetworkFile], config: PipelineConfig, engine: Engine) -> dict[str, Any]:
        if EMBEDDER not in files:
            return {}
        network = PersonEmbedder(
            files[EMBEDDER].path,
            config.appearance,
            device=engine.device,
            precision=engine.precision,
            threads=engine.threads,
        )
        return {EMBEDDER: network}

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        compared = detected.copy()
        compared[detected] = due(times[detected], config.appearance.interval_s)
        return compared

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Embeddings:
        parts = []
        for frame in due if EMBEDDER in networks else ():
            rows = batch.rows(frame)
            rows = rows[batch.persons.score[rows] >= config.appearance.min_detection_score]
            if len(rows):
                vectors = networks[EMBEDDER].embed(frame.bgr(), batch.persons.box[rows])
                parts.append(Embeddings(detection=rows, vector=vectors))
        return Embeddings.concat(parts)
