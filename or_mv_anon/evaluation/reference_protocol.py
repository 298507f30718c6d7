"""Faces as fixed squares: the protocol of the multi-view adaptation work this project succeeds (Chen et al. 2026).

Eyes and chin of a person become a square of fixed size; a predicted square is a hit at IoU 0.3. Recall is that of all
predictions, without an operating point. It is here so that figures can be set side by side; it says little about
exposure, because equal squares at IoU 0.3 may be shifted by half their side: a hit need not touch the face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.figures import Figures, share
from or_mv_anon.evaluation.average_precision import VOC_RECALLS, curve, interpolated
from or_mv_anon.evaluation.face_points import CHIN_SHARE, FacePoints, squares

NEAR = 10.0  # px around a body within which its unlabelled face may be centred


@dataclass(frozen=True, kw_only=True)
class SquaresOptions:
    """The protocol's rules; `v1` and `v2` differ as its two published versions do.

    Attributes:
        version: `v1` counts a predicted face only when its body overlaps a labelled body whose face shows, which spares
            it false alarms; `v2` counts all, ignores one per body whose face does not show, and drops the faces of
            bodies that non-maximum suppression removes.
        side_share: side of the square as a share of the picture's width; 160 of 2048 pixels in the original.
        face_iou, body_iou: least overlap of a hit.
        body_nms, face_nms: overlap from which on the weaker one of two predictions goes.
        body_overlap: least overlap of the bodies for `v1`.
        keypoint_score: predicted points need more than this, on their own scale.
        most: predictions per picture, best first.
        chin_share: see `or_mv_anon.evaluation.face_points`.
    """

    version: Literal["v1", "v2"] = "v2"
    side_share: float = 160 / 2048
    face_iou: float = 0.3
    body_iou: float = 0.5
    body_nms: float = 0.7
    face_nms: float = 0.6
    body_overlap: float = 0.1
    keypoint_score: float = 0.0
    most: int = 100
    chin_share: float = CHIN_SHARE


@dataclass(frozen=True, eq=False)
class SquaresPicture:
    """One picture's labels and predictions.

    Attributes:
        camera: number of its camera.
        instant: its moment in the session.
        width: pixels.
        person: (G,) identity of each labelled person.
        body: (G, 4) labelled boxes.
        points: (G,) labelled eyes and chins.
        found: (P, 4) predicted boxes.
        found_score: (P,).
        found_points: (P,) predicted eyes and chins.
    """

    camera: int
    instant: int
    width: int
    person: NDArray[np.int16]
    body: Boxes
    points: FacePoints
    found: Boxes
    found_score: NDArray[np.float32]
    found_points: FacePoints


@dataclass(frozen=True)
class SquaresScores(Figures):
    """One kind of target: how many there are, and how well they are found (NaN without any)."""

    targets: int
    recall: float
    precision: float
    average_precision: float
    multi_view_recall: float


@dataclass(frozen=True)
class SquaresResult(Figures):
    """The protocol's table; `reachable_recall` is the share of people whose points some predicted body holds."""

    pictures: int
    version: str
    body: SquaresScores
    face: SquaresScores
    eyes: SquaresScores
    reachable_recall: float


@dataclass(frozen=True)
class _Outcome:
    """Of one picture: scores and hits of what counts as predicted, and which labelled people were hit."""

    score: NDArray[np.float64]
    hit: NDArray[np.bool_]
    person: NDArray[np.int16]
    found: NDArray[np.bool_]


def evaluate_squares(pictures: Sequence[SquaresPicture], options: SquaresOptions | None = None) -> SquaresResult:
    """Judge predicted eyes and chins.

    Args:
        pictures: those in which both the labels and the pose model looked. A person's moment counts for multi-view
            recall over the pictures given of it.
        options: see `SquaresOptions`.
    """
    options = options or SquaresOptions()
    kept = [_suppressed(picture, options) for picture in pictures]
    return SquaresResult(
        pictures=len(pictures),
        version=options.version,
        body=_scores(pictures, [_judge_bodies(p, options) for p in kept]),
        face=_scores(pictures, [_judge_faces(p, options, points=[0, 1, 2]) for p in kept]),
        eyes=_scores(pictures, [_judge_faces(p, options, points=[0, 1]) for p in kept]),
        reachable_recall=_reachable(pictures),
    )


def _suppressed(picture: SquaresPicture, options: SquaresOptions) -> SquaresPicture:
    """The picture with its predictions cleaned as the version does it."""
    points = picture.found_points
    score = np.where(points.score > options.keypoint_score, points.score, 0)
    if options.version == "v2":
        x, y = points.points[:, :, 0], points.points[:, :, 1]
        x1, y1, x2, y2 = picture.found.T[:, :, None]
        score = np.where((x >= x1) & (x <= x2) & (y >= y1) & (y <= y2), score, 0)
    keep = np.argsort(-picture.found_score, kind="stable")[: options.most]
    if options.version == "v2":
        keep = bx.nms(picture.found, picture.found_score, iou_threshold=options.body_nms)[: options.most]
    return SquaresPicture(
        picture.camera,
        picture.instant,
        picture.width,
        picture.person,
        picture.body,
        picture.points,
        picture.found[keep],
        picture.found_score[keep],
        FacePoints(points.points[keep], score[keep].astype(np.float32)),
    )


