"""Geometry and distances of tracks in synthetic rooms, from people who walk and stand."""

from dataclasses import replace

import numpy as np
import pytest

from or_mv_anon.association import pair_guesses
from or_mv_anon.association.distances import pair_distances
from or_mv_anon.association.epipolar import estimate_geometry
from or_mv_anon.association.geometry import epipolar_distance
from or_mv_anon.association.movement import moved_cameras, turned_cameras
from or_mv_anon.association.views import Observations, PairGeometry, View
from tests.association.synthetic_room import SIZE, Camera, Room, synthetic_room

GRID = np.stack(np.meshgrid([-1.5, -0.5, 0.5, 1.5], [-1.5, -0.5, 0.5, 1.5], [0.9, 1.3, 1.7]), axis=-1).reshape(-1, 3)
PAIR = ("cam1", "cam2")


def error_px(matrix: np.ndarray, first: Camera, second: Camera) -> float:
    """Median distance of points that both cameras see from their estimated lines."""
    (a, depth_a), (b, depth_b) = first.project(GRID), second.project(GRID)
    seen = (depth_a > 0.5) & (depth_b > 0.5) & ((a > 0) & (a < SIZE) & (b > 0) & (b < SIZE)).all(axis=1)
    return float(np.median(epipolar_distance(matrix, a[seen], b[seen])))


def true_pairs(room: Room, pairs, names=PAIR) -> np.ndarray:
    views = {view.name: view for view in room.views}
    people = [
        room.people[name][np.searchsorted(views[name].tracks, column)]
        for name, column in zip(names, (pairs.first, pairs.second), strict=True)
    ]
    return (people[0] == people[1]) & (people[0] >= 0)


def exact_geometry(room: Room, start: int = 0, stop: int = 10_000) -> PairGeometry:
    return PairGeometry(views=PAIR, matrix=room.matrices[PAIR], start=start, stop=stop)


@pytest.mark.parametrize("seed", [0, 1])
def test_geometry_of_walking_people_is_found_and_matches_them(seed):
    room = synthetic_room(seed=seed, cameras=2, people=5, seconds=40)
    found = estimate_geometry(room.views, seed=seed)
    (stretch,) = found[PAIR]
    assert stretch.problem == ""
    assert (stretch.start, stretch.stop) == (0, 200)
    assert stretch.residual < 0.12
    assert error_px(stretch.matrix, room.cameras["cam1"], room.cameras["cam2"]) < 3
    pairs = pair_distances(*room.views, found[PAIR])
    pairs = pairs[pairs.instants >= 10]
    same = true_pairs(room, pairs)
    assert np.quantile(pairs.distance[same], 0.9) < 0.2 < np.quantile(pairs.distance[~same], 0.1) * 2


def test_geometry_is_the_same_for_the_same_seed():
    room = synthetic_room(cameras=2, people=4, seconds=20)
    first, second = (estimate_geometry(room.views, seed=3)[PAIR][0] for _ in range(2))
    assert np.array_equal(first.matrix, second.matrix)


def test_nothing_in_common_is_refused_with_a_reason():
    room = synthetic_room(cameras=2, people=3, seconds=10)
    nobody = View(name="cam2", size=SIZE, observations=Observations.empty(), tracks=np.zeros(0, int))
    (stretch,) = estimate_geometry([room.views[0], nobody])[PAIR]
    assert stretch.matrix is None
    assert "too few" in stretch.problem
    assert len(pair_distances(room.views[0], nobody, [stretch])) == 0


def test_single_pictures_are_too_little():
    room = synthetic_room(cameras=2, people=3, seconds=10)
    few = [replace(view, observations=view.observations[view.observations.instant < 2]) for view in room.views]
    (stretch,) = estimate_geometry(few)[PAIR]
    assert stretch.matrix is None
    assert "too few" in stretch.problem


def test_three_people_who_stand_do_not_fix_a_geometry():
    room = synthetic_room(seed=4, cameras=2, people=3, seconds=20, standing=1.0, false_tracks=0)
    (stretch,) = estimate_geometry(room.views)[PAIR]
    assert stretch.matrix is None
    assert stretch.problem


def test_cameras_at_one_place_have_no_geometry():
    room = synthetic_room(seed=1, cameras=1, people=5, seconds=30, noise=0.04)
    view = room.views[0]
    twin = View(
        name="cam2",
        size=SIZE,
        observations=view.observations.replace(points=view.observations.points + np.float32([25, 0])),
        tracks=view.tracks,
    )
    (stretch,) = estimate_geometry([view, twin])[PAIR]
    assert stretch.matrix is None
    assert stretch.problem


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [4.0, 15.0])
def test_a_turned_camera_splits_its_pairs_only(degrees):
    room = synthetic_room(seed=2, cameras=3, people=5, seconds=100, turned=(1, 60.0, degrees))
    found = estimate_geometry(room.views)
    assert [len(found[names]) for names in (("cam1", "cam2"), ("cam1", "cam3"), ("cam2", "cam3"))] == [2, 1, 2]
    before, after = found["cam1", "cam2"]
    assert abs(before.stop - 300) <= 25
    assert after.start == before.stop
    assert after.stop == 500
    turned = room.cameras["cam2"].turned(degrees)
    assert error_px(before.matrix, room.cameras["cam1"], room.cameras["cam2"]) < 4
    assert error_px(after.matrix, room.cameras["cam1"], turned) < 4
    (note,) = moved_cameras(found, instant_s=0.2)
    assert note.startswith("cam2")


