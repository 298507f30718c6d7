"""Smoothing of regions over time that never uncovers anything: every smoothed box contains the original one.

At few frames a second nothing lies within the smoothing's reach. Then a head whose place is doubtful is still covered
where it was a frame before and where it is a frame later: between the two it was somewhere there.
"""

from __future__ import annotations

import numpy as np
import scipy  # loads its parts when they are used

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import RegionConfig
from or_mv_anon.core.records import Frames, RegionKind, Regions
from or_mv_anon.regions.source import HALF_SURE
from or_mv_anon.tracking.offline import SPARSE_S


def smooth(regions: Regions, frames: Frames, config: RegionConfig) -> Regions:
    """Regions smoothed along each track (rows ordered by track, then frame, without gaps); coverage never shrinks."""
    if config.smoother == "none" or len(regions) < 2:
        return regions
    box = regions.box.copy()
    starts = np.flatnonzero(np.r_[True, np.diff(regions.track) != 0])
    for first, stop in zip(starts, np.r_[starts[1:], len(regions)], strict=True):
        track = box[first:stop]
        if config.smoother == "hull":
            time = frames.time[regions.frame[first:stop]]
            step = np.median(np.diff(time)) if len(time) > 1 else 1.0
            reach = min(int(config.smooth_s / max(step, 1e-6) + 1e-6), len(track))
            box[first:stop] = _hull(track, reach)
            if reach == 0 and step <= SPARSE_S:
                rows = slice(first, stop)
                doubtful = (regions.kind[rows] == RegionKind.HEAD) & (regions.uncertainty[rows] >= HALF_SURE)
                box[rows][doubtful] = _hull(track, 1)[doubtful]
        else:
            box[first:stop] = _sliding_average(track, int(config.smoother.removeprefix("faceoff")))
    return regions.replace(box=box)


def _hull(track: Boxes, reach: int) -> Boxes:
    """Union over ``2·reach + 1`` frames, then its average over the same window.

    Every box that is averaged contains the frame's own box, so the average does too; it moves without steps.
    """
    window = 2 * reach + 1
    image = scipy.ndimage
    low = image.minimum_filter1d(track[:, :2], window, axis=0, mode="nearest")
    high = image.maximum_filter1d(track[:, 2:], window, axis=0, mode="nearest")
    low, high = (image.uniform_filter1d(bound, window, axis=0, mode="nearest") for bound in (low, high))
    return np.concatenate([np.minimum(low, track[:, :2]), np.maximum(high, track[:, 2:])], axis=1)


def _sliding_average(track: Boxes, window: int) -> Boxes:
    """FaceOff's mean over `window` frames (Flouty et al. 2018), joined with each frame's own box."""
    mean = scipy.ndimage.uniform_filter1d(track, window, axis=0, mode="nearest")
    return np.concatenate([np.minimum(mean, track)[:, :2], np.maximum(mean, track)[:, 2:]], axis=1)
