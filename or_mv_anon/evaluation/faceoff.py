"""The protocol of FaceOff (Flouty et al. 2018): face boxes at IoU 0.3, before and after smoothing over time.

The paper counts a hit where a detection overlaps a face by more than the threshold, a miss where a face has none, a
false alarm where a detection has no face, and both a miss and a false alarm where the overlap is there but too small.
Its smoothing puts the mean of the neighbouring frames' boxes where the detector may have failed. What it leaves open is
an option here, each with a stated default; so figures are comparable among themselves, and with the paper's only
roughly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.figures import Figures
from or_mv_anon.core.records import Detections
from or_mv_anon.evaluation.faceoff_rules import FaceLabels, FaceOffOptions, best_pairs
from or_mv_anon.evaluation.faceoff_smoothing import smooth_faces
from or_mv_anon.evaluation.frame_rows import rows_by_frame

WINDOWS = (3, 5, 7)


@dataclass(frozen=True)
class FaceOffCounts(Figures):
    """The four cases of one video; `near` of the misses and false alarms are overlaps below the threshold."""

    hits: int = 0
    misses: int = 0
    false_alarms: int = 0
    near: int = 0

    @property
    def precision(self) -> float | None:
        """Hits ÷ detections; None without any."""
        return _share(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> float | None:
        """Hits ÷ faces; None without any."""
        return _share(self.hits, self.hits + self.misses)


@dataclass(frozen=True)
class FaceOffRow(Figures):
    """Figures before (`window` 1) or after smoothing over `window` frames; None where nothing was to be counted."""

    window: int
    counts: FaceOffCounts
    precision: float | None
    recall: float | None
    f1: float | None


def faceoff_table(
    videos: Sequence[tuple[FaceLabels, Detections]],
    options: FaceOffOptions | None = None,
    *,
    windows: Sequence[int] = WINDOWS,
) -> list[FaceOffRow]:
    """The table of the protocol: first without smoothing, then one row per window.

    Args:
        videos: labels and face detections of each video; frames are numbered alike.
        options: see `FaceOffOptions`.
        windows: odd numbers of frames.

    Raises:
        UserError: a window is even or less than 1.
    """
    options = options or FaceOffOptions()
    rows = []
    for window in (1, *windows):
        counts = [
            count_cases(labels, smooth_faces(found[found.score >= options.min_score], labels, window, options), options)
            for labels, found in videos
        ]
        rows.append(_row(window, counts, options))
    return rows


def count_cases(labels: FaceLabels, found: Detections, options: FaceOffOptions) -> FaceOffCounts:
    """The four cases of one video, one detection to one face, best overlaps first."""
    faces, detections = rows_by_frame(labels.frame), rows_by_frame(found.frame)
    none = np.zeros(0, np.intp)
    cases = np.zeros(4, int)
    for frame in sorted({*faces, *detections}):
        here, there = faces.get(frame, none), detections.get(frame, none)
        cases += _count_frame(labels.box[here], labels.counts[here], found.box[there], options)
    return FaceOffCounts(*cases.tolist())


def _count_frame(
    faces: Boxes, counts: NDArray[np.bool_], found: Boxes, options: FaceOffOptions
) -> tuple[int, int, int, int]:
    if not len(found):
        return 0, int(counts.sum()), 0, 0
    overlap = bx.iou(faces, found)
    least = np.nextafter(np.float32(options.iou), np.float32(2)) if options.strictly else options.iou
    # Faces that count choose first: a detection between two is no excuse to miss the one that matters.
    pairs = best_pairs(np.where(counts[:, None], overlap, 0), least=float(least))
    hits = {j for _, j in pairs}
    excused = set(np.flatnonzero((overlap[~counts] >= least).any(axis=0)).tolist())
    if options.duplicates == "ignored":
        excused |= set(np.flatnonzero((overlap[counts] >= least).any(axis=0)).tolist())
    false = [j for j in range(len(found)) if j not in hits and j not in excused]
    missed = [i for i in np.flatnonzero(counts).tolist() if i not in {i for i, _ in pairs}]
    near = int((overlap[np.ix_(missed, false)] > 0).any(axis=1).sum()) if missed and false else 0
    return len(pairs), len(missed), len(false), near


def _row(window: int, counts: Sequence[FaceOffCounts], options: FaceOffOptions) -> FaceOffRow:
    total = FaceOffCounts(*np.sum([astuple(video) for video in counts], axis=0, dtype=int).tolist())
    precision, recall = total.precision, total.recall
    if options.average == "per_video":
        precision, recall = (_mean([getattr(video, name) for video in counts]) for name in ("precision", "recall"))
    f1 = None
    if precision is not None and recall is not None:
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return FaceOffRow(window, total, precision, recall, f1)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
