"""The renderer shows geometry where it is: places, identities, order, and only the scene as it is now."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.simulation.scene import Light, Material, Mesh, Surface, View
from tests.simulation.flat_shapes import DIM, box, moved, square

pytest.importorskip("moderngl")

from or_mv_anon.simulation.rendering.look import look_at
from or_mv_anon.simulation.rendering.renderer import Renderer


def test_a_box_appears_where_the_view_projects_it(renderer: Renderer) -> None:
    view = look_at((1.5, -3.0, 2.5), (0.1, 0.2, 0.8), width=320, height=200, field_of_view=1.0)
    view = replace(view, matrix=view.matrix + np.array([[0, 0, 13.0], [0, 40.0, -9.0], [0, 0, 0]]))
    mesh = box((-0.4, -0.2, 0.3), (0.5, 0.4, 1.4), person=3, surface=Surface.HEAD)
    renderer.load([mesh], [], DIM)
    picture = renderer.render(view)
    pixels, depths = view.project(mesh.vertices)
    rows, columns = np.nonzero(picture.person == 3)
    assert columns.min() == pytest.approx(pixels[:, 0].min(), abs=0.75)
    assert columns.max() + 1 == pytest.approx(pixels[:, 0].max(), abs=0.75)
    assert rows.min() == pytest.approx(pixels[:, 1].min(), abs=0.75)
    assert rows.max() + 1 == pytest.approx(pixels[:, 1].max(), abs=0.75)
    shown = picture.depth[picture.person == 3]
    assert shown.min() == pytest.approx(depths.min(), abs=0.02)
    assert shown.max() < depths.max()
    assert np.isinf(picture.depth[picture.person == 0]).all()
    assert (picture.surface[picture.person == 3] == Surface.HEAD).all()


@pytest.mark.parametrize("samples", [1, 4])
def test_identities_are_exact_against_an_analytic_silhouette(view: View, samples: int) -> None:
    half = 0.7
    with Renderer(shadow_size=64, samples=samples) as renderer:
        renderer.load([square((0.11, 0.0, 1.07), half, person=2, surface=Surface.FACE)], [], DIM)
        face = renderer.render(view).surface == Surface.FACE
        alone = renderer.alone(view, 2) == Surface.FACE
    # Per axis, how far inside the square a pixel's centre lies, in pixels.
    x = half * view.matrix[0, 0] / 4.0 - np.abs(np.arange(160) + 0.5 - 80 - 0.11 * view.matrix[0, 0] / 4.0)
    z = half * view.matrix[1, 1] / 4.0 - np.abs(np.arange(120) + 0.5 - 60 + 0.07 * view.matrix[1, 1] / 4.0)
    inside = np.minimum(x[None, :], z[:, None])
    doubt = 0.0 if samples == 1 else 0.26  # where half of the samples are inside, either answer is right
    assert np.array_equal(face, alone)
    assert face[inside > doubt].all()
    assert not face[inside < -doubt].any()


def test_silhouettes_are_neither_grown_nor_moved(renderer: Renderer, view: View) -> None:
    rng = np.random.default_rng(5)
    errors = []
    for _ in range(40):
        x, z, half = rng.uniform(-0.5, 0.5), rng.uniform(0.6, 1.4), rng.uniform(0.1, 0.5)
        renderer.load([square((x, 0.0, z), half, person=1, surface=Surface.FACE)], [], DIM)
        rows, columns = np.nonzero(renderer.alone(view, 1))
        scale = view.matrix[0, 0] / 4.0
        side = 2 * half * scale
        errors.append(
            (len(rows) / side - side, columns.mean() + 0.5 - 80 - x * scale, rows.mean() + 0.5 - 60 + (z - 1.0) * scale)
        )
    np.testing.assert_allclose(np.mean(errors, axis=0), 0.0, atol=0.12)


def test_what_is_nearer_hides_what_is_behind_in_any_order(renderer: Renderer, view: View) -> None:
    near = square((0.0, -1.0, 1.0), 0.3, person=1, surface=Surface.BODY)
    far = square((0.0, 1.0, 1.0), 0.8, person=2, surface=Surface.FACE)
    for meshes in ([near, far], [far, near]):
        renderer.load(meshes, [], DIM)
        picture = renderer.render(view)
        assert picture.person[60, 80] == 1
        assert picture.depth[60, 80] == pytest.approx(3.0, abs=1e-3)
        assert picture.person[60, 80 + 15] == 2
        assert picture.surface[60, 80 + 15] == Surface.FACE


def test_alone_ignores_occluders_and_others(renderer: Renderer, view: View) -> None:
    person = square((0.0, 0.5, 1.0), 0.5, person=1, surface=Surface.FACE)
    mask = square((0.0, 0.45, 0.8), 0.2, person=1, surface=Surface.MASK)
    wall = square((0.0, -1.0, 1.0), 3.0)
    other = square((0.2, 0.0, 1.0), 0.4, person=2, surface=Surface.BODY)
    renderer.load([wall, other, person, mask], [], DIM)
    assert not renderer.render(view).person.any()
    hidden = renderer.alone(view, 1)
    renderer.load([person, mask], [], DIM)
    assert np.array_equal(hidden, renderer.render(view).surface)
    assert set(np.unique(hidden)) == {0, Surface.FACE, Surface.MASK}
    half = renderer.alone(view, 1, scale=0.5)
    assert half.shape == (60, 80)
    assert (half > 0).sum() * 4 == pytest.approx((hidden > 0).sum(), rel=0.2)
    assert not renderer.alone(view, 7).any()


def test_alone_leaves_nothing_of_others_behind_and_reaches_the_borders(renderer: Renderer, view: View) -> None:
    meshes = [
        square((-0.8, 0.0, 1.0), 0.4, person=1, surface=Surface.BODY),
        square((0.8, 0.0, 1.4), 0.3, person=2, surface=Surface.HEAD),
        box((-9.0, -5.0, -9.0), (9.0, 1.0, 9.0), person=3, surface=Surface.FACE),  # around the camera
    ]
    renderer.load(meshes, [], DIM)
    both = renderer.alone(view, 1), renderer.alone(view, 2)
    renderer.load(meshes[:2], [], DIM)
    picture = renderer.render(view)
    for person, surfaces in enumerate(both, 1):
        assert np.array_equal(surfaces, np.where(picture.person == person, picture.surface, 0))
    renderer.load(meshes, [], DIM)
    assert (renderer.alone(view, 3) == Surface.FACE).all()


def test_a_moved_mesh_moves_and_a_hidden_one_vanishes(renderer: Renderer, view: View) -> None:
    mesh = square((-0.5, 0.0, 1.0), 0.2, person=4, surface=Surface.HEAD, moves=True)
    renderer.load([mesh], [], DIM)
    before = renderer.render(view).person
    renderer.move(0, *moved(mesh, (1.0, 0.0, 0.0)))
    after = renderer.render(view).person
    assert np.array_equal(after, before[:, ::-1])
    renderer.show(0, False)
    assert not renderer.render(view).person.any()
    assert not renderer.alone(view, 4).any()
    renderer.show(0, True)
    assert np.array_equal(renderer.render(view).person, after)


def test_sizes_and_scenes_leave_nothing_behind(renderer: Renderer, view: View) -> None:
    small = look_at((0.5, -3.0, 1.4), (0.0, 0.0, 1.0), width=53, height=31, field_of_view=1.0)
    lamp = Light((1.0, -2.0, 3.0), (0.0, 0.0, 1.0), (9.0, 9.0, 9.0), 1.5)
    cloth = Material((0.1, 0.4, 0.5), cloth=0.8, translucency=0.3)
    meshes = [box((-0.5, -0.5, 0.2), (0.5, 0.5, 1.3), person=1, material=cloth), square((0.0, 1.0, 1.0), 3.0)]
    renderer.load(meshes, [lamp], DIM)
    first = renderer.render(view)
    other = renderer.render(small)
    renderer.alone(small, 1)
    again = renderer.render(view)
    with Renderer(shadow_size=256) as fresh:
        fresh.load(meshes, [lamp], DIM)
        elsewhere = fresh.render(small)
    for one, two in ((first, again), (other, elsewhere)):
        assert np.array_equal(one.colour, two.colour)
        assert np.array_equal(one.person, two.person)
        assert np.array_equal(one.depth, two.depth)


def test_what_cannot_be_drawn_is_said_plainly(renderer: Renderer) -> None:
    lamp = Light((0.0, 0.0, 3.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 1.0)
    with pytest.raises(UserError, match="At most 4 lights can cast shadows, found 5"):
        renderer.load([], [lamp] * 5, DIM)
    with pytest.raises(UserError, match="At most 16 lights"):
        renderer.load([], [replace(lamp, casts_shadow=False)] * 17, DIM)
    broken = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 3]], np.int32), Material())
    with pytest.raises(UserError, match="expected 0 to 2"):
        renderer.load([broken], [], DIM)
    corner = Mesh(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32), Material())
    with pytest.raises(UserError, match="more than 8 times"):
        renderer.load([replace(corner, uv=np.full((3, 2), 9, np.float32))], [], DIM)
    with pytest.raises(UserError, match="square number"):
        Renderer(samples=3)
