"""What the face protocols need, taken from a run and its ground truth: labels, and predictions where models looked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import iou
from or_mv_anon.core.records import Detections, FrameFlag
from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.evaluation.detection_rules import DetectionRules
from or_mv_anon.evaluation.detection_rules import counts as person_counts
from or_mv_anon.evaluation.exposure import ExposureOptions
from or_mv_anon.evaluation.face_points import FacePoints, face_points
from or_mv_anon.evaluation.faceoff_rules import FaceLabels, FaceOffOptions
from or_mv_anon.evaluation.frame_rows import rows_by_frame
from or_mv_anon.evaluation.reference_protocol import SquaresOptions, SquaresPicture
from or_mv_anon.evaluation.run_directory import CameraRun
from or_mv_anon.models.pose import Halpe26

SEEN, HIDDEN = 2, 1  # visibility of the ground truth's keypoints
CHIN_ENDS = [int(Halpe26.NOSE), int(Halpe26.NECK)]
FACE_IN_HEAD = np.array([0.1, 0.2, 0.9, 1.0], np.float32)  # of a head's box: where its face is, seen from the front
SAME_FACE_IOU = 0.2


def faceoff_video(
    truth: CameraTruth, run: CameraRun, options: ExposureOptions, *, heads: FaceOffOptions | None = None
) -> tuple[FaceLabels, Detections]:
    """One camera's labels and face detections for FaceOff's protocol; with `heads` those of detected heads, too.

    Only frames in which the face detector ran are in it, numbered one after another: the protocol judges a detector,
    and its windows count frames that were looked at. Faces count as they do for exposure.
    """
    looked = np.flatnonzero(run.frames.has(FrameFlag.FACES))
    people = truth.people[(truth.people.face_visible > 0) & np.isin(truth.people.frame, looked)]
    height = people.face_box[:, 3] - people.face_box[:, 1]
    share = people.face_visible / np.maximum(people.face_pixels, 1)
    counts = (
        (height >= options.min_height) & (share >= options.min_visible_share) & (people.face_angle <= options.max_angle)
    )
    labels = FaceLabels(
        frame=np.searchsorted(looked, people.frame).astype(np.int32),
        person=people.person,
        box=people.face_box,
        counts=counts,
    )
    return labels, _renumbered(run.faces if heads is None else with_heads(run.faces, run.heads, heads), looked)


def _renumbered(found: Detections, looked: NDArray[np.intp]) -> Detections:
    found = found[np.isin(found.frame, looked)]
    return found.replace(frame=np.searchsorted(looked, found.frame))


def with_heads(faces: Detections, heads: Detections, options: FaceOffOptions) -> Detections:
    """Detected faces, and the faces of detected heads that are none of these: all that is taken for a face.

    Whether a head is seen from behind is not known, so the faces of such heads are false alarms.
    """
    faces = faces[faces.score >= options.min_score]
    heads = heads[heads.score >= options.min_head_score]
    sides = np.tile(heads.box[:, 2:] - heads.box[:, :2], 2)
    corners = np.tile(heads.box[:, :2], 2)
    heads = heads.replace(box=corners + FACE_IN_HEAD * sides, score=np.ones(len(heads), np.float32))
    there = rows_by_frame(faces.frame)
    none = np.zeros(0, np.intp)
    alone = np.ones(len(heads), bool)
    for frame, rows in rows_by_frame(heads.frame).items():
        overlap = iou(heads.box[rows], faces.box[there.get(frame, none)])
        alone[rows] = overlap.max(axis=1, initial=0) < SAME_FACE_IOU
    found = Detections.concat([faces, heads[alone]])
    return found[np.argsort(found.frame, kind="stable")]


def squares_pictures(
    truth: Mapping[str, CameraTruth], runs: Mapping[str, CameraRun], options: SquaresOptions
) -> list[SquaresPicture]:
    """The pictures of the squares protocol: moments in which the pose model ran in every camera that recorded them."""
    looked = {name: run.frames.has(FrameFlag.POSE) for name, run in runs.items()}
    skipped = [truth[name].frames.instant[~mask] for name, mask in looked.items()]
    incomplete = np.unique(np.concatenate(skipped)) if skipped else np.zeros(0, np.int32)
    pictures: list[SquaresPicture] = []
    for number, (name, run) in enumerate(runs.items()):
        usable = ~np.isin(truth[name].frames.instant, incomplete)
        pictures += _camera_pictures(number, truth[name], run, np.flatnonzero(usable), options)
    return pictures


def _camera_pictures(
    number: int, truth: CameraTruth, run: CameraRun, frames: NDArray[np.intp], options: SquaresOptions
) -> Iterator[SquaresPicture]:
    people = truth.people[person_counts(truth.people, DetectionRules())]
    labels = _labelled_points(people.keypoints, options)
    score = np.zeros((len(run.persons), 26), np.float32)
    points = np.zeros((len(run.persons), 26, 2), np.float32)
    points[run.keypoints.detection], score[run.keypoints.detection] = run.keypoints.points, run.keypoints.score
    predicted = face_points(points, score, chin_share=options.chin_share)
    labelled_rows, found_rows = rows_by_frame(people.frame), rows_by_frame(run.persons.frame)
    none = np.zeros(0, np.intp)
    for frame in frames.tolist():
        here, there = labelled_rows.get(frame, none), found_rows.get(frame, none)
        yield SquaresPicture(
            camera=number,
            instant=int(truth.frames.instant[frame]),
            width=truth.width,
            person=people.person[here],
            body=people.visible_box[here],
            points=labels[here],
            found=run.persons.box[there],
            found_score=run.persons.score[there],
            found_points=predicted[there],
        )


def _labelled_points(keypoints: NDArray[np.float32], options: SquaresOptions) -> FacePoints:
    """Eyes that are seen; a chin wherever nose and neck are in the picture, since masks hide it and annotators do not
    mind."""
    visibility = keypoints[:, :, 2]
    score = (visibility >= SEEN).astype(np.float32)
    score[:, CHIN_ENDS] = visibility[:, CHIN_ENDS] >= HIDDEN
    return face_points(keypoints[:, :, :2], score, chin_share=options.chin_share)
