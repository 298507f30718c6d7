"""What happened in one camera's video, in numbers: people, how boxes came about, and how much was covered when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.coverage import covered_share
from or_mv_anon.audit.intervals import Clock
from or_mv_anon.core.records import FrameFlag, Frames, Provenance, RegionKind, Regions, Tracks

COVERAGE_SAMPLES_PER_S = 4


@dataclass(frozen=True)
class Series:
    """Values per second of video; seconds that hold no frame start are left out.

    Attributes:
        second: seconds of the camera's own timestamps, rounded down.
        covered: mean share of the picture covered in that second, [0, 1], from up to four frames.
        people: most people at once in that second.
    """

    second: tuple[int, ...]
    covered: tuple[float, ...]
    people: tuple[int, ...]


@dataclass(frozen=True)
class CameraSummary:
    """One camera's video in numbers.

    Attributes:
        frames: decoded frames.
        duration_s: seconds from the first frame's start to the last one's end.
        people_max: most tracks in one frame.
        people_mean: mean number of tracks per frame.
        tracks: number of tracks.
        boxes_by_provenance: share of all track boxes by the way they came about; sums to 1 if there are any.
        filled_frames: frames with at least one box that no detection supports.
        regions_by_kind: number of covered places by what they stand for, over all frames.
        covered_mean: mean share of the picture covered, [0, 1], over the sampled frames.
        covered_max: largest such share.
        persons_share: share of the frames that the person detector looked at.
        pose_share: share of the frames that the pose model looked at.
        faces_share: share of the frames that the face detector looked at.
        failed_frames: frames whose processing failed.
        corrupt_frames: frames that the decoder reported as damaged.
        whole_s: seconds covered whole.
        series: the course over time.
    """

    frames: int
    duration_s: float
    people_max: int
    people_mean: float
    tracks: int
    boxes_by_provenance: dict[str, float]
    filled_frames: int
    regions_by_kind: dict[str, int]
    covered_mean: float
    covered_max: float
    persons_share: float
    pose_share: float
    faces_share: float
    failed_frames: int
    corrupt_frames: int
    whole_s: float
    series: Series


def summarize(frames: Frames, tracks: Tracks, regions: Regions, *, size: tuple[int, int]) -> CameraSummary:
    """The summary of one camera.

    Args:
        frames: every decoded frame; may be empty.
        tracks: people over time.
        regions: what was covered.
        size: width and height of the upright frame in pixels.
    """
    clock = Clock.of(frames)
    people = np.bincount(tracks.frame, minlength=clock.last + 1)[clock.frame]
    flagged = frames.frame[frames.has(FrameFlag.FAILED | FrameFlag.CORRUPT)]
    whole = np.isin(clock.frame, np.union1d(flagged, regions.frame[regions.kind == RegionKind.FRAME]))
    sampled = np.unique(np.floor(clock.starts * COVERAGE_SAMPLES_PER_S), return_index=True)[1]
    covered = np.where(whole[sampled], 1.0, covered_share(regions, clock.frame[sampled], size=size))
    provenance = np.bincount(tracks.provenance, minlength=len(Provenance)) / max(len(tracks), 1)
    kinds = np.bincount(regions.kind, minlength=len(RegionKind))
    filled = np.isin(tracks.provenance, [Provenance.INTERPOLATED, Provenance.TRANSFERRED])
    return CameraSummary(
        frames=len(frames),
        duration_s=clock.duration_s,
        people_max=int(people.max(initial=0)),
        people_mean=_mean(people),
        tracks=len(np.unique(tracks.track)),
        boxes_by_provenance={p.name.lower(): float(provenance[p]) for p in Provenance},
        filled_frames=len(np.unique(tracks.frame[filled])),
        regions_by_kind={kind.name.lower(): int(kinds[kind]) for kind in RegionKind},
        covered_mean=_mean(covered),
        covered_max=1.0 if whole.any() else float(covered.max(initial=0)),
        persons_share=_mean(frames.has(FrameFlag.PERSONS)),
        pose_share=_mean(frames.has(FrameFlag.POSE)),
        faces_share=_mean(frames.has(FrameFlag.FACES)),
        failed_frames=int(frames.has(FrameFlag.FAILED).sum()),
        corrupt_frames=int(frames.has(FrameFlag.CORRUPT).sum()),
        whole_s=float((clock.ends - clock.starts)[whole].sum()),
        series=_series(clock, people, sampled, covered),
    )


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _series(clock: Clock, people: NDArray[np.int64], sampled: NDArray[np.intp], covered: NDArray[np.float64]) -> Series:
    if not len(clock.frame):
        return Series((), (), ())
    second = np.floor(clock.starts).astype(np.int64)
    seconds, begin = np.unique(second, return_index=True)
    of_sample = np.searchsorted(seconds, second[sampled])
    mean = np.bincount(of_sample, weights=covered) / np.bincount(of_sample)
    return Series(
        second=tuple(seconds.tolist()),
        covered=tuple(np.round(mean, 5).tolist()),
        people=tuple(np.maximum.reduceat(people, begin).tolist()),
    )
