"""Places where something that looks like a head recurs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections, Frames, Provenance
from or_mv_anon.tracking.static_heads import static_heads

CONFIG = load_config().static_heads
HEAD = np.array([100, 80, 120, 104], np.float32)


def frames(seconds: float, *, fps: int = 5) -> Frames:
    time = np.arange(int(seconds * fps)) / fps
    count = len(time)
    return Frames(frame=np.arange(count), pts=np.arange(count), time=time, flags=np.zeros(count))


def looks(every: Frames) -> np.ndarray:
    return every.frame[:: int(5 * CONFIG.interval_s)]


def candidates(frame: np.ndarray, box: np.ndarray = HEAD, *, jitter: float = 0.0, score: float = 0.2) -> Detections:
    shift = np.random.default_rng(0).normal(0, jitter, (len(frame), 1)) if jitter else 0.0
    return Detections(frame=frame, box=np.tile(box, (len(frame), 1)) + shift, score=np.full(len(frame), score))


def test_a_weak_head_seen_now_and_then_is_covered_from_first_to_last() -> None:
    every = frames(60)
    looked = looks(every)
    seen = looked[[2, 3, 6, 7, 11, 14, 15, 20]]
    tracks = static_heads(candidates(seen, jitter=1.0), every, looked, CONFIG)
    assert set(tracks.track) == {0}
    assert (np.diff(tracks.frame) == 1).all()
    assert tracks.frame[0] <= seen[0]
    assert tracks.frame[-1] >= seen[-1]
    assert np.abs(tracks.box - HEAD).max() < 3
    assert (tracks.provenance == Provenance.TRACKED).all()


def test_a_place_is_as_wide_as_its_candidates_disagree() -> None:
    """One look sees brow and eyes, another the chin: neither's box alone, nor their median, holds the face."""
    every = frames(60)
    looked = looks(every)
    down = np.array([0, 6, 0, 6], np.float32)
    upper, lower = candidates(looked[::2], HEAD - down), candidates(looked[1::2], HEAD + down)
    tracks = static_heads(Detections.concat([upper, lower]), every, looked, CONFIG)
    assert set(tracks.track) == {0}
    assert np.allclose(tracks.box[:, [1, 3]], [HEAD[1] - 6, HEAD[3] + 6])
    alike = static_heads(candidates(looked), every, looked, CONFIG)
    assert np.allclose(alike.box, HEAD)


def test_what_is_seen_too_seldom_is_no_head() -> None:
    every = frames(100)
    looked = looks(every)
    assert not len(static_heads(candidates(looked[[1, 12, 30]]), every, looked, CONFIG))  # too few
    assert not len(static_heads(candidates(looked[[1, 14, 27, 40]]), every, looked, CONFIG))  # too rare


def test_what_moves_through_is_no_still_head() -> None:
    every = frames(60)
    looked = looks(every)
    box = HEAD + np.arange(len(looked))[:, None] * np.float32(25)
    moving = Detections(frame=looked, box=box, score=np.full(len(looked), 0.2))
    assert not len(static_heads(moving, every, looked, CONFIG))


def test_two_candidates_of_one_look_count_once() -> None:
    every = frames(60)
    looked = looks(every)
    twice = Detections.concat([candidates(looked[[3, 4]]), candidates(looked[[3, 4]], HEAD + 1)])
    assert not len(static_heads(twice, every, looked, CONFIG))


def test_a_place_that_was_left_is_not_covered_meanwhile() -> None:
    every = frames(118)
    looked = looks(every)
    early, late = looked[:4], looked[-4:]
    tracks = static_heads(candidates(np.concatenate([early, late])), every, looked, CONFIG)
    assert len(set(tracks.track)) == 2
    middle = every.frame[(every.time > 50) & (every.time < 70)]
    assert not np.isin(middle, tracks.frame).any()


def test_who_is_found_for_a_while_was_there_before_and_stays_until_the_place_counts_as_left() -> None:
    every = frames(118)
    looked = looks(every)
    found = looked[(every.time[looked] >= 55) & (every.time[looked] <= 65)]
    tracks = static_heads(candidates(found), every, looked, CONFIG)
    first, last = (every.time[found[end]] for end in (0, -1))
    held = every.frame[(every.time >= first - CONFIG.longest_gap_s) & (every.time <= last + CONFIG.longest_gap_s)]
    np.testing.assert_array_equal(tracks.frame, held)


@given(st.lists(st.integers(0, 29), min_size=4, max_size=30, unique=True), st.integers(0, 3))
def test_every_track_rests_on_enough_looks(chosen: list[int], seed: int) -> None:
    every = frames(60)
    looked = looks(every)
    noise = np.random.default_rng(seed)
    scattered = noise.uniform(0, 300, (20, 2))
    extra = Detections(
        frame=noise.choice(looked, 20),
        box=np.concatenate([scattered, scattered + 20], axis=1),
        score=noise.uniform(0.15, 0.9, 20),
    )
    seen = looked[np.sort(chosen)]
    tracks = static_heads(Detections.concat([candidates(seen), extra]), every, looked, CONFIG)
    for number in np.unique(tracks.track):
        rows = tracks[tracks.track == number]
        hits = np.isin(looked, rows.frame).sum()
        assert hits >= CONFIG.least_observations
        assert (np.diff(rows.frame) == 1).all()
        assert np.ptp(rows.box, axis=0).max() == 0


def test_nothing_found_or_nothing_looked_at() -> None:
    every = frames(10)
    assert not len(static_heads(Detections.empty(), every, looks(every), CONFIG))
    assert not len(static_heads(Detections.empty(), every, looks(every)[:0], CONFIG))


def test_a_long_recording_is_judged_in_windows() -> None:
    every = frames(1200)
    looked = looks(every)
    tracks = static_heads(candidates(looked, jitter=0.5), every, looked, CONFIG)
    assert len(set(tracks.track)) == 1200 / CONFIG.window_s
    assert np.isin(every.frame, tracks.frame).mean() > 0.99
