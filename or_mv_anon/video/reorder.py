"""Decoding timestamps for packets whose presentation timestamps are to stay exactly as they are."""

import numpy as np
from numpy.typing import NDArray


def decoding_times(pts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Decoding timestamps (N,) for packets with presentation times `pts` (N,) in decoding order.

    Strictly increasing and never after the presentation: the sorted times, delayed by the fewest packets that allow
    it; before the first one they go on backwards at the recording's smallest step.
    """
    ordered = np.sort(pts)
    ranks = np.searchsorted(ordered, pts)
    delay = int((np.arange(len(pts)) - ranks).max(initial=0))
    step = max(1, int(np.diff(ordered).min())) if len(pts) > 1 else 1
    lead_in = ordered[0] - step * np.arange(delay, 0, -1)
    return np.concatenate([lead_in, ordered])[: len(pts)]
