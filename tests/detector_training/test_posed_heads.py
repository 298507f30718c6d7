"""Heads that a pose network sees clearly become labels where there are none, and unclear ones stay unknown."""

from pathlib import Path

import numpy as np

from or_mv_anon.detector_training import posed_heads
from or_mv_anon.detector_training.examples import NOTHING, Example, everywhere
from or_mv_anon.models.pose import Halpe26

PICTURE = np.zeros((120, 160, 3), np.uint8)
CLEAR, UNCLEAR = [20, 10, 50, 110], [90, 10, 120, 110]
HEAD = np.array([[30, 12, 40, 24]], np.float32)


class Pose:
    """Sees the head of whoever stands on the left, and hardly that of another."""

    def __init__(self, *_, **__):
        pass

    def estimate(self, picture, boxes):
        points = np.zeros((len(boxes), len(Halpe26), 2), np.float32)
        scores = np.zeros((len(boxes), len(Halpe26)), np.float32)
        for row, (left, top, right, _) in enumerate(boxes):
            centre = (left + right) / 2
            places = {Halpe26.LEFT_EAR: (centre + 5, top + 9), Halpe26.RIGHT_EAR: (centre - 5, top + 9)}
            for point, place in (places | {Halpe26.HEAD_TOP: (centre, top), Halpe26.NECK: (centre, top + 17)}).items():
                points[row, point] = place
                scores[row, point] = 0.9 if left < 50 else 0.4
        return points, scores


def example(*people, heads=NOTHING, unsure=None):
    region = everywhere(PICTURE) if unsure is None else unsure
    return Example(PICTURE, (np.array(people, np.float32).reshape(-1, 4), heads), (NOTHING, region), (1.0, 1.0), "ward")


def test_heads_that_are_seen_clearly_are_labelled(monkeypatch):
    monkeypatch.setattr(posed_heads, "PoseEstimator", Pose)
    monkeypatch.setattr(posed_heads, "fetch", lambda name: Path(name))
    seen, labelled, empty = posed_heads.with_posed_heads(
        [example(CLEAR, UNCLEAR), example(CLEAR, heads=HEAD, unsure=NOTHING), example()]
    )
    ((left, top, right, bottom),) = seen.boxes[1].tolist()
    assert CLEAR[0] < left < 30 < 40 < right < CLEAR[2]
    assert 5 <= top < 19 < bottom < 40
    assert seen.weights == (1.0, posed_heads.WEIGHT)
    assert (seen.unsure[1] == everywhere(PICTURE)).all()  # the other head is still somewhere
    assert (labelled.boxes[1] == HEAD).all()
    assert labelled.weights == (1.0, 1.0)
    assert not len(empty.boxes[1])
