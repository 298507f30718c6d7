"""Faces by themselves: weak ones count where a head is found with them, or where nobody looked for heads."""

from __future__ import annotations

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections, FrameFlag, Frames
from or_mv_anon.core.run_layout import FACES
from or_mv_anon.regions.source import Observed
from or_mv_anon.regions.sources.face import FaceSource

CONFIG = load_config()
SIZE, COUNT, RATE = (640, 480), 10, 5
FACE = [300.0, 200.0, 330.0, 240.0]
AROUND, ELSEWHERE = [290.0, 180.0, 340.0, 245.0], [20.0, 20.0, 70.0, 85.0]


def detections(box: list[float], score: float, frames: range = range(COUNT)) -> Detections:
    boxes = np.tile(np.array(box, np.float32), (len(frames), 1))
    return Detections(frame=np.array(frames), box=boxes, score=np.full(len(frames), score))


def followed(faces: Detections, heads: Detections, *, looked: bool = True) -> int:
    """In how many frames a face is followed."""
    flags = FrameFlag.FACES | (FrameFlag.HEADS if looked else 0)
    frame = np.arange(COUNT)
    frames = Frames(frame=frame, pts=frame, time=frame / RATE, flags=np.full(COUNT, flags))
    tables = {FACES: faces}
    observed = Observed(frames, SIZE, lambda table: tables.get(table, heads))  # type: ignore[arg-type, call-overload]
    return len(np.unique(FaceSource().follow(observed, CONFIG).frame))


@pytest.mark.parametrize(
    ("face", "head", "expected"),
    [
        (0.25, detections(AROUND, 0.1, range(4, 5)), COUNT),  # one weak head is enough for the whole track
        (0.25, detections(ELSEWHERE, 0.9), 0),
        (0.25, Detections.empty(), 0),
        (CONFIG.face.headless_score, Detections.empty(), COUNT),  # a sure face needs nobody
    ],
)
def test_a_weak_face_counts_where_a_head_is_found_with_it(face: float, head: Detections, expected: int) -> None:
    assert followed(detections(FACE, face), head) == expected


def test_where_nobody_looked_for_heads_every_face_counts() -> None:
    assert followed(detections(FACE, 0.25), Detections.empty(), looked=False) == COUNT


def test_faces_count_one_by_one() -> None:
    both = Detections.concat([detections(FACE, 0.25), detections(ELSEWHERE, 0.25)])
    both = both[np.argsort(both.frame, kind="stable")]
    assert followed(both, detections(AROUND, 0.1)) == COUNT
    assert followed(both, Detections.empty()) == 0


LARGE = [100.0, 100.0, 180.0, 200.0]


@pytest.mark.parametrize(
    ("score", "head", "expected"),
    [
        (0.8, detections([20.0, 20.0, 70.0, 85.0], 0.9), 0),
        (0.8, detections([90.0, 80.0, 190.0, 215.0], 0.12, range(3, 4)), COUNT),
        (0.95, Detections.empty(), COUNT),
        (0.6, detections([90.0, 80.0, 190.0, 215.0], 0.9), 0),
    ],
    ids=["no head", "a head once", "sure by itself", "too weak for its size"],
)
def test_a_large_face_needs_a_head_or_a_very_high_score(score: float, head: Detections, expected: int) -> None:
    assert followed(detections(LARGE, score), head) == expected


def test_a_large_face_counts_as_before_where_nobody_looked_for_heads() -> None:
    assert followed(detections(LARGE, 0.8), Detections.empty(), looked=False) == COUNT
