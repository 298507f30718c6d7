"""From decisions about frames to regions that the renderer draws, and to stretches that a reviewer should look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.intervals import Clock, RiskInterval, Run, group_runs
from or_mv_anon.audit.reasons import REASONS, Reason
from or_mv_anon.audit.risk import count, risk_intervals
from or_mv_anon.core.config import RiskConfig
from or_mv_anon.core.records import Detections, FrameFlag, Frames, RegionKind, Regions, Tracks
from or_mv_anon.endoscopy.smoothing import Smoothed


def outside_regions(
    frames: Frames,
    covered: NDArray[np.bool_],
    *,
    size: tuple[int, int],
    always: Sequence[tuple[float, float, float, float]] = (),
) -> Regions:
    """One region of the whole picture for every covered frame, the site's zones in the others, ordered by frame.

    Zones that a site never covers have no say here: what is outside the body is covered whole.

    Args:
        frames: all frames of the recording.
        covered: mask ``(N,)`` of those that show the outside; failed and damaged ones are covered in any case.
        size: width and height of the upright picture in pixels.
        always: zones covered in every frame, upright pixels.
    """
    whole = covered | frames.has(FrameFlag.FAILED | FrameFlag.CORRUPT)
    parts = [_boxes(frames[whole], (0, 0, *size), RegionKind.FRAME)]
    parts += [_boxes(frames[~whole], zone, RegionKind.ZONE) for zone in always]
    regions = Regions.concat(parts)
    return regions[np.argsort(regions.frame, kind="stable")]


def _boxes(frames: Frames, box: tuple[float, float, float, float], kind: RegionKind) -> Regions:
    count = len(frames)
    return Regions(
        frame=frames.frame,
        box=np.tile(np.array(box, np.float32), (count, 1)),
        kind=np.full(count, kind),
        track=np.full(count, -1),
        uncertainty=np.zeros(count),
    )


def outside_risks(
    frames: Frames,
    probability: NDArray[np.floating],
    smoothed: Smoothed,
    config: RiskConfig,
    *,
    size: tuple[int, int],
    doubt: float,
    missing_pts: Sequence[int] = (),
) -> list[RiskInterval]:
    """The stretches of an endoscope's recording that deserve a look, most urgent first.

    Args:
        frames: all frames.
        probability: ``(N,)`` what the network said of each; NaN where it could not.
        smoothed: what was decided.
        config: for the joining of neighbouring stretches.
        size: width and height of the upright picture in pixels.
        doubt: a frame that is shown although the network gave it this much is listed.
        missing_pts: timestamps, in the stream's ticks, of frames that could not be decoded.
    """
    if not len(frames):
        return []
    clock = Clock.of(frames)
    flagged = frames.has(FrameFlag.FAILED | FrameFlag.CORRUPT)

    def listed(reason: Reason, rows: NDArray[np.bool_], measure: NDArray[np.floating]) -> list[RiskInterval]:
        runs = group_runs(frames.frame[rows], np.full(int(rows.sum()), -1), measure[rows], clock, gap_s=config.min_s)
        return [_interval(reason, run, clock) for run in runs]

    # The network's looks stand for the search for people.
    searched = frames.replace(flags=frames.flags | np.uint8(FrameFlag.PERSONS))
    nobody = (Detections.empty(), Tracks.empty(), Regions.empty())
    found = risk_intervals(searched, *nobody, config, size=size, missing_pts=missing_pts)
    found += listed("out_of_body", smoothed.covered & ~flagged, np.ones(len(frames)))
    found += listed("maybe_out_of_body", ~smoothed.covered & (probability >= doubt), np.asarray(probability))
    return sorted(found, key=lambda interval: (-interval.priority, interval.start_s, interval.reason))


def _interval(reason: Reason, run: Run, clock: Clock) -> RiskInterval:
    detail = f"{count(run, 'frame')}."
    if reason == "maybe_out_of_body":
        detail = f"{count(run, 'frame')}, mean probability {run.mean:.2f}."
    severity = REASONS[reason].weight * run.mean
    return RiskInterval(
        *clock.span(run.first_frame, run.last_frame), run.first_frame, run.last_frame, reason, -1, severity, detail
    )
