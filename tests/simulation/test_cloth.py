"""Sheets of cloth are cut, refined, hemmed and folded without tearing, and hang as their envelope says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from or_mv_anon.simulation.clothes.cloth import Cloth, few_weights
from or_mv_anon.simulation.clothes.envelope import Envelope
from or_mv_anon.simulation.clothes.folds import folds
from or_mv_anon.simulation.clothes.sewing import hemmed, lowest_loop, open_loops, with_skirt


def sheet(columns: int = 13, rows: int = 11) -> Cloth:
    """A flat sheet of 1.2 m by 1 m, carried by two bones, one at each end."""
    x, y = np.meshgrid(np.linspace(0, 1.2, columns), np.linspace(0, 1, rows))
    points = np.column_stack([x.ravel(), y.ravel(), 0 * x.ravel()])
    corner = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1])
    triangles = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    share = points[:, 0] / 1.2
    return Cloth(points, triangles, sparse.csr_matrix(np.column_stack([share, 1 - share])))


def tube(radius: float = 0.2, height: float = 0.5, around: int = 40, rows: int = 12) -> Cloth:
    """An open, upright tube from half its height downwards to the floor."""
    turn, up = np.meshgrid(np.arange(around) * 2 * np.pi / around, np.linspace(0, height, rows))
    points = np.column_stack([radius * np.cos(turn).ravel(), radius * np.sin(turn).ravel(), up.ravel()])
    here = np.arange(rows * around).reshape(rows, around)
    beside = np.roll(here, -1, axis=1)
    lower = np.stack([here[:-1], beside[:-1], beside[1:]], -1).reshape(-1, 3)
    upper = np.stack([here[:-1], beside[1:], here[1:]], -1).reshape(-1, 3)
    return Cloth(points, np.concatenate([lower, upper]), sparse.csr_matrix(np.ones((len(points), 1))))


def areas(cloth: Cloth) -> np.ndarray:
    corners = cloth.vertices[cloth.triangles]
    return np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2


@settings(max_examples=40)
@given(st.floats(-1.2, 1.2), st.floats(0.3, 0.7))
def test_cutting_leaves_exactly_what_is_inside_the_outline(slope: float, level: float) -> None:
    cloth = sheet()
    x, y, _ = cloth.vertices.T
    kept = cloth.cut(level + 0.3 * slope * (x - 0.6) - y)
    x, y, _ = kept.vertices.T
    outside = y - (level + 0.3 * slope * (x - 0.6))
    assert outside.max() < 1e-9
    # the sheet's own sides may give way by a part of a triangle where the cut meets them
    assert areas(kept).sum() == pytest.approx(1.2 * level, abs=0.004)
    assert areas(kept).min() > 1e-5
    np.testing.assert_allclose(kept.weights.sum(axis=1), 1, atol=1e-9)


def test_a_cut_edge_is_a_line_and_not_a_staircase() -> None:
    cloth = sheet()
    x, y, _ = cloth.vertices.T
    kept = cloth.cut(0.53 + 0.21 * x - y)
    loop = max(open_loops(kept.triangles), key=len)
    edge = kept.vertices[loop]
    near = edge[np.abs(0.53 + 0.21 * edge[:, 0] - edge[:, 1]) < 0.02]
    assert len(near) > 12
    assert np.abs(0.53 + 0.21 * near[:, 0] - near[:, 1]).max() < 1e-9


def test_what_moves_with_two_bones_is_cut_with_its_weights() -> None:
    cloth = sheet()
    kept = cloth.cut(0.7 - cloth.vertices[:, 0])
    np.testing.assert_allclose(kept.weights.toarray()[:, 0], kept.vertices[:, 0] / 1.2, atol=1e-9)


def test_subdividing_quadruples_a_closed_surface_and_keeps_it_closed() -> None:
    points = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
    faces = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
    finer = Cloth(points, faces, sparse.csr_matrix(np.ones((6, 1)))).subdivided()
    assert len(finer.triangles) == 32
    assert open_loops(finer.triangles) == []
    outward = np.sum(finer.normals() * finer.vertices, axis=1)
    assert outward.min() > 0.3
    np.testing.assert_allclose(finer.weights.sum(axis=1), 1, atol=1e-9)


def test_few_weights_still_sum_to_one() -> None:
    weights = few_weights(sparse.csr_matrix(np.array([[0.01, 0.49, 0.5], [0.0, 0.005, 0.995]])))
    assert weights.nnz == 3
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)


def test_an_envelope_is_the_outline_of_what_it_goes_round() -> None:
    pillar = tube(0.2, 1.0, 80, 60).vertices + np.array([0.05, -0.02, 0])
    centre = np.array([0.05, -0.02])
    envelope = Envelope.around(pillar, 0.1, 0.9, centre, centre)
    np.testing.assert_allclose(envelope.radii, 0.2, atol=0.001)
    wider = envelope.eased(0.03, flare=0.1)
    assert wider.radius(np.zeros(1), np.array([0.9]))[0] == pytest.approx(0.23, abs=0.002)
    assert wider.radius(np.zeros(1), np.array([0.1]))[0] == pytest.approx(0.31, abs=0.002)


def test_cloth_falls_straight_from_the_widest_place_above() -> None:
    wide, narrow = tube(0.3, 0.3, 60, 20).vertices + np.array([0, 0, 0.7]), tube(0.1, 0.7, 60, 40).vertices
    envelope = Envelope.around(np.concatenate([wide, narrow]), 0.05, 0.95, np.zeros(2), np.zeros(2)).falling()
    np.testing.assert_allclose(envelope.radius(np.linspace(0, 6, 9), np.full(9, 0.2)), 0.3, atol=0.002)


def test_a_skirt_is_sewn_on_without_a_gap_and_ends_at_its_hem() -> None:
    top = tube(0.2, 0.5)
    top = top.moved(top.vertices + np.array([0, 0, 0.5]))
    envelope = Envelope.around(top.vertices, 0.1, 1.0, np.zeros(2), np.zeros(2)).eased(0.0, flare=0.2)
    whole = with_skirt(top, envelope, top, loop=lowest_loop(top), hem=0.2, rows=5)
    loops = open_loops(whole.triangles)
    assert len(loops) == 2
    np.testing.assert_allclose(whole.vertices[lowest_loop(whole), 2], 0.2, atol=1e-9)
    outward = np.sum(whole.normals()[:, :2] * whole.vertices[:, :2], axis=1)
    assert outward.min() > 0


def test_a_hem_lies_inside_and_adds_no_new_opening() -> None:
    cloth = tube()
    sewn = hemmed(cloth, thickness=0.004, depth=0.02)
    assert len(open_loops(sewn.triangles)) == 2
    added = sewn.vertices[len(cloth.vertices) :]
    assert np.linalg.norm(added[:, :2], axis=1).max() < 0.2
    assert added[:, 2].min() > -1e-9
    assert added[:, 2].max() < 0.5 + 1e-9


def test_folds_are_longer_along_their_direction_and_repeat_with_the_seed() -> None:
    steps = np.arange(0, 2, 0.005)
    across, along = (np.outer(steps, axis) for axis in ((1.0, 0, 0), (0, 0, 1.0)))
    settings_ = {"along": (0, 0, 1), "spacing": 0.05, "length": 0.6}
    crossing = [np.abs(np.diff(folds(line, np.random.default_rng(3), **settings_))).mean() for line in (across, along)]
    assert crossing[0] > 2 * crossing[1]
    first, again = (folds(across, np.random.default_rng(4), **settings_) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first).max() <= 1
