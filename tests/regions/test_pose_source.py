"""Whose keypoints are estimated: everybody's who is sure enough, or only theirs whose own head is in doubt."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections
from or_mv_anon.regions.networks import Networks
from or_mv_anon.regions.source import Batch
from or_mv_anon.regions.sources.pose import PoseSource
from or_mv_anon.video.frame import from_picture
from tests.live.room_rig import FakePose

CONFIG = load_config()
PEOPLE = [(10, 10, 50, 130), (100, 10, 140, 130), (200, 10, 240, 130)]
HEADS = [(20, 12, 40, 34), (110, 12, 130, 34)]  # of the first two


def found(boxes: list[tuple[int, ...]], scores: list[float]) -> Detections:
    return Detections(frame=np.zeros(len(boxes)), box=np.array(boxes, np.float32).reshape(-1, 4), score=scores)


@pytest.mark.parametrize(
    ("known", "heads", "posed"),
    [
        (1.0, found(HEADS, [0.9, 0.4]), [0, 1, 2]),
        (0.5, found(HEADS, [0.9, 0.4]), [1, 2]),
        (0.5, found([], []), [0, 1, 2]),
        (0.5, None, [0, 1, 2]),
    ],
)
def test_who_has_a_sure_head_needs_no_keypoints(known: float, heads: Detections | None, posed: list[int]) -> None:
    frame = from_picture(np.zeros((144, 256, 3), np.uint8), 0)
    batch = Batch([frame], 0, persons=found(PEOPLE, [0.9, 0.9, 0.3]), heads=heads)
    config = dataclasses.replace(CONFIG, pose=dataclasses.replace(CONFIG.pose, known_head_score=known))
    keypoints = PoseSource().observe(batch, [frame], Networks({"pose": FakePose()}), config)
    assert keypoints.detection.tolist() == posed
