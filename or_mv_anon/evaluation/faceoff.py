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
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from or_mv_anon import boxes as bx
from or_mv_anon.boxes import Boxes
from or_mv_anon.errors import UserError
from or_mv_anon.evaluation.figures import Figures
from or_mv_anon.evaluation.frame_rows import rows_by_frame
from or_mv_anon.records import Detections

WINDOWS = (3, 5, 7)


@dataclass(frozen=True, kw_only=True)
class FaceOffOptions:
    """What the paper states and what it leaves open.

    Attributes:
        iou: overlap of a hit (the paper's).
        strictly: an overlap of exactly `iou` is no hit ("above").
        linking: which boxes of neighbouring frames are the same face: those that overlap it in a chain of frames by
            `link_iou` (`overlap`, what a tool can do), or those that hit the same labelled face (`labels`, an upper
            bound that only an evaluation knows).
        link_iou: least overlap of linked boxes.
        placing: `replace` puts the mean wherever the window holds a box of the face, as the paper's formula reads;
            `fill` only where the frame itself has none.
        sides: the window must hold boxes on `either` side of a frame without one, or on `both`.
        duplicates: further detections of a face that is hit are `false` alarms, or `ignored`.
        average: over all faces of all videos (`micro`), or of the videos' figures (`per_video`).
        min_score: of detections.
    """

    iou: float = 0.3
    strictly: bool = True
    linking: Literal["overlap", "labels"] = "overlap"
    link_iou: float = 0.3
    placing: Literal["replace", "fill"] = "replace"
    sides: Literal["either", "both"] = "either"
    duplicates: Literal["false", "ignored"] = "false"
    average: Literal["micro", "per_video"] = "micro"
    min_score: float = 0.5


@dataclass(frozen=True)
class FaceLabels:
    """One video's labelled faces; `counts` is False for faces too small or hidden: finding them is no false alarm."""

    frame: NDArray[np.int32]
    person: NDArray[np.int16]
    box: Boxes
    counts: NDArray[np.bool_]


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


def smooth_faces(found: Detections, labels: FaceLabels, window: int, options: FaceOffOptions) -> Detections:
    """Detections after the paper's smoothing: the mean of a face's boxes in `window` frames around each frame.

    Args:
        found: of one video.
        labels: of the same video; only read when `options.linking` is `labels`.
        window: an odd number of frames; 1 changes nothing.
        options: see `FaceOffOptions`.

    Raises:
        UserError: the window is even or less than 1.
    """
    if window < 1 or window % 2 == 0:
        raise UserError(f"A smoothing window of {window} frames has no middle; expected an odd number from 1 on.")
    if window == 1 or not len(found):
        return found
    reach = window // 2
    chain = _linked_by_labels(found, labels, options) if options.linking == "labels" else _linked(found, reach, options)
    parts = [found[chain < 0]]
    for number in range(int(chain.max(initial=-1)) + 1):
        face = found[chain == number]
        for frame in range(int(face.frame.min()) - reach, int(face.frame.max()) + reach + 1):
            row = _estimate(face, frame, reach, options)
            if row is not None and frame >= 0:
                parts.append(row)
    smoothed = Detections.concat(parts)
    return smoothed[np.argsort(smoothed.frame, kind="stable")]


def _estimate(face: Detections, frame: int, reach: int, options: FaceOffOptions) -> Detections | None:
    """The face's detection in `frame` after smoothing, if it gets one."""
    near = face[np.abs(face.frame - frame) <= reach]
    own = near.frame == frame
    if not len(near):
        return None
    if own.any() and options.placing == "fill":
        return near[own]
    one_sided = (near.frame > frame).all() or (near.frame < frame).all()
    if not own.any() and one_sided and options.sides == "both":
        return None
    mean = near.box.mean(axis=0, keepdims=True)
    return Detections(frame=np.array([frame]), box=mean, score=near.score.mean(keepdims=True))


def _linked(found: Detections, reach: int, options: FaceOffOptions) -> NDArray[np.intp]:
    """A chain's number per detection (N,): a box continues the chain whose last box it overlaps most, as long as one
    window can hold both."""
    chain = np.full(len(found), -1)
    last: dict[int, int] = {}  # chain -> row of its last box
    number = 0
    for frame, rows in rows_by_frame(found.frame).items():
        alive = [c for c, row in last.items() if frame - int(found.frame[row]) <= 2 * reach]
        overlap = bx.iou(found.box[[last[c] for c in alive]].reshape(-1, 4), found.box[rows])
        for i, j in _best_pairs(overlap, least=options.link_iou):
            chain[rows[j]] = alive[i]
        for row in rows[chain[rows] < 0].tolist():
            chain[row], number = number, number + 1
        last.update({int(chain[row]): int(row) for row in rows})
    return chain


def _linked_by_labels(found: Detections, labels: FaceLabels, options: FaceOffOptions) -> NDArray[np.intp]:
    people = {person: i for i, person in enumerate(np.unique(labels.person).tolist())}
    chain = np.full(len(found), -1)
    labelled = rows_by_frame(labels.frame)
    for frame, rows in rows_by_frame(found.frame).items():
        here = labelled.get(frame, np.zeros(0, np.intp))
        for i, j in _best_pairs(bx.iou(labels.box[here], found.box[rows]), least=options.link_iou):
            chain[rows[j]] = people[int(labels.person[here[i]])]
    return chain


def _count_frame(
    faces: Boxes, counts: NDArray[np.bool_], found: Boxes, options: FaceOffOptions
) -> tuple[int, int, int, int]:
    if not len(found):
        return 0, int(counts.sum()), 0, 0
    overlap = bx.iou(faces, found)
    least = np.nextafter(np.float32(options.iou), np.float32(2)) if options.strictly else options.iou
    # Faces that count choose first: a detection between two is no excuse to miss the one that matters.
    pairs = _best_pairs(np.where(counts[:, None], overlap, 0), least=float(least))
    hits = {j for _, j in pairs}
    excused = set(np.flatnonzero((overlap[~counts] >= least).any(axis=0)).tolist())
    if options.duplicates == "ignored":
        excused |= set(np.flatnonzero((overlap[counts] >= least).any(axis=0)).tolist())
    false = [j for j in range(len(found)) if j not in hits and j not in excused]
    missed = [i for i in np.flatnonzero(counts).tolist() if i not in {i for i, _ in pairs}]
    near = int((overlap[np.ix_(missed, false)] > 0).any(axis=1).sum()) if missed and false else 0
    return len(pairs), len(missed), len(false), near


def _best_pairs(overlap: NDArray[np.float32], *, least: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of overlaps of at least `least`, best first, each row and column once."""
    pairs: list[tuple[int, int]] = []
    if not overlap.size:
        return pairs
    left = overlap.copy()
    while left.max() >= least and left.max() > 0:
        i, j = np.unravel_index(int(left.argmax()), left.shape)
        pairs.append((int(i), int(j)))
        left[i, :] = left[:, j] = 0
    return pairs


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
