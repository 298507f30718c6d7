"""Who stays at the picture's edge stays covered; who leaves, and what only looks like a head there, does not."""

from __future__ import annotations

import numpy as np
import pytest

from or_mv_anon.core.records import Detections
from or_mv_anon.tracking.edge_places import at_edge, edge_places

SECONDS = np.arange(300) / 5


def heads(scores: dict[int, float], *, x: float = 0.0, side: float = 30.0) -> Detections:
    """Squares at the left edge, by frame."""
    box = np.tile(np.array([x, 80, x + side, 80 + side], np.float32), (len(scores), 1))
    return Detections(frame=np.array(list(scores)), box=box, score=np.array(list(scores.values())))


def joined(*parts: Detections) -> Detections:
    found = Detections.concat(list(parts))
    return found[np.argsort(found.frame, kind="stable")]


def test_a_head_that_is_seen_weakly_now_and_then_is_covered_all_the_time() -> None:
    tracks = edge_places(heads({50: 0.3, 96: 0.04, 120: 0.02, 138: 0.02}), SECONDS)
    assert tracks.frame.tolist() == list(range(40, 149))
    assert set(tracks.track.tolist()) == {0}
    assert np.allclose(tracks.box, [0, 80, 30, 110])


def test_at_the_recordings_ends_a_place_is_covered_as_long_as_it_has_been_without_a_candidate() -> None:
    early = edge_places(heads({15: 0.3, 35: 0.04, 40: 0.02}), SECONDS)
    assert early.frame.tolist() == list(range(51))
    late = edge_places(heads({260: 0.3, 265: 0.04, 280: 0.02}), SECONDS)
    assert late.frame.tolist() == list(range(250, 291))
    later = edge_places(heads({260: 0.3, 265: 0.04, 285: 0.02}), SECONDS)
    assert later.frame.tolist() == list(range(250, 300))


@pytest.mark.parametrize(
    "scores",
    [
        {50: 0.2, 96: 0.04, 120: 0.02, 138: 0.02},  # never sure
        {50: 0.3, 96: 0.04},  # too few
        {50: 0.3, 101: 0.04, 152: 0.04, 203: 0.04},  # more than ten seconds apart
    ],
)
def test_what_is_not_enough(scores: dict[int, float]) -> None:
    assert len(edge_places(heads(scores), SECONDS)) == 0


def test_who_comes_back_later_is_another_stay() -> None:
    tracks = edge_places(heads({10: 0.4, 12: 0.1, 14: 0.1, 200: 0.4, 202: 0.1, 204: 0.1}), SECONDS)
    assert [tracks.frame[tracks.track == number].tolist() for number in (0, 1)] == [
        list(range(25)), list(range(190, 215)),
    ]  # fmt: skip


def test_candidates_elsewhere_or_of_another_size_are_not_of_it() -> None:
    sure = heads({50: 0.4})
    elsewhere, larger = heads({55: 0.1, 60: 0.1}, x=80), heads({55: 0.1, 60: 0.1}, side=60)
    assert len(edge_places(joined(sure, elsewhere, larger), SECONDS)) == 0


def test_what_is_at_the_edge() -> None:
    box = np.array([[2, 80, 32, 110], [20, 80, 50, 110], [300, 100, 318, 178], [100, 165, 130, 180]], np.float32)
    assert at_edge(box, (320, 180)).tolist() == [True, False, True, True]


def test_nothing_at_all() -> None:
    assert len(edge_places(Detections.empty(), SECONDS)) == 0
