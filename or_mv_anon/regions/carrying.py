"""Heads that were seen now and then, carried along their people's tracks to the frames between."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Frames, Tracks
from or_mv_anon.core.rows import rows_around


def carried(
    frames: Frames,
    tracks: Tracks,
    head: Boxes,
    uncertainty: NDArray[np.float32],
    sample: NDArray[np.intp],
    *,
    reach_s: float,
) -> tuple[Boxes, NDArray[np.float32]]:
    """A head's box ``(R, 4)`` and uncertainty ``(R,)`` per track row, from the samples around it on its track.

    A head moves with its person's box: what is interpolated is its offset from the middle of the box's upper edge.

    Args:
        frames: of the camera.
        tracks: of persons, ordered by track, then frame.
        head: ``(S, 4)`` of the samples, in pixels.
        uncertainty: ``(S,)`` of the samples.
        sample: ``(R,)`` which sample was taken at a row, -1 for none.
        reach_s: seconds from a sample to where nothing is known any more.

    Returns:
        Boxes, and their uncertainty; 1 where a track has no sample near.
    """
    rows = np.arange(len(tracks))
    if not len(head):
        return tracks.box.copy(), np.ones(len(rows), np.float32)
    before, after = rows_around(sample >= 0)
    has_before = (before >= 0) & (tracks.track[before] == tracks.track)
    has_after = (after < len(rows)) & (tracks.track[np.minimum(after, len(rows) - 1)] == tracks.track)
    at_before, at_after = np.where(has_before, before, rows), np.where(has_after, after, rows)

    time = frames.time[tracks.frame]
    since = np.where(has_before, time - time[at_before], np.inf)
    until = np.where(has_after, time[at_after] - time, np.inf)
    with np.errstate(invalid="ignore"):
        weight = np.where(
            has_before & has_after, since / np.maximum(since + until, 1e-9), np.where(has_after, 1.0, 0.0)
        )
    at_before, at_after = np.where(has_before, at_before, at_after), np.where(has_after, at_after, at_before)

    anchor = np.stack([(tracks.box[:, 0] + tracks.box[:, 2]) / 2, tracks.box[:, 1]], axis=1)

    def offset(row: NDArray[np.intp]) -> Boxes:
        return head[sample[row]] - np.tile(anchor[row], 2)

    mix = weight[:, None].astype(np.float32)
    box = (1 - mix) * offset(at_before) + mix * offset(at_after) + np.tile(anchor, 2)
    own = np.maximum(uncertainty[sample[at_before]], uncertainty[sample[at_after]])
    far = np.clip(np.minimum(since, until) / max(reach_s, 1e-9), 0, 1)
    known = has_before | has_after
    return box.astype(np.float32), np.where(known, own + (1 - own) * far, 1.0).astype(np.float32)
