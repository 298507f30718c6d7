"""Tracks a whole recording of one camera: forward, backward, merged, filled, padded.

A recording is finished when it is anonymized, so that the future is known: who appears out of nothing in the forward
pass was followed by the backward pass, and a box missing in a few frames lies between its neighbours.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import TrackingConfig
from or_mv_anon.core.records import Detections, FrameFlag, Frames, Tracks
from or_mv_anon.tracking.bridging import bridges, walks
from or_mv_anon.tracking.bytetrack import ByteTracker
from or_mv_anon.tracking.filling import Timeline, fill_tracks
from or_mv_anon.tracking.leaving import ways_out
from or_mv_anon.tracking.linking import chain_passes
from or_mv_anon.tracking.numbering import numbered_on

_REPORT_EVERY = 1000  # frames
SPARSE_S = 0.5  # seconds between frames from which on tracking cannot help and every candidate is covered


def track_camera(
    detections: Detections,
    frames: Frames,
    analysed: NDArray[np.bool_],
    config: TrackingConfig,
    *,
    size: tuple[int, int],
    progress: Callable[[int], None] | None = None,
) -> Tracks:
    """Everybody's box in every frame of one camera.

    Args:
        detections: of the camera, in any order.
        frames: all frames of the camera. A clock that steps back counts as standing still.
        analysed: frames ``(F,)`` in which the detector ran; the others are filled from their neighbours.
        config: thresholds.
        size: width and height of the upright picture in pixels.
        progress: called now and then with the number of frames done; each pass counts half.

    Returns:
        Tracks ordered by track, then frame, ids dense from 0. Every detection of at least ``config.lone_score`` and
        every one that a pass claimed is in exactly one track, with its own box. Which detection comes first within
        a frame makes no difference.

    Raises:
        ValueError: shapes do not fit, a detection lies outside the recording, or a box, score or time is not finite.
    """
    _check(detections, frames, analysed)
    order = np.lexsort((detections.score, *detections.box.T, detections.frame))
    ordered = detections[order]
    seconds = np.maximum.accumulate(frames.time)
    looked = analysed.copy()
    looked[ordered.frame] = True
    report = progress or (lambda done: None)
    count = len(frames)
    forward = follow(ordered, seconds, looked, config, progress=lambda done: report(done // 2))
    backward = follow(
        ordered, seconds, looked, config, backward=True, progress=lambda done: report((count + done) // 2)
    )
    track = chain_passes(
        ordered,
        seconds[ordered.frame],
        (forward, backward),
        longest_gap_s=config.fill_gap_s,
        stitch_iou=config.merge_iou,
        lone_score=config.lone_score,
    )
    timeline = Timeline.build(
        seconds, looked, pad_s=config.pad_s, weak_pad_s=config.weak_pad_s, longest_s=config.fill_gap_s
    )
    tracks = fill_tracks(
        ordered, track, timeline, size=size, high_score=config.high_score, strong_score=config.new_track_score
    )
    tracks = numbered_on([tracks, *_ways(tracks, seconds, size, config)])
    seen = tracks.detection >= 0
    rows = tracks.detection.copy()
    rows[seen] = order[rows[seen]]
    return tracks.replace(detection=rows)


def follow(
    detections: Detections,
    seconds: NDArray[np.float64],
    analysed: NDArray[np.bool_],
    config: TrackingConfig,
    *,
    backward: bool = False,
    progress: Callable[[int], None] | None = None,
) -> NDArray[np.int32]:
    """One pass of `ByteTracker` over a recording.

    Args:
        detections: of one camera, ordered by frame.
        seconds: time of every frame ``(F,)``, never falling.
        analysed: frames ``(F,)`` in which the detector ran; the tracker sees no others.
        config: thresholds.
        backward: from the last frame to the first.
        progress: called now and then with the number of frames done.

    Returns:
        The pass's track id of every detection ``(D,)``, -1 for none.
    """
    bounds = np.searchsorted(detections.frame, np.arange(len(seconds) + 1))
    ids = np.full(len(detections), -1, np.int32)
    tracker = ByteTracker(config)
    visits = np.flatnonzero(analysed)
    clock = seconds
    if backward:
        visits, clock = visits[::-1], -seconds
    for done, frame in enumerate(visits.tolist()):
        rows = slice(bounds[frame], bounds[frame + 1])
        ids[rows] = tracker.update(detections.box[rows], detections.score[rows], clock[frame])
        if progress and done % _REPORT_EVERY == 0:
            progress(len(seconds) - frame if backward else frame + 1)
    if progress:
        progress(len(seconds))
    return ids


def _ways(
    tracks: Tracks, seconds: NDArray[np.float64], size: tuple[int, int], config: TrackingConfig
) -> Iterator[Tracks]:
    """What somebody who walks goes through between tracks and beyond them, each numbered from 0 on."""
    seen = tracks[tracks.detection >= 0]
    if not len(seen) or not max(config.walk_s, config.leave_s):
        return
    none = np.zeros(0, np.intp)
    ways = none, none
    if config.walk_s > 0:
        ways = walks(seen, seconds, longest_s=config.walk_s, speed=config.walk_speed)
        yield bridges(seen, ways, seconds)
    if config.leave_s > 0:
        yield ways_out(seen, ways, seconds, size=size, longest_s=config.leave_s, speed=config.walk_speed)


def track_detections(
    detections: Detections, frames: Frames, looked: FrameFlag, config: TrackingConfig, size: tuple[int, int]
) -> Tracks:
    """`track_camera` in the frames flagged `looked`; where frames are sparse, no detection is left out."""
    if not len(detections):
        return Tracks.empty()
    step = float(np.median(np.diff(frames.time))) if len(frames) > 1 else np.inf
    if step > SPARSE_S:
        config = dataclasses.replace(config, lone_score=config.low_score)
    return track_camera(detections, frames, frames.has(looked), config, size=size)


def _check(detections: Detections, frames: Frames, analysed: NDArray[np.bool_]) -> None:
    if analysed.shape != (len(frames),) or analysed.dtype != bool:
        raise ValueError(f"analysed: expected bool ({len(frames)},), got {analysed.dtype} {analysed.shape}")
    if not np.isfinite(frames.time).all():
        raise ValueError("expected a finite time for every frame")
    if not (np.isfinite(detections.box).all() and np.isfinite(detections.score).all()):
        raise ValueError("expected finite boxes and scores in every detection")
    if len(detections) and not 0 <= detections.frame.min() <= detections.frame.max() < len(frames):
        low, high = detections.frame.min(), detections.frame.max()
        raise ValueError(f"expected detections in frames 0 to {len(frames) - 1}, got frames {low} to {high}")
