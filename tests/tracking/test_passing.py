"""Weak candidates count together: those that go somewhere are kept, those that stay, flicker or jump are not."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from or_mv_anon.core.records import Detections, Provenance
from or_mv_anon.tracking.passing import LEAST_WAY, WINDOW_S, passing, passing_tracks

SIDE = 40.0


def candidates(places: dict[int, list[tuple[float, float]]]) -> Detections:
    """Squares of `SIDE` around places, by frame."""
    rows = [(frame, x, y) for frame in sorted(places) for x, y in places[frame]]
    middle = np.array([row[1:] for row in rows], np.float32).reshape(-1, 2)
    box = np.concatenate([middle - SIDE / 2, middle + SIDE / 2], axis=1)
    return Detections(frame=np.array([row[0] for row in rows], int), box=box, score=np.full(len(rows), 0.02))


def seconds(found: Detections, rate: float = 5.0) -> NDArray[np.float64]:
    return found.frame / rate


def test_somebody_who_walks_by_is_kept_and_what_stands_is_not() -> None:
    lamp, clock = (500.0, 60.0), (200.0, 80.0)
    found = candidates({frame: [(100 + 30 * frame, 300), lamp, clock] for frame in range(5)})
    chain = passing(found, seconds(found))
    walking = found.box[:, 1] > 200
    assert len(set(chain[walking].tolist())) == 1
    assert (chain[walking] == 0).all()
    assert (chain[~walking] == -1).all()


def test_a_walker_who_is_missed_for_a_frame_is_covered_there_too() -> None:
    found = candidates({frame: [(100 + 25 * frame, 300)] for frame in (0, 1, 3, 4)})
    tracks = passing_tracks(found, np.arange(6) / 5)
    assert tracks.frame.tolist() == [0, 1, 2, 3, 4]
    assert tracks.track.tolist() == [0] * 5
    middle = (tracks.box[:, 0] + tracks.box[:, 2]) / 2
    assert np.allclose(middle, 100 + 25 * np.arange(5), atol=1e-3)
    assert tracks.provenance[2] == Provenance.INTERPOLATED
    assert tracks.detection.tolist() == [0, 1, -1, 2, 3]


def test_two_things_found_by_turns_are_nobody() -> None:
    found = candidates({frame: [(100 if frame % 2 else 138, 300)] for frame in range(10)})
    assert (passing(found, seconds(found)) == -1).all()


def test_two_sightings_are_too_few() -> None:
    found = candidates({0: [(100, 300)], 1: [(140, 300)]})
    assert (passing(found, seconds(found)) == -1).all()


def test_who_stands_and_then_walks_is_kept_where_they_walk() -> None:
    places = {frame: [(100.0 + max(0, frame - 20) * 20, 300.0)] for frame in range(30)}
    found = candidates(places)
    chain = passing(found, seconds(found))
    assert (chain[:14] == -1).all()
    assert (chain[20:] == 0).all()


@given(rate=st.sampled_from([5.0, 12.5, 25.0, 30.0, 60.0]), speed=st.floats(1.3, 5.0), jitter=st.floats(0, 0.06))
def test_at_every_frame_rate_a_walker_is_one_chain(rate: float, speed: float, jitter: float) -> None:
    frames = np.arange(round(1.6 * rate))
    random = np.random.default_rng(0).uniform(-jitter, jitter, len(frames)) * SIDE
    found = candidates({n: [(100 + speed * SIDE * n / rate + random[n], 300)] for n in frames.tolist()})
    chain = passing(found, seconds(found, rate))
    assert set(chain.tolist()) == {0}


@given(data=st.data())
def test_what_is_kept_goes_somewhere(data: st.DataObject) -> None:
    places = st.lists(st.tuples(st.floats(0, 600), st.floats(0, 300)), max_size=6)
    found = candidates({frame: data.draw(places) for frame in range(data.draw(st.integers(0, 12)))})
    time = seconds(found)
    chain = passing(found, time)
    middle = (found.box[:, :2] + found.box[:, 2:]) / 2
    for number in set(chain.tolist()) - {-1}:
        rows = np.flatnonzero(chain == number)
        assert len(set(found.frame[rows].tolist())) == len(rows) >= 3
        for row in rows:
            near = rows[np.abs(time[rows] - time[row]) <= WINDOW_S + 1e-9]
            assert np.linalg.norm(middle[near][:, None] - middle[near], axis=2).max() >= LEAST_WAY * SIDE - 1e-3


def test_nothing_at_all() -> None:
    assert len(passing(Detections.empty(), np.zeros(0))) == 0
    assert len(passing_tracks(Detections.empty(), np.zeros(0))) == 0
