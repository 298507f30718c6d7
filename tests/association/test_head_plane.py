"""The plane of heads: found among wrong pairs, and what it says of places."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.association.head_plane import fit_head_plane
from tests.association.synthetic_room import HEAD_M, Camera, synthetic_room

LEVEL_M = 1.65


def two_cameras() -> tuple[np.ndarray, Camera, Camera]:
    room = synthetic_room(seed=1, cameras=2, people=1, seconds=1)
    return room.matrices["cam1", "cam2"], room.cameras["cam1"], room.cameras["cam2"]


def heads_of(random: np.random.Generator, count: int, *, spread: float = 0.0) -> np.ndarray:
    heights = LEVEL_M + random.normal(scale=spread, size=count) if spread else np.full(count, LEVEL_M)
    return np.column_stack([random.uniform(-2, 2, (count, 2)), heights])


def seen(cameras: tuple[Camera, Camera], places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points, depths = zip(*(camera.project(places) for camera in cameras), strict=True)
    heads = [camera.matrix[0, 0] * HEAD_M / depth for camera, depth in zip(cameras, depths, strict=True)]
    return np.stack(points), np.stack(heads)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_heads_at_one_level_are_where_the_plane_has_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix, *cameras = two_cameras()
    points, heads = seen((cameras[0], cameras[1]), heads_of(random, 60))
    plane = fit_head_plane(matrix, points, heads, np.tile(np.arange(60), (2, 1)), random)
    assert plane is not None
    assert np.quantile(plane.distances(points, heads), 0.9) < 0.1


def test_people_of_different_heights_and_wrong_pairs() -> None:
    random = np.random.default_rng(0)
    matrix, *cameras = two_cameras()
    places = heads_of(random, 120, spread=0.08)
    points, heads = seen((cameras[0], cameras[1]), places)
    wrong = points.copy()
    # slid along their lines: the geometry alone cannot tell them from right ones
    line = np.c_[points[0], np.ones(120)] @ matrix.T
    along = np.stack([-line[:, 1], line[:, 0]], axis=1) / np.linalg.norm(line[:, :2], axis=1)[:, None]
    wrong[1] += along * (heads[1] * random.choice([-1, 1], 120) * random.uniform(4, 12, 120))[:, None]
    owner = np.tile(np.arange(120), (2, 1))
    both = np.concatenate([points, wrong[:, :80]], axis=1), np.concatenate([heads, heads[:, :80]], axis=1)
    owners = np.concatenate([owner, np.stack([owner[0, :80], 200 + owner[1, :80]])], axis=1)
    plane = fit_head_plane(matrix, *both, owners, random)
    assert plane is not None
    assert np.median(plane.distances(points, heads)) < 0.7
    assert np.median(plane.distances(wrong, heads)) > 2.5


def test_too_few_heads_make_no_plane() -> None:
    random = np.random.default_rng(0)
    matrix, *cameras = two_cameras()
    points, heads = seen((cameras[0], cameras[1]), heads_of(random, 5))
    assert fit_head_plane(matrix, points, heads, np.tile(np.arange(5), (2, 1)), random) is None
