"""Tracks of one camera: who cannot be one person, and who goes on as whom."""

from __future__ import annotations

import numpy as np

from or_mv_anon.association.continuity import different_people, follow_ups
from or_mv_anon.association.views import Observations, View


def view_of(tracks: dict[int, tuple[range, float]], *, speed: float = 0.0) -> View:
    """Tracks by id: instants and the left edge of a box 40 px wide with a head of 20 px."""
    rows = [(t, track, left + speed * t) for track, (span, left) in tracks.items() for t in span]
    instant, track, left = np.array(sorted(rows)).T
    count = len(rows)
    observations = Observations(
        instant=instant,
        track=track,
        box=np.stack([left, np.full(count, 50), left + 40, np.full(count, 200)], axis=1),
        score=np.ones(count),
        points=np.zeros((count, 10, 2)),
        weight=np.zeros((count, 10)),
        head=np.full(count, 20.0),
    )
    return View(name="cam1", size=(640, 360), observations=observations, tracks=np.array(sorted(tracks)))


def test_side_by_side_is_two_people() -> None:
    view = view_of({3: (range(10), 100), 5: (range(5, 15), 300), 8: (range(12, 20), 100)})
    assert different_people(view, instant_s=0.2).tolist() == [[0, 1], [1, 2]]


def test_a_blink_or_one_place_may_be_one_person() -> None:
    assert not len(different_people(view_of({3: (range(10), 100), 5: (range(8, 15), 300)}), instant_s=0.2))
    assert not len(different_people(view_of({3: (range(10), 100), 5: (range(10), 105)}), instant_s=0.2))


def test_a_track_goes_on_where_it_was_lost_and_not_elsewhere() -> None:
    tracks = {n: (range(100), 100.0 * n) for n in range(4)}  # teach how people move
    tracks |= {10: (range(0, 40), 450), 11: (range(45, 100), 450), 12: (range(45, 100), 550)}
    links = follow_ups([view_of(tracks, speed=0.2)], instant_s=0.2)[0]
    ids = np.array(sorted(tracks))
    found = {(int(ids[one]), int(ids[two])) for one, two in zip(links.first, links.second, strict=True)}
    assert found == {(10, 11)}
    assert (links.log_odds > 0).all()


def test_no_tracks_no_links() -> None:
    empty = View(name="cam1", size=(640, 360), observations=Observations.empty(), tracks=np.zeros(0, np.int64))
    assert not len(follow_ups([empty], instant_s=0.2)[0].first)
    assert not len(different_people(empty, instant_s=0.2))
