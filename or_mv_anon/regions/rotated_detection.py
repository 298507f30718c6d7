"""Looks for heads in a picture turned by quarters: upright detectors find lying people that way.

One picture's candidates are weak and mean nothing by themselves; `or_mv_anon.tracking.static_heads` trusts those that
recur.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.config import PipelineConfig, StaticHeadConfig
from or_mv_anon.core.records import Detections, Keypoints
from or_mv_anon.models.detectors.protocol import Detector, Found, Picture
from or_mv_anon.models.pose import PoseEstimator
from or_mv_anon.models.turning import TURNS, turn, turn_back
from or_mv_anon.regions.detecting import of_first_frame, people_and_heads
from or_mv_anon.regions.heads import locate_heads
from or_mv_anon.regions.large_faces import headless_score
from or_mv_anon.regions.own_heads import holds_a_head, known_heads
from or_mv_anon.regions.source import as_faces

REGION_SCALE = 1.35  # region side ÷ side of a head's box
KNOWN_HEAD = 0.5  # score of a person's own head from which on keypoints say nothing new of where it is
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
        Boxes ``(N, 4)`` in pixels of the upright frame, as large as faces (see `source.as_faces`), and their scores.
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
    people, heads = zip(*(_people_and_heads(persons, each) for each in turned), strict=True)
    posed = _heads(turned, _doubtful(people, heads, config), pose, config)

    def upright(found: Sequence[Found]) -> Found:
        boxes = [
            turn_back(box, quarters, size=(width, height)) for quarters, (box, _) in zip(turns, found, strict=True)
        ]
        return np.concatenate(boxes), np.concatenate([score for _, score in found])

    found = [upright(seen), _as_faces(upright(posed))]
    known = [each for each in heads if each is not None]
    if len(known) == len(heads):
        every = _as_faces(upright(known))
        settings = config.static_heads
        lone = headless_score(found[0][0], (width, height), config.face, settings.lone_face_score)
        found = [
            _confirmed(found[0], every, lone, settings),
            _confirmed(found[1], every, settings.lone_person_score, settings),
            _likely(every, settings),
        ]
    return np.concatenate([boxes for boxes, _ in found]), np.concatenate([scores for _, scores in found])


def _people_and_heads(detector: Detector, picture: Picture) -> tuple[Found, Found | None]:
    """The people, and the heads that a detector finds with them; None by one that knows people alone."""
    (found,) = people_and_heads(detector, [_resized(detector, picture)], size=_size(picture))
    return found


def _likely(heads: Found, config: StaticHeadConfig) -> Found:
    boxes, scores = heads
    likely = scores >= config.min_score
    return boxes[likely], scores[likely]


def _as_faces(heads: Found) -> Found:
    boxes, scores = heads
    return as_faces(boxes, scale=REGION_SCALE), scores


def _confirmed(found: Found, heads: Found, lone_score: float | NDArray[np.float64], config: StaticHeadConfig) -> Found:
    """What is sure enough by itself, or where some turn shows a head, too."""
    boxes, scores = found
    there = bx.iou(boxes, heads[0]).max(axis=1, initial=0) >= config.same_place_iou
    kept = there | (scores >= lone_score)
    return boxes[kept], scores[kept]


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[1], picture.shape[0]


def _resized(detector: Detector, picture: Picture) -> Picture:
    """A picture at the size that the detector asks for."""
    to = detector.input_size(*_size(picture))
    larger = to[0] < picture.shape[1]
    resized = cv2.resize(picture, to, interpolation=cv2.INTER_AREA if larger else cv2.INTER_LINEAR)
    return resized.astype(np.uint8, copy=False)


def _doubtful(people: Sequence[Found], heads: Sequence[Found | None], config: PipelineConfig) -> list[Found]:
    """The people of each picture whose keypoints may say anything new.

    A sure head of their own is a candidate already, and weak people without any head are none whatever is posed.
    """
    wanted = []
    for (boxes, scores), seen in zip(people, heads, strict=True):
        left = np.ones(len(boxes), bool)
        if seen is not None:
            persons, heads_here = of_first_frame((boxes, scores)), of_first_frame(seen)
            left = holds_a_head(persons.frame, boxes, heads_here) | (scores >= config.static_heads.lone_person_score)
            left &= ~known_heads(persons, heads_here, config, least_score=KNOWN_HEAD)
        wanted.append((boxes[left], scores[left]))
    return wanted


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
