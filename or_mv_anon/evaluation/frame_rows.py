"""Which rows of a record belong to each frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def rows_by_frame(frames: NDArray[np.int32]) -> Mapping[int, NDArray[np.intp]]:
    """Row numbers, in their order, of each frame that has any; `frames` (N,) is each row's."""
    order = np.argsort(frames, kind="stable")
    numbers, first = np.unique(frames[order], return_index=True)
    ends = np.append(first[1:], len(order))[: len(first)]
    return {n: order[a:b] for n, a, b in zip(numbers.tolist(), first.tolist(), ends.tolist(), strict=True)}
