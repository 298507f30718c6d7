"""Epipolar algebra against cameras that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.association.geometry import (
    distance_of_columns,
    eight_point,
    epipolar_distance,
    epipolar_lines,
    fundamental_matrix,
    homogeneous,
    polish,
    robust_fit,
)
from tests.association.synthetic_room import Camera, camera_at

SEEDS = st.integers(0, 10_000)


def cameras(seed: int, count: int = 2) -> list[Camera]:
    random = np.random.default_rng(seed)
    return [camera_at(random, number / count) for number in range(count)]


def matrix_of(first: Camera, second: Camera) -> np.ndarray:
    return fundamental_matrix((first.matrix, first.pose), (second.matrix, second.pose))


def room_points(seed: int, count: int = 60) -> np.ndarray:
    return np.random.default_rng(seed + 1).uniform([-2, -2, 0.5], [2, 2, 1.9], (count, 3))


@given(seed=SEEDS)
@settings(max_examples=30)
def test_projections_of_one_point_lie_on_each_others_lines(seed):
    first, second = cameras(seed)
    a, b = (camera.project(room_points(seed))[0] for camera in (first, second))
    matrix = matrix_of(first, second)
    assert epipolar_distance(matrix, a, b).max() < 1e-6
    assert np.abs((epipolar_lines(matrix, a) * homogeneous(b)).sum(axis=-1)).max() < 1e-6
    assert np.abs((epipolar_lines(matrix.T, b) * homogeneous(a)).sum(axis=-1)).max() < 1e-6


@given(seed=SEEDS, scale=st.floats(1e-6, 1e6), sign=st.sampled_from([-1, 1]))
@settings(max_examples=30)
def test_distance_depends_neither_on_scale_nor_on_order(seed, scale, sign):
    first, second = cameras(seed)
    a, b = first.project(room_points(seed))[0], second.project(room_points(seed + 2))[0]
    matrix = matrix_of(first, second)
    expected = epipolar_distance(matrix, a, b)
    assert np.allclose(epipolar_distance(sign * scale * matrix, a, b), expected)
    assert np.allclose(epipolar_distance(matrix.T, b, a), expected)


@given(seed=SEEDS)
@settings(max_examples=30)
def test_lines_of_two_views_meet_at_the_projection_in_a_third(seed):
    first, second, third = cameras(seed, 3)
    points = room_points(seed)
    lines = [epipolar_lines(matrix_of(camera, third), camera.project(points)[0]) for camera in (first, second)]
    meeting = np.cross(*lines)
    apart = np.abs(meeting[:, 2]) > 0.1  # sine of the angle between the lines
    expected = third.project(points)[0]
    assert np.allclose(meeting[apart, :2] / meeting[apart, 2:], expected[apart], atol=1e-3)


def test_epipole_has_no_line():
    first, second = cameras(3)
    epipole = first.project(second.pose[:3, 3])[0]
    matrix = matrix_of(first, second)
    matrix = matrix / np.linalg.norm(matrix)
    exact = np.linalg.svd(matrix)[2][-1]
    assert np.allclose(exact[:2] / exact[2], epipole)
    assert not np.isfinite(epipolar_lines(np.zeros((3, 3)), epipole)).any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_fits_recover_the_geometry(seed):
    first, second = cameras(seed)
    a, b = (camera.project(room_points(seed, 200))[0] for camera in (first, second))
    wrong = np.arange(200) % 4 == 0
    mixed = b.copy()
    mixed[wrong] = b[wrong][::-1]
    exact = eight_point(a[None], b[None], np.ones((1, 200)))[0]
    assert epipolar_distance(exact, a, b).max() < 1e-3
    ignoring = eight_point(a[None], mixed[None], (~wrong)[None].astype(float))[0]
    assert epipolar_distance(ignoring, a, b).max() < 1e-3
    robust, inliers = robust_fit(a, mixed, sigma=2.0)
    assert robust is not None
    assert 140 <= inliers <= 175
    assert np.median(epipolar_distance(robust, a, b)) < 0.5
    better = polish(robust, a, mixed, np.full(200, 40.0), np.ones(200), sigma=0.02)
    assert np.median(epipolar_distance(better, a, b)) < 0.05


def test_too_few_correspondences_have_no_geometry():
    first, second = cameras(0)
    a, b = (camera.project(room_points(0, 19))[0] for camera in (first, second))
    assert robust_fit(a, b, sigma=2.0) == (None, 0)


def test_distances_of_many_matrices_at_once_are_those_of_each() -> None:
    random = np.random.default_rng(4)
    matrices = random.normal(size=(5, 3, 3))
    points = random.uniform(0, 1000, (2, 7, 4, 2))
    columns = np.moveaxis(points, -1, 1)
    together = distance_of_columns(matrices, columns)
    assert together.shape == (5, 7, 4)
    for matrix, found in zip(matrices, together, strict=True):
        line = epipolar_lines(matrix, points[0])
        back = epipolar_lines(matrix.T, points[1])
        expected = [abs((homogeneous(at) * on).sum(axis=-1)) for at, on in ((points[1], line), (points[0], back))]
        np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-9)
        np.testing.assert_allclose(found, epipolar_distance(matrix, points[0], points[1]), rtol=1e-12)
        assert epipolar_distance(matrix, points[0, 0, 0], points[1, 0, 0]) == pytest.approx(found[0, 0])
