"""Heads of people whose heads nobody labelled: where the pose network sees them clearly in a labelled person.

Heads that it does not see stay unknown: the picture still teaches no background of heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections, Keypoints
from or_mv_anon.detector_training.examples import Example
from or_mv_anon.models.detectors.people_and_heads import HEAD, PERSON
from or_mv_anon.models.pose import PoseEstimator
from or_mv_anon.models.registry import fetch
from or_mv_anon.regions.heads import locate_heads

WEIGHT = 0.5  # of such a head: its place is sure, its sides are not
MOST_UNCERTAIN = 0.3
WIDE = 0.9  # width over height
SAME = 0.4  # IoU of two heads that are one
LEAST_SIDE = 6.0  # px
POSE = "rtmpose-s-halpe26"


def with_posed_heads(examples: Sequence[Example]) -> list[Example]:
    """The same pictures with the heads that are seen clearly, where none are labelled.

    Raises:
        UserError: the pose network is not to be had.
    """
    config = load_config(None).pose
    pose, found = PoseEstimator(fetch(POSE), config, device="cpu"), []
    for example in tqdm(examples, desc="heads", unit="picture", leave=False):
        people = example.boxes[PERSON]
        if len(example.boxes[HEAD]) or not len(people):
            found.append(example)
            continue
        points, scores = pose.estimate(example.picture, people)
        heads = locate_heads(
            Keypoints(detection=np.arange(len(people)), points=points, score=scores),
            Detections(frame=np.zeros(len(people)), box=people, score=np.ones(len(people))),
            trusted_score=config.trusted_score,
        )
        sure = heads[(heads.uncertainty <= MOST_UNCERTAIN) & (heads.size >= LEAST_SIDE)]
        boxes = _boxes(sure.center, sure.size, example)
        kept = geometry.nms(boxes, 1 - sure.uncertainty, iou_threshold=SAME)
        found.append(replace(example, boxes=(people, boxes[kept]), weights=(example.weights[PERSON], WEIGHT)))
    return found


def _boxes(centres: NDArray[np.float32], heights: NDArray[np.float32], example: Example) -> Boxes:
    half = heights[:, None] / 2 * np.array([WIDE, 1.0], np.float32)
    height, width = example.picture.shape[:2]
    return geometry.clip(np.concatenate([centres - half, centres + half], axis=1), width=width, height=height)
