"""What must hold for any recording of one camera, on generated crowds."""

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.core import boxes as box_geometry
from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Provenance
from or_mv_anon.tracking.offline import track_camera
from tests.tracking.tracking_scenes import SIZE, crowd, shuffled

CONFIG = load_config().tracking
HEADS = load_config().face_tracking
"""The ways between heads are covered; those between persons are not."""
SETTINGS = st.sampled_from([CONFIG, HEADS])
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=25)


def track(detections, frames, analysed=None, config=CONFIG):
    analysed = np.ones(len(frames), bool) if analysed is None else analysed
    return track_camera(detections, frames, analysed, config, size=SIZE)


def coverage(tracks, last_frame=None):
    """All boxes in a canonical order, mirrored in time if `last_frame` is given."""
    frame = tracks.frame if last_frame is None else last_frame - tracks.frame
    rows = np.column_stack([frame, tracks.box.round(2), tracks.provenance])
    return rows[np.lexsort(rows.T[::-1])]


@few
@given(SEEDS, SETTINGS)
def test_tracks_are_well_formed(seed, config):
    detections, frames = crowd(seed)
    tracks = track(detections, frames, config=config)
    assert np.array_equal(np.unique(tracks.track), np.arange(tracks.track.max() + 1))
    step = np.diff(tracks.frame)
    same = np.diff(tracks.track) == 0
    assert (step[same] == 1).all()
    assert (np.diff(tracks.track) >= 0).all()
    assert tracks.frame.min() >= 0
    assert tracks.frame.max() < len(frames)
    filled = tracks[tracks.detection < 0]
    assert (filled.provenance == Provenance.INTERPOLATED).all()
    assert (box_geometry.area(filled.box) > 0).all()


@few
@given(SEEDS)
def test_every_detection_is_used_once_with_its_own_box(seed):
    detections, frames = crowd(seed)
    tracks = track(detections, frames)
    seen = tracks[tracks.detection >= 0]
    assert len(np.unique(seen.detection)) == len(seen)
    np.testing.assert_array_equal(seen.box, detections.box[seen.detection])
    np.testing.assert_array_equal(seen.frame, detections.frame[seen.detection])
    np.testing.assert_array_equal(seen.score, detections.score[seen.detection])
    sure = seen.score >= CONFIG.high_score
    np.testing.assert_array_equal(seen.provenance, np.where(sure, Provenance.DETECTED, Provenance.TRACKED))


@few
@given(SEEDS)
def test_every_trusted_and_every_lone_detection_is_covered(seed):
    detections, frames = crowd(seed)
    tracks = track(detections, frames)
    must = np.flatnonzero(detections.score >= min(CONFIG.lone_score, CONFIG.high_score))
    assert np.isin(must, tracks.detection).all()


@few
@given(SEEDS, SETTINGS)
def test_order_within_a_frame_makes_no_difference(seed, config):
    detections, frames = crowd(seed)
    other = shuffled(detections, np.random.default_rng(seed + 1))
    one, two = track(detections, frames, config=config), track(other, frames, config=config)
    for column in ("frame", "track", "box", "score", "provenance"):
        np.testing.assert_array_equal(getattr(one, column), getattr(two, column))


@few
@given(SEEDS, SETTINGS)
def test_time_reversed_covers_the_same(seed, config):
    detections, frames = crowd(seed)
    last = len(frames) - 1
    mirrored = detections.replace(frame=last - detections.frame)
    there = coverage(track(detections, frames, config=config))
    back = coverage(track(mirrored, frames, config=config), last)
    assert there.shape == back.shape
    np.testing.assert_allclose(there, back, atol=0.02)


@few
@given(SEEDS)
def test_covering_the_ways_between_heads_and_out_of_the_picture_changes_nothing_else(seed):
    detections, frames = crowd(seed)
    with_ways = track(detections, frames, config=HEADS)
    without = track(detections, frames, config=replace(HEADS, walk_s=0.0, leave_s=0.0))
    for column in ("frame", "track", "box", "score", "provenance", "detection"):
        np.testing.assert_array_equal(getattr(with_ways, column)[: len(without)], getattr(without, column))


@few
@given(SEEDS, st.integers(2, 8))
def test_filled_boxes_lie_between_their_neighbours(seed, every):
    detections, frames = crowd(seed)
    analysed = np.arange(len(frames)) % every == 0
    tracks = track(detections[analysed[detections.frame]], frames, analysed)
    for number in range(tracks.track.max() + 1):
        rows = tracks[tracks.track == number]
        seen = np.flatnonzero(rows.detection >= 0)
        for before, after in itertools.pairwise(seen):
            assert after - before <= CONFIG.fill_gap_s * 30
            pair = rows.box[[before, after]]
            inside = rows.box[before : after + 1]
            assert (inside >= pair.min(axis=0)).all()
            assert (inside <= pair.max(axis=0)).all()