@pytest.mark.parametrize(("turns", "stretches"), [pytest.param([150], 2, marks=pytest.mark.slow), ([], 1)])
def test_a_change_is_believed_only_where_what_stands_still_changed_too(turns, stretches):
    room = synthetic_room(seed=2, cameras=2, people=5, seconds=60, turned=(1, 30.0, 15.0))
    fixed, turned = (
        replace(view, turns=np.array(at, np.int64)) for view, at in zip(room.views, ([], turns), strict=True)
    )
    found = estimate_geometry([fixed, turned])
    assert len(found[PAIR]) == stretches
    notes = moved_cameras(found, instant_s=0.2), turned_cameras([fixed, turned], found, instant_s=0.2)
    assert [len(each) for each in notes] == [stretches - 1, 0]


def test_a_turn_of_which_the_geometry_does_not_tell_is_told():
    room = synthetic_room(seed=2, cameras=2, people=1, seconds=2)
    views = [replace(view, turns=np.array(at, np.int64)) for view, at in zip(room.views, ([], [300]), strict=True)]
    (note,) = turned_cameras(views, {}, instant_s=0.2)
    assert note.startswith("What stands still in cam2 changed about 60 s")


def test_distance_is_the_median_over_common_instants():
    room = synthetic_room(seed=5, cameras=2, people=4, seconds=30, breaks_per_minute=6)
    pairs = pair_distances(*room.views, [exact_geometry(room)])
    first, second = (view.observations for view in room.views)
    assert np.isnan(pairs.appearance).all()
    assert np.isnan(pairs.probability).all()
    for row in range(0, len(pairs), 7):
        one, other = first[first.track == pairs.first[row]], second[second.track == pairs.second[row]]
        _, a, b = np.intersect1d(one.instant, other.instant, return_indices=True)
        assert pairs.instants[row] == len(a) > 0
        off = epipolar_distance(room.matrices[PAIR], one.points[a], other.points[b])
        common = np.minimum(one.weight[a], other.weight[b])
        off = np.array([np.median(o[w > 0]) for o, w in zip(off, common, strict=True)])
        off /= (one.head[a] + other.head[b]) / 2
        assert pairs.distance[row] < np.quantile(off, 0.75) * 1.3 + 0.05
        assert pairs.distance[row] > np.quantile(off, 0.25) / 1.3 - 0.05


def test_stretches_add_up_and_those_without_a_matrix_tell_nothing():
    room = synthetic_room(seed=6, cameras=2, people=4, seconds=20)
    whole = pair_distances(*room.views, [exact_geometry(room)])
    split = pair_distances(*room.views, [exact_geometry(room, 0, 50), exact_geometry(room, 50, 100)])
    assert np.array_equal(whole.instants, split.instants)
    assert np.allclose(whole.distance, split.distance)
    refused = PairGeometry(views=PAIR, matrix=None, start=50, stop=100, problem="too few people")
    part = pair_distances(*room.views, [exact_geometry(room, 0, 50), refused])
    assert 0 < part.instants.sum() < whole.instants.sum()


def test_distance_ignores_a_minority_of_swapped_instants():
    room = synthetic_room(seed=7, cameras=2, people=4, seconds=30, breaks_per_minute=0, false_tracks=0)
    seen = room.views[1].observations
    longest = np.bincount(seen.track).argmax()
    rows = np.flatnonzero(seen.track == longest)[::4]
    points = seen.points.copy()
    points[rows] += 200
    swapped = View(name="cam2", size=SIZE, observations=seen.replace(points=points), tracks=room.views[1].tracks)
    pairs = pair_distances(room.views[0], swapped, [exact_geometry(room)])
    same = true_pairs(room, pairs) & (pairs.instants >= 20) & (pairs.second == longest)
    assert same.any()
    assert pairs.distance[same].max() < 0.2


def test_threads_change_nothing(monkeypatch):
    monkeypatch.setattr(pair_guesses, "GUESSES", 2 * pair_guesses.AT_ONCE)
    views = synthetic_room(seed=5, cameras=3, people=4, seconds=15).views
    alone, together = (estimate_geometry(views, seed=3, threads=threads) for threads in (1, 3))
    assert list(alone) == list(together)
    found = [(one, other) for names, each in alone.items() for one, other in zip(each, together[names], strict=True)]
    for one, other in found:
        for name in ("start", "stop", "inliers", "points", "problem", "residual", "matrix"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert any(one.points for one, _ in found)
