"""One box in many frames, as regions of nobody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.regions.source import Zone


def same_box(frame: NDArray[np.int32], box: Zone, kind: RegionKind, uncertainty: float) -> Regions:
    """`box`, in pixels of the upright frame, in every frame of `frame` ``(N,)``."""
    count = len(frame)
    return Regions(
        frame=frame,
        box=np.tile(np.asarray(box, np.float32), (count, 1)),
        kind=np.full(count, kind),
        track=np.full(count, -1),
        uncertainty=np.full(count, uncertainty),
    )
