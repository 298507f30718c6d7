"""Ranks the stretches of one camera's video that a reviewer should look at first.

Nothing here can find a person whom no model saw at all; every reason is a contradiction or a weakness that the records
themselves show. Everything is vectorized over rows, so that hours of video take seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit import track_risks
from or_mv_anon.audit.intervals import Clock, RiskInterval, Run, group_runs
from or_mv_anon.audit.reasons import REASONS, Reason
from or_mv_anon.core.config import RiskConfig
from or_mv_anon.core.records import Detections, FrameFlag, Frames, Identities, RegionKind, Regions, Tracks

SURE_OF_HEAD = 0.5  # region uncertainty up to here means a head seen, or inferred from neck and shoulders
UNSEARCHED_S = 1.0  # seconds without person detection after which somebody can enter unseen


def risk_intervals(
    frames: Frames,
    detections: Detections,
    tracks: Tracks,
    regions: Regions,
    config: RiskConfig,
    *,
    size: tuple[int, int],
    missing_pts: Sequence[int] = (),
    identities: Identities | None = None,
) -> list[RiskInterval]:
    """The stretches of one camera's video at risk, most urgent first.

    Stretches of the same reason and track that lie at most `config.min_s` apart are one; a shorter stretch that has
    no neighbour stays, as a point that ranks low.

    Args:
        frames: every decoded frame.
        detections: person detections.
        tracks: people over time, after filling and padding.
        regions: what gets covered.
        config: thresholds; `low_score` is also the score from which an untracked detection is listed.
        size: width and height of the upright frame in pixels.
        missing_pts: timestamps, in the stream's ticks, of frames that could not be decoded.
        identities: who each track is, where other cameras told; a person may be several tracks in a row.

    Returns:
        Intervals by descending severity × duration, then by start. Rows about frames that were never decoded are
        left out; without any frame the list is empty.
    """
    if not len(frames):
        return []
    clock = Clock.of(frames)
    known = tracks[np.isin(tracks.frame, clock.frame)]
    known = known[np.lexsort((known.frame, known.track))]
    placed = regions[np.isin(regions.frame, clock.frame)]
    searched = frames.frame[frames.has(FrameFlag.PERSONS)]
    whole = np.union1d(
        frames.frame[frames.has(FrameFlag.FAILED | FrameFlag.CORRUPT)], placed.frame[placed.kind == RegionKind.FRAME]
    )

    def intervals(
        reason: Reason,
        frame: NDArray[np.integer],
        track: NDArray[np.integer] | None,
        measure: NDArray[np.floating],
        detail: Callable[[Run], str],
    ) -> Iterator[RiskInterval]:
        key = np.full(len(frame), -1) if track is None else track
        for run in group_runs(frame, key, measure, clock, gap_s=config.min_s):
            severity = min(REASONS[reason].weight * run.mean, 1.0)
            span = clock.span(run.first_frame, run.last_frame)
            yield RiskInterval(*span, run.first_frame, run.last_frame, reason, run.key, severity, detail(run))

    found = [
        *intervals("frame_covered", whole, None, np.ones(len(whole)), lambda run: f"{count(run, 'frame')}."),
        *_unsearched(frames, clock, searched, whole),
        *track_risks.ends(known, clock, border_px=config.border_px, size=size, identities=identities),
    ]
    rows = track_risks.uncovered(known, placed, whole)
    found += intervals(
        "not_covered", known.frame[rows], known.track[rows], np.ones(len(rows)), lambda run: f"{count(run, 'frame')}."
    )
    rows, measure = track_risks.long_fills(known, clock)
    found += intervals(
        "filled_gap", known.frame[rows], known.track[rows], measure, lambda run: f"{count(run, 'frame')} filled in."
    )
    rows = track_risks.missed(known, clock, searched)
    found += intervals(
        "missed_by_detector",
        known.frame[rows],
        known.track[rows],
        np.ones(len(rows)),
        lambda run: f"Not reported in {count(run, 'searched frame')}.",
    )
    low = known[known.score < config.low_score]
    found += intervals(
        "low_score",
        low.frame,
        low.track,
        1 - 0.5 * low.score / max(config.low_score, 1e-6),
        lambda run: f"Mean score {2 * (1 - run.mean) * config.low_score:.2f}, expected {config.low_score:.2f} or more.",
    )
    lone = detections[track_risks.lone(detections, known, clock.frame, least_score=config.low_score)]
    found += intervals(
        "lone_detection",
        lone.frame,
        None,
        lone.score,
        lambda run: f"{count(run, 'detection')}, mean score {run.mean:.2f}.",
    )
    body = np.isin(placed.kind, [RegionKind.HEAD, RegionKind.BOX_TOP, RegionKind.PERSON])
    unsure = placed[body & (placed.uncertainty > SURE_OF_HEAD) & ~np.isin(placed.frame, whole)]
    found += intervals(
        "uncertain_head",
        unsure.frame,
        unsure.track,
        unsure.uncertainty,
        lambda run: f"Mean uncertainty {run.mean:.2f}.",
    )
    if len(missing_pts):
        ticks = np.unique(np.asarray(missing_pts, np.int64))
        after = np.clip(np.searchsorted(frames.pts, ticks), 0, len(frames) - 1)
        around = frames.frame[np.unique(np.concatenate([after, np.maximum(after - 1, 0)]))]
        total = f"{len(ticks)} undecodable frame{'' if len(ticks) == 1 else 's'} in the whole video."
        found += intervals(
            "missing_frames", around, None, np.ones(len(around)), lambda run: f"Around these frames; {total}"
        )
    return by_priority(found)


def by_priority(risks: Iterable[RiskInterval]) -> list[RiskInterval]:
    """The same, most urgent first, then by start."""
    return sorted(risks, key=lambda r: (-r.priority, r.start_s, r.reason, r.track))


def count(run: Run, noun: str) -> str:
    """The run's number of rows in words, as in ``3 frames``."""
    return f"{run.rows} {noun}{'' if run.rows == 1 else 's'}"


def _unsearched(
    frames: Frames, clock: Clock, searched: NDArray[np.integer], whole: NDArray[np.integer]
) -> Iterator[RiskInterval]:
    """Stretches between two searched frames, or to the video's ends, that are long enough for somebody to enter."""
    blind = np.setdiff1d(frames.frame, np.union1d(searched, whole))
    stretch = np.searchsorted(searched, blind)
    for run in group_runs(blind, stretch, np.ones(len(blind)), clock, gap_s=np.inf):
        start_s, end_s = clock.span(run.first_frame, run.last_frame)
        if end_s - start_s > UNSEARCHED_S or not len(searched):
            detail = f"No person detection in {count(run, 'frame')}."
            severity = REASONS["not_analysed"].weight
            yield RiskInterval(start_s, end_s, run.first_frame, run.last_frame, "not_analysed", -1, severity, detail)
