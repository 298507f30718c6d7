"""Lenses bend points, pictures and ids by the same formula, and OpenCV agrees with it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.simulation.cameras.lens import Lens, Optics, focal_length
from or_mv_anon.simulation.cameras.viewpoints import look_at
from tests.simulation.marble_stage import Marble, MarbleStage

WIDE = Lens(-0.14, 0.012)


def optics(
    lens: Lens = WIDE, *, width: int = 160, height: int = 90, degrees: float = 90, sharpness: float = 1.0
) -> Optics:
    """A camera 3 m in front of the origin, 1 m up."""
    eye = np.array([0.3, -3.0, 1.0])
    rotation = look_at(eye, np.array([0.0, 0.0, 1.0]))
    focal = focal_length(width=width, field_of_view=np.radians(degrees), lens=lens)
    return Optics(width, height, focal, lens, rotation, -rotation @ eye, sharpness)


@given(k1=st.floats(-0.16, 0.1), k2=st.floats(0.012, 0.03), radius=st.floats(0, 1.3))
def test_straightening_undoes_bending(k1: float, k2: float, radius: float) -> None:
    lens = Lens(k1, k2)
    assert lens.straighten(lens.bend(np.array([radius])))[0] == pytest.approx(radius, abs=1e-6)


def test_points_are_projected_as_opencv_does() -> None:
    camera = optics()
    points = np.random.default_rng(0).uniform([-1.5, -0.5, 0.3], [1.5, 2, 1.7], (50, 3))
    turn, _ = cv2.Rodrigues(camera.rotation)
    distortion = np.array([WIDE.k1, WIDE.k2, 0, 0, 0])
    expected, _ = cv2.projectPoints(points, turn, camera.translation, camera.matrix, distortion)
    pixels, depth = camera.project(points)
    np.testing.assert_allclose(pixels, expected[:, 0], atol=1e-6)
    np.testing.assert_allclose(depth, (points @ camera.rotation.T + camera.translation)[:, 2])


def test_the_edges_are_the_field_of_view_apart() -> None:
    camera = optics(degrees=80)
    for sign, edge in ((-1, 0), (1, camera.width)):
        angle = sign * np.radians(40)
        ray = np.array([np.sin(angle), 0, np.cos(angle)]) @ camera.rotation
        pixels, _ = camera.project((camera.centre + 2 * ray)[None])
        assert pixels[0, 0] == pytest.approx(edge, abs=1e-6)


def test_a_straight_line_bows_outwards_in_a_barrel() -> None:
    """A wall's edge seen at the left of the picture bulges to the left in its middle."""
    line = np.array([[-2.0, 0.0, z] for z in (-0.5, 1.0, 2.5)])
    pixels, _ = optics(width=320, height=180).project(line)
    straight, _ = optics(Lens(), width=320, height=180).project(line)
    assert pixels[1, 0] < min(pixels[0, 0], pixels[2, 0]) - 2
    assert straight[1, 0] == pytest.approx((straight[0, 0] + straight[2, 0]) / 2, abs=0.6)


def test_points_far_outside_do_not_fold_back_into_the_picture() -> None:
    camera = optics(Lens(-0.16, 0.0), degrees=70)
    angles = np.radians(np.linspace(30, 89, 60))
    rays = np.stack([np.sin(angles), np.zeros(60), np.cos(angles)], axis=1) @ camera.rotation
    x = camera.project(camera.centre + rays)[0][:, 0]
    assert (np.diff(x) > 0).all()


@pytest.mark.parametrize("sharpness", [0.85, 1.0])
def test_remapped_ids_lie_where_projected_points_say(sharpness: float) -> None:
    """The outline of a ball in the remapped id picture is the outline of its projected points, to a pixel."""
    camera = optics(width=320, height=180, sharpness=sharpness)
    for x in (-2.2, 0.0, 1.9):
        stage = MarbleStage([Marble(1, (x, 0.0, 1.3))])
        person = camera.ids(stage.render(camera.pinhole).person)
        rows, columns = np.nonzero(person)
        theta, phi = np.meshgrid(np.linspace(0, np.pi, 200), np.linspace(0, 2 * np.pi, 200))
        ball = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1).reshape(-1, 3)
        pixels, _ = camera.project(0.3 * ball + [x, 0.0, 1.3])
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        expected = np.clip([*pixels.min(axis=0), *pixels.max(axis=0)], 0, [320, 180, 320, 180])
        np.testing.assert_allclose(found, expected, atol=1.3)


@settings(max_examples=20)
@given(degrees=st.floats(55, 95), k1=st.floats(-0.14, 0.0))
def test_the_pinhole_picture_holds_every_ray(degrees: float, k1: float) -> None:
    camera = optics(Lens(k1, 0.015), degrees=degrees)
    rows, columns = camera.nearest
    view = camera.pinhole
    assert rows.min() >= 0
    assert columns.min() >= 0
    assert rows.max() < view.height
    assert columns.max() < view.width


def test_colour_and_ids_agree() -> None:
    """Where the remapped ids say that a marble is, the remapped colour shows it."""
    camera = optics(width=320, height=180)
    picture = MarbleStage([Marble(1, (0.8, 0.0, 1.2))]).render(camera.pinhole)
    person, colour = camera.ids(picture.person), camera.colour(picture.colour)
    inner = cv2.erode(person, np.ones((5, 5), np.uint8)) > 0
    assert inner.any()
    np.testing.assert_allclose(colour[inner], [[0.7, 0.5, 0.3]] * int(inner.sum()), atol=1e-5)
