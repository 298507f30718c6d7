"""One direction of tracking: who keeps an id, who gets one, and when."""

from dataclasses import replace

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.tracking.bytetrack import ByteTracker
from tests.tracking.tracking_scenes import make_frames, steady, walk

CONFIG = load_config().tracking
BOX = np.array([[100, 100, 220, 400]], np.float32)


def scores(*values):
    return np.array(values, np.float32)


def feed(tracker, people, frames, skip=lambda person, frame: False):
    """Ids per person (rows) and frame (columns), -1 where skipped or not taken."""
    ids = np.full((len(people), len(frames)), -1)
    for frame in range(len(frames)):
        shown = [p for p in range(len(people)) if not skip(p, frame)]
        boxes = np.array([people[p].box[frame] for p in shown], np.float32).reshape(-1, 4)
        values = np.array([people[p].score[frame] for p in shown], np.float32)
        ids[shown, frame] = tracker.update(boxes, values, frames.time[frame])
    return ids


def test_crossing_people_keep_their_ids():
    frames = steady(90)
    people = [
        walk(frames, start=(300, 500), velocity=(300, 0), noise=1.5, seed=1),
        walk(frames, start=(1200, 520), velocity=(-300, 0), noise=1.5, seed=2),
    ]
    ids = feed(ByteTracker(CONFIG), people, frames)
    assert set(ids[0]) == {0}
    assert set(ids[1]) == {1}


def test_a_weak_box_keeps_a_track_but_starts_none():
    tracker = ByteTracker(CONFIG)
    assert tracker.update(BOX, scores(0.9), 0.0).tolist() == [0]
    assert tracker.update(BOX, scores(0.15), 0.03).tolist() == [0]
    assert tracker.update(BOX, scores(0.05), 0.07).tolist() == [-1]
    assert ByteTracker(CONFIG).update(BOX, scores(0.55), 0.0).tolist() == [-1]


def test_a_track_seen_once_is_forgotten_after_one_miss():
    nothing = np.zeros((0, 4), np.float32)
    tracker = ByteTracker(CONFIG)
    tracker.update(nothing, scores(), 0.0)
    assert tracker.update(BOX, scores(0.9), 0.1).tolist() == [0]
    tracker.update(nothing, scores(), 0.2)
    assert tracker.update(BOX, scores(0.9), 0.3).tolist() == [1]


@pytest.mark.parametrize("rate", [5, 30, 60])
def test_the_buffer_counts_in_seconds(rate):
    for missing_s, same in ((0.7, True), (1.5, False)):
        frames = steady(int(4 * rate), rate)
        person = walk(frames, start=(500, 500), velocity=(0, 0))
        gone = (frames.time > 1) & (frames.time < 1 + missing_s)
        ids = feed(ByteTracker(CONFIG), [person], frames, skip=lambda _, frame, gone=gone: gone[frame])[0]
        assert (len(set(ids[ids >= 0])) == 1) is same


def test_irregular_time_does_not_break_a_steady_walk():
    rng = np.random.default_rng(5)
    frames = make_frames(np.cumsum(rng.choice([1 / 60, 1 / 30, 1 / 8], 120)))
    person = walk(frames, start=(200, 500), velocity=(200, 0), noise=1)
    assert set(feed(ByteTracker(CONFIG), [person], frames)[0]) == {0}


def test_trackers_share_nothing():
    first, second = ByteTracker(CONFIG), ByteTracker(CONFIG)
    first.update(BOX, scores(0.9), 0.0)
    assert second.update(BOX, scores(0.9), 0.0).tolist() == [0]


def test_a_lost_duplicate_goes():
    """After the duplicate is removed, the person comes back under the id that lasted."""
    strict = replace(CONFIG, match_iou=0.99, second_match_iou=0.99, unconfirmed_match_iou=0.2)
    tracker = ByteTracker(strict)
    for frame in range(5):
        assert tracker.update(BOX, scores(1.0), frame / 30).tolist() == [0]
    shifted = BOX + np.float32(4)
    assert tracker.update(shifted, scores(1.0), 5 / 30).tolist() == [1]
    assert len(tracker._ids) == 1


def test_time_may_not_go_back():
    tracker = ByteTracker(CONFIG)
    tracker.update(BOX, scores(0.9), 1.0)
    with pytest.raises(ValueError, match="order of time"):
        tracker.update(BOX, scores(0.9), 0.5)