def _judge_bodies(picture: SquaresPicture, options: SquaresOptions) -> _Outcome:
    keep = bx.nms(picture.found, picture.found_score, iou_threshold=options.body_nms)
    hit, found = _matched(picture.body, picture.found[keep], iou=options.body_iou)
    return _Outcome(picture.found_score[keep].astype(np.float64), hit, picture.person, found)


def _judge_faces(picture: SquaresPicture, options: SquaresOptions, *, points: list[int]) -> _Outcome:
    side = options.side_share * picture.width
    shows = picture.points.known[:, :2].any(axis=1)  # a chin alone is no face
    labels = FacePoints(picture.points.points[:, points], picture.points.score[:, points])[shows]
    predicted = FacePoints(picture.found_points.points[:, points], picture.found_points.score[:, points])
    usable = predicted.known.any(axis=1)
    if options.version == "v1":
        usable &= (bx.iou(picture.found, picture.body[shows]) >= options.body_overlap).any(axis=1)
    boxes, score = squares(predicted[usable], side), predicted.mean_score[usable]
    keep = bx.nms(boxes, score.astype(np.float32), iou_threshold=options.face_nms)[: options.most]
    boxes, score = boxes[keep], score[keep]
    hit, found = _matched(squares(labels, side), boxes, iou=options.face_iou)
    counted = np.ones(len(boxes), bool)
    if options.version == "v2":
        counted = hit | ~_excused(boxes[~hit], ~hit, picture.body[~shows])
    return _Outcome(score[counted], hit[counted], picture.person[shows], found)


def _matched(labels: Boxes, found: Boxes, *, iou: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which predictions, best first, hit a label, and which labels are hit; each tries the one it overlaps most."""
    hit, taken = np.zeros(len(found), bool), np.zeros(len(labels), bool)
    if not len(labels):
        return hit, taken
    overlap = bx.iou(found, labels)
    for row, best in enumerate(overlap.argmax(axis=1).tolist()):
        if overlap[row, best] >= iou and not taken[best]:
            hit[row] = taken[best] = True
    return hit, taken


def _excused(boxes: Boxes, rows: NDArray[np.bool_], bodies: Boxes) -> NDArray[np.bool_]:
    """Which predictions are the one face, of the best score, that each body without a visible face may have."""
    excused = np.zeros(len(rows), bool)
    free = np.ones(len(bodies), bool)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    for number, (x, y) in zip(np.flatnonzero(rows).tolist(), middle.tolist(), strict=True):
        inside = (
            (bodies[:, 0] - NEAR <= x) & (x <= bodies[:, 2] + NEAR)
            & (bodies[:, 1] - NEAR <= y) & (y <= bodies[:, 3] + NEAR) & free
        )  # fmt: skip
        if inside.any():
            excused[number] = True
            free[int(inside.argmax())] = False
    return excused


def _scores(pictures: Sequence[SquaresPicture], outcomes: Sequence[_Outcome]) -> SquaresScores:
    targets = sum(len(outcome.person) for outcome in outcomes)
    score = np.concatenate([outcome.score for outcome in outcomes]) if outcomes else np.zeros(0)
    hit = np.concatenate([outcome.hit for outcome in outcomes]) if outcomes else np.zeros(0, bool)
    moments: dict[tuple[int, int], bool] = {}
    for picture, outcome in zip(pictures, outcomes, strict=True):
        for person, found in zip(outcome.person.tolist(), outcome.found.tolist(), strict=True):
            key = (picture.instant, person)
            moments[key] = moments.get(key, True) and found
    return SquaresScores(
        targets=targets,
        recall=share(int(hit.sum()), targets),
        precision=share(int(hit.sum()), len(hit)),
        average_precision=interpolated(curve(score, hit, positives=targets), VOC_RECALLS) if targets else math.nan,
        multi_view_recall=share(sum(moments.values()), len(moments)),
    )


def _reachable(pictures: Sequence[SquaresPicture]) -> float:
    """Share of people with a visible face whose points all lie in a predicted body of their own."""
    held = people = 0
    for picture in pictures:
        known = picture.points.known
        shows = known[:, :2].any(axis=1)
        x, y = np.moveaxis(picture.points.points[shows], 2, 0)
        x1, y1, x2, y2 = picture.found.T[:, None, None, :]
        inside = (x[..., None] >= x1) & (x[..., None] <= x2) & (y[..., None] >= y1) & (y[..., None] <= y2)
        whole = (inside | ~known[shows][..., None]).all(axis=1)
        rows, columns = linear_sum_assignment(whole, maximize=True)
        held += int(whole[rows, columns].sum())
        people += int(shows.sum())
    return share(held, people)
