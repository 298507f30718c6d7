"""FaceOff's smoothing: the mean of a face's boxes in the frames around, where the detector may have failed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Detections
from or_mv_anon.evaluation.faceoff_rules import FaceLabels, FaceOffOptions, best_pairs
from or_mv_anon.evaluation.frame_rows import rows_by_frame


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
        for i, j in best_pairs(overlap, least=options.link_iou):
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
        for i, j in best_pairs(bx.iou(labels.box[here], found.box[rows]), least=options.link_iou):
            chain[rows[j]] = people[int(labels.person[here[i]])]
    return chain
