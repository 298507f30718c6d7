"""When still heads are looked for, and what counts as a candidate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections, FrameFlag, Frames, Keypoints
from or_mv_anon.core.run_layout import HEADS, KEYPOINTS, PERSONS, STATIC_HEADS
from or_mv_anon.core.schedule import due
from or_mv_anon.models.detectors.protocol import Found
from or_mv_anon.regions import rotated_detection
from or_mv_anon.regions.rotated_detection import KNOWN_HEAD
from or_mv_anon.regions.source import Observed, head_around_face
from or_mv_anon.regions.sources.static_heads import StaticHeadSource, looks_for_still_heads

CONFIG = load_config().static_heads
NOTHING: Found = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

TIMES = np.arange(0, 60, 0.2) + 7.0  # seconds; a recording need not begin at 0


def test_looks_are_even_as_shipped() -> None:
    config = load_config().static_heads
    assert (looks_for_still_heads(TIMES, config) == due(TIMES, config.interval_s)).all()


def test_later_looks_may_be_rarer_and_the_last_frame_is_looked_at() -> None:
    config = load_config(fast=True).static_heads
    looked = TIMES[looks_for_still_heads(TIMES, config)] - TIMES[0]
    early, late = looked[looked <= config.first_s], looked[looked > config.first_s]
    assert np.diff(early).max() <= config.interval_s + 0.2
    assert np.diff(late).min() < config.later_interval_s + 0.2
    assert np.allclose(np.diff(late)[:-1], config.later_interval_s, atol=0.2)
    assert late[-1] == TIMES[-1] - TIMES[0]
    assert len(early) >= config.least_observations


def test_a_short_recording_has_the_usual_looks() -> None:
    config = load_config(fast=True).static_heads
    short = TIMES[: round(config.first_s / 0.2)]
    assert (looks_for_still_heads(short, config) == due(short, config.interval_s)).all()
    assert not looks_for_still_heads(TIMES[:0], config).any()


class Finder:
    """Finds what it is told in the upright picture, and nothing in turned ones; with heads if there are any to find."""

    def __init__(self, people: Found = NOTHING, heads: Found | None = None) -> None:
        self.people, self.heads, self.turn = people, heads, 0

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return width, height

    def detect(self, pictures: Sequence[Any], *, size: tuple[int, int]) -> list[Found]:
        self.turn += 1
        return [self.people if self.turn == 1 else NOTHING]

    def both(self, pictures: Sequence[Any], *, size: tuple[int, int]) -> list[tuple[Found, Found | None]]:
        (people,) = self.detect(pictures, size=size)
        return [(people, self.heads if self.turn == 1 or self.heads is None else NOTHING)]


class Poses:
    """Sees the head of everybody at the middle of the upper edge of their box."""

    def estimate_together(self, looks: Sequence[tuple[Any, Any]]) -> tuple[Any, Any]:
        boxes = np.concatenate([box for _, box in looks])
        points = np.zeros((len(boxes), 26, 2), np.float32)
        points[:] = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 1] + 10], axis=1)[:, None]
        return points, np.full((len(boxes), 26), 0.9, np.float32)


def found(box: Sequence[float], score: float) -> Found:
    return np.array([box], np.float32), np.array([score], np.float32)


FACE, AROUND, ELSEWHERE = (100, 100, 130, 140), (95, 90, 135, 145), (300, 20, 340, 75)
LYING = (200, 200, 260, 300)
BODY = (85, 85, 145, 285)


@pytest.mark.parametrize(
    ("faces", "people", "heads", "count"),
    [
        (found(FACE, 0.2), NOTHING, None, 1),  # by a detector that knows no heads
        (found(FACE, 0.2), NOTHING, NOTHING, 0),
        (found(FACE, 0.2), NOTHING, found(AROUND, 0.1), 1),  # the weak head itself is none yet
        (found(FACE, 0.2), NOTHING, found(ELSEWHERE, 0.5), 1),  # this one is, and the face is not
        (found(FACE, CONFIG.lone_face_score), NOTHING, NOTHING, 1),
        (NOTHING, found(LYING, 0.1), None, 1),
        (NOTHING, found(LYING, 0.1), NOTHING, 0),
        (NOTHING, found(LYING, CONFIG.lone_person_score), NOTHING, 1),
        (NOTHING, NOTHING, found(AROUND, CONFIG.min_score), 1),
        (NOTHING, NOTHING, found(AROUND, 0.1), 0),
        (NOTHING, found(BODY, 0.9), found(AROUND, KNOWN_HEAD), 1),  # the head itself; nobody looks for its keypoints
        (NOTHING, found(BODY, 0.9), found(AROUND, KNOWN_HEAD - 0.1), 2),
    ],
)
def test_weak_candidates_count_where_a_head_is_found(
    monkeypatch: pytest.MonkeyPatch, faces: Found, people: Found, heads: Found | None, count: int
) -> None:
    monkeypatch.setattr(
        rotated_detection, "people_and_heads", lambda finder, pictures, size: finder.both(pictures, size=size)
    )
    picture = np.zeros((400, 640, 3), np.uint8)
    boxes, scores = rotated_detection.head_candidates(
        picture, Finder(people, heads), Finder(faces), Poses(), load_config()  # type: ignore[arg-type]
    )  # fmt: skip
    assert (len(boxes), len(scores)) == (count, count)


def test_the_region_of_a_still_head_is_a_little_larger_than_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        rotated_detection, "people_and_heads", lambda finder, pictures, size: finder.both(pictures, size=size)
    )
    picture = np.zeros((400, 640, 3), np.uint8)
    boxes, _ = rotated_detection.head_candidates(
        picture, Finder(NOTHING, found(AROUND, 0.9)), Finder(), Poses(), load_config()  # type: ignore[arg-type]
    )  # fmt: skip
    (region,) = head_around_face(boxes)
    width, height = region[2:] - region[:2]
    assert (width, height) == pytest.approx((40 * 1.35, 55 * 1.35), rel=1e-3)


PLACE, RATE, LASTING_S = (100.0, 100.0, 130.0, 140.0), 2.0, 120.0


def heads_at(score: float, seconds: Sequence[float]) -> Detections:
    """Heads that upright looks find at the place, at times in seconds."""
    frame = np.rint(np.array(seconds) * RATE)
    return Detections(frame=frame, box=np.tile(AROUND, (len(frame), 1)), score=np.full(len(frame), score))


def covered_seconds(score: float, upright: Detections, *, looked: bool = True) -> tuple[float, float] | None:
    """From when to when a place is covered at which turned looks find something from 50 to 70 s."""
    frame = np.arange(int(LASTING_S * RATE))
    turned = due(frame / RATE, CONFIG.interval_s)
    flags = np.where(turned, FrameFlag.STATIC_HEADS, 0) | (FrameFlag.HEADS if looked else 0)
    frames = Frames(frame=frame, pts=frame, time=frame / RATE, flags=flags)
    at = frame[turned & (frame / RATE >= 50) & (frame / RATE <= 70)]
    candidates = Detections(frame=at, box=np.tile(PLACE, (len(at), 1)), score=np.full(len(at), score))
    nobody = {PERSONS: Detections.empty(), KEYPOINTS: Keypoints.empty()}
    tables = {STATIC_HEADS: candidates, HEADS: upright, **nobody}
    tracks = StaticHeadSource().follow(Observed(frames, (640, 480), lambda table: tables[table]), load_config())  # type: ignore[arg-type, call-overload]
    return (tracks.frame.min() / RATE, tracks.frame.max() / RATE) if len(tracks) else None


def test_a_sure_place_is_remembered_for_long_before_and_after() -> None:
    first, last = covered_seconds(CONFIG.lone_place_score + 0.05, Detections.empty()) or (0.0, 0.0)
    assert first == pytest.approx(50 - CONFIG.longest_gap_s)
    assert last == pytest.approx(70 + CONFIG.longest_gap_s)


def test_a_weak_place_counts_where_a_head_is_found_upright_now_and_then() -> None:
    weak = CONFIG.lone_place_score - 0.1
    assert covered_seconds(weak, Detections.empty()) is None
    assert covered_seconds(weak, heads_at(0.1, [55.0])) is None  # once is somebody who passes
    seldom = np.arange(10, 110, 4.0)  # an eighth of all pictures, and never when it was looked for turned
    assert covered_seconds(weak, heads_at(0.1, seldom + 0.5)) is not None
    assert covered_seconds(weak, Detections.empty(), looked=False) is not None


def test_who_is_found_upright_is_not_remembered_for_long() -> None:
    present = np.arange(50, 70.5, 0.5)
    first, last = covered_seconds(0.6, heads_at(CONFIG.upright_score, present)) or (0.0, 0.0)
    assert first == pytest.approx(50 - CONFIG.upright_gap_s)
    assert last == pytest.approx(70 + CONFIG.upright_gap_s)
    for often_missed in (heads_at(CONFIG.upright_score, present[present % 4 < 2]), heads_at(0.2, present)):
        first, last = covered_seconds(0.6, often_missed) or (0.0, 0.0)
        assert (first, last) == pytest.approx((50 - CONFIG.longest_gap_s, 70 + CONFIG.longest_gap_s))
