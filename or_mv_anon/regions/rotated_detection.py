"""Looks for heads in a picture turned by quarters: upright detectors find lying people that way.

One picture's candidates are weak and mean nothing by themselves; `or_mv_anon.tracking.static_heads` trusts those that
recur.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections, Keypoints
from or_mv_anon.models.detectors.protocol import Detector, Found, Picture
from or_mv_anon.models.pose import PoseEstimator
from or_mv_anon.models.turning import TURNS, turn, turn_back
from or_mv_anon.regions.detecting import people_and_heads
from or_mv_anon.regions.heads import locate_heads

NOTHING: Found = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
SURE_OF_HEAD = 0.5  # uncertainty below which a head was seen and not inferred from the neck


def rotated_detectors(persons: Detector, faces: Detector, config: PipelineConfig) -> tuple[Detector, Detector]:
    """The same networks at the size and scores for turned pictures."""
    size = max(config.static_heads.person_input_long_side, config.detection.input_long_side)
    return (
        persons.with_settings(dataclasses.replace(config.detection, input_long_side=size)),
        faces.with_settings(dataclasses.replace(config.face, min_score=config.static_heads.min_score)),
    )


def head_candidates(
    picture: Picture, persons: Detector, faces: Detector, pose: PoseEstimator, config: PipelineConfig
) -> Found:
    """What might be a head in any of the four quarter turns of a frame.

    Args:
        picture: upright frame ``(h, w, 3)`` BGR.
        persons, faces: see `rotated_detectors`.
        pose: for heads of the people found.
        config: for the trusted score of keypoints.

    Returns:
        Head boxes ``(N, 4)`` in pixels of the upright frame and their scores.
    """
    return _candidates(picture, range(TURNS), persons, faces, pose, config)


def candidates_turned(
    picture: Picture, quarters: int, persons: Detector, faces: Detector, pose: PoseEstimator, config: PipelineConfig
) -> Found:
    """The candidates of one turn, by `quarters` of a circle, see `head_candidates`."""
    return _candidates(picture, [quarters], persons, faces, pose, config)


def _candidates(
    picture: Picture,
    turns: Sequence[int],
    persons: Detector,
    faces: Detector,
    pose: PoseEstimator,
    config: PipelineConfig,
) -> Found:
    height, width = picture.shape[:2]
    turned = [turn(picture, quarters) for quarters in turns]
    seen = [faces.detect([_resized(faces, each)], size=_size(each))[0] for each in turned]
    people, heads = zip(*(_people_and_likely_heads(persons, each, config) for each in turned), strict=True)
    posed = _heads(turned, people, pose, config)
    boxes, scores = [], []
    for quarters, *found in zip(turns, seen, heads, posed, strict=True):
        boxes += [turn_back(box, quarters, size=(width, height)) for box, _ in found]
        scores += [score for _, score in found]
    return np.concatenate(boxes), np.concatenate(scores)


def _people_and_likely_heads(detector: Detector, picture: Picture, config: PipelineConfig) -> tuple[Found, Found]:
    """The people, and the heads that a detector finds with them; none by one that knows people alone."""
    ((people, heads),) = people_and_heads(detector, [_resized(detector, picture)], size=_size(picture))
    boxes, scores = NOTHING if heads is None else heads
    likely = scores >= config.static_heads.min_score
    return people, (boxes[likely], scores[likely])


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _resized(detector: Detector, picture: Picture) -> Picture:
    """A picture at the size that the detector asks for."""
    to = detector.input_size(*_size(picture))
    larger = to[0] < picture.shape[1]
    resized = cv2.resize(picture, to, interpolation=cv2.INTER_AREA if larger else cv2.INTER_LINEAR)
    return resized.astype(np.uint8, copy=False)


def _heads(
    pictures: Sequence[Picture], people: Sequence[Found], pose: PoseEstimator, config: PipelineConfig
) -> list[Found]:
    """The heads of the people found in each picture, as far as they were seen."""
    boxes, scores = (np.concatenate(each) for each in zip(*people, strict=True))
    if not len(boxes):
        return list(people)
    points, point_scores = pose.estimate_together(
        [(picture, own) for picture, (own, _) in zip(pictures, people, strict=True)]
    )
    of = np.repeat(np.arange(len(people)), [len(own) for own, _ in people])
    found = Detections(frame=of, box=boxes, score=scores)
    keypoints = Keypoints(detection=np.arange(len(boxes)), points=points, score=point_scores)
    heads = locate_heads(keypoints, found, trusted_score=config.pose.trusted_score)
    heads = heads[heads.uncertainty < SURE_OF_HEAD]
    half = heads.size[:, None] / 2
    square = np.concatenate([heads.center - half, heads.center + half], axis=1)
    rows = [of[heads.detection] == number for number in range(len(people))]
    return [(square[own], scores[heads.detection[own]]) for own in rows]
