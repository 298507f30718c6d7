"""Weak heads of a detector are kept where they pass, or stay at the edge; strong ones stay what they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections, Frames
from or_mv_anon.models.detectors.people_and_heads import PeopleAndHeadsDetector
from or_mv_anon.regions.networks import Networks
from or_mv_anon.regions.observe import Observations, observe_frames, plan_schedule
from or_mv_anon.regions.source import Observed
from or_mv_anon.regions.sources.edge_heads import EdgeHeadSource
from or_mv_anon.regions.sources.passing_heads import PassingHeadSource
from or_mv_anon.video.frame import from_picture

SIZE = (320, 180)
RATE = 5.0
EDGE = (0.0, 60.0, 30.0, 90.0)
NOBODY = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
Script = Sequence[Sequence[tuple[tuple[float, float, float, float], float]]]
CONFIG = load_config(None, {"static_heads": {"interval_s": 0.0}})


class Scripted(PeopleAndHeadsDetector):
    """Finds heads (box, score) by the picture's brightness, which is its number."""

    provider, on_cpu = "a test's", True  # type: ignore[assignment]

    def __init__(self, script: Script, people: Script = ()) -> None:
        self._script, self._people = script, people

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return width, height

    def detect_classes(self, pictures: Any, *, size: tuple[int, int], weakest: float | None = None) -> Any:
        found = []
        for picture in pictures:
            heads = [each for each in self._script[int(picture[0, 0, 0])] if each[1] >= (weakest or 0.1)]
            found.append((_found(self._people[int(picture[0, 0, 0])] if self._people else []), _found(heads)))
        return found


def _found(boxes: Sequence[tuple[Any, float]]) -> tuple[Any, Any]:
    return np.array([box for box, _ in boxes], np.float32).reshape(-1, 4), np.array([s for _, s in boxes], np.float32)


class Blind:
    """Sees no keypoint and no face."""

    provider, on_cpu = "a test's", True

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return width, height

    def detect(self, pictures: Sequence[Any], *, size: tuple[int, int]) -> list[Any]:
        return [NOBODY for _ in pictures]

    def estimate(self, picture: Any, boxes: Any) -> tuple[Any, Any]:
        return np.zeros((len(boxes), 26, 2), np.float32), np.zeros((len(boxes), 26), np.float32)


def observed(script: Script, people: Script = ()) -> Observations:
    frames = [from_picture(np.full((SIZE[1], SIZE[0], 3), n, np.uint8), n) for n in range(len(script))]
    for n, frame in enumerate(frames):
        frame.time = n / RATE
    times = np.arange(len(script)) / RATE
    schedule = plan_schedule(times, CONFIG, first=0, stop=len(script))
    networks = Networks({"detector": Scripted(script, people), "face": Blind(), "pose": Blind()})
    return observe_frames(iter(frames), networks, schedule, CONFIG)


def at(x: float, y: float) -> tuple[float, float, float, float]:
    return x - 15, y - 15, x + 15, y + 15


@pytest.mark.parametrize(("height", "score", "kept"), [(100, 0.03, 5), (100, 0.01, 0), (165, 0.01, 5)])
def test_a_weak_head_is_kept_where_it_passes_a_weaker_one_at_the_edge(height: float, score: float, kept: int) -> None:
    lamp = (at(40, 40), 0.05)
    found = observed([[(at(100 + 20 * n, height), score), lamp] for n in range(5)])
    assert not found.problems
    passing = found.table(PassingHeadSource.table)
    assert len(passing) == kept
    assert (passing.box[:, 1] > 60).all()
    assert sum(map(len, found.tables.get("heads", []))) == 0


@pytest.mark.parametrize(("sure", "kept"), [(0.8, 0), (0.2, 5)])
def test_a_hand_of_somebody_whose_head_is_known_is_not_looked_at(sure: float, kept: int) -> None:
    hand = [(at(120 + 20 * n, 100), 0.05) for n in range(5)]
    found = observed([[hand[n], (at(160, 30), sure)] for n in range(5)], [[((90, 10, 230, 170), 0.9)]] * 5)
    assert not found.problems
    passing = found.table(PassingHeadSource.table)
    assert (passing.box[:, 1] > 60).sum() == kept


def test_it_is_followed_over_a_frame_in_which_nothing_is_found() -> None:
    found = observed([[] if n == 2 else [(at(100 + 20 * n, 100), 0.03)] for n in range(6)])
    frames = Frames(frame=np.arange(6), pts=np.arange(6), time=np.arange(6) / RATE, flags=np.zeros(6))
    tracks = PassingHeadSource().follow(Observed(frames, SIZE, found.table), CONFIG)
    assert tracks.frame.tolist() == list(range(6))
    assert set(tracks.track.tolist()) == {0}
    assert np.allclose((tracks.box[:, 0] + tracks.box[:, 2]) / 2, 100 + 20 * np.arange(6), atol=0.01)


def test_who_stays_at_the_edge_is_covered_while_candidates_come_again() -> None:
    """Seen surely in frame 0, then as half a head in frames 20 and 40, 4 s apart; something far larger is no head."""
    seen = {0: [(EDGE, 0.6)], 20: [(EDGE, 0.02)], 40: [(EDGE, 0.02), ((0, 0, 100, 100), 0.3)]}
    found = observed([seen.get(n, []) for n in range(80)])
    assert len(found.table(EdgeHeadSource.table)) == 4
    frames = Frames(frame=np.arange(80), pts=np.arange(80), time=np.arange(80) / RATE, flags=np.zeros(80))
    tracks = EdgeHeadSource().follow(Observed(frames, SIZE, found.table), CONFIG)
    assert tracks.frame.tolist() == list(range(51))
    assert set(tracks.track.tolist()) == {0}


def test_a_detector_that_knows_no_heads_leaves_it_empty() -> None:
    frames = [from_picture(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), n) for n in range(3)]
    schedule = plan_schedule(np.arange(3) / RATE, CONFIG, first=0, stop=3)
    networks = Networks({"detector": Blind(), "face": Blind(), "pose": Blind()})
    found = observe_frames(iter(frames), networks, schedule, CONFIG)
    assert not found.problems
    assert isinstance(found.table(PassingHeadSource.table), Detections)
    assert len(found.table(PassingHeadSource.table)) == 0
