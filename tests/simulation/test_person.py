"""A person's meshes, points and face move as the skeleton says, and the same seed gives the same person."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytest.importorskip("anny")

from or_mv_anon.simulation.clothes.outfits import STERILE_ROLES, site_palette
from or_mv_anon.simulation.person import Person, make_person
from or_mv_anon.simulation.scene import MaskState, Pose, Surface

MOST_TRIANGLES = 50_000


@lru_cache(maxsize=4)
def person(role: str = "surgeon", seed: int = 5) -> Person:
    return make_person(role, seed, site_palette(2), number=3)


def any_pose(seed: int = 0) -> Pose:
    rng = np.random.default_rng(seed)
    joints = ("spine03", "upperarm01.L", "lowerarm01.R", "upperleg01.R", "neck01", "head", "finger2-1.L")
    root = np.eye(4)
    root[:3, :3] = Rotation.random(random_state=seed).as_matrix()
    root[:3, 3] = rng.normal(size=3)
    return Pose({name: Rotation.from_rotvec(rng.normal(size=3) * 0.4).as_matrix() for name in joints}, root)


def test_at_rest_everything_is_where_its_mesh_says() -> None:
    posed = person().posed(Pose({}, np.eye(4)))
    for mesh, vertices, normals in zip(person().meshes, posed.vertices, posed.normals, strict=True):
        np.testing.assert_allclose(vertices, mesh.vertices, atol=2e-5)
        assert vertices.dtype == normals.dtype == np.float32
        used = np.linalg.norm(normals, axis=1) > 0.5
        np.testing.assert_allclose(np.linalg.norm(normals[used], axis=1), 1, atol=1e-4)
        assert used.mean() > 0.95


def test_keypoints_are_those_of_the_skinned_body() -> None:
    someone = person()
    pose = any_pose()
    transforms = someone.skeleton.transforms(pose)
    body = someone.body
    blend = np.asarray(body.weights @ transforms[:, :3].reshape(-1, 12)).reshape(-1, 3, 4)
    skinned = np.einsum("vij,vj->vi", blend[:, :, :3], body.vertices) + blend[:, :, 3]
    posed = someone.posed(pose)
    np.testing.assert_allclose(posed.keypoints, body.keypoints @ skinned, atol=1e-4)
    face = skinned[body.face]
    assert np.linalg.norm(posed.face_centre - face.mean(axis=0)) < 0.02
    low, high = face.min(axis=0), face.max(axis=0)
    np.testing.assert_allclose(posed.face_points.min(axis=0), low, atol=0.012)
    np.testing.assert_allclose(posed.face_points.max(axis=0), high, atol=0.012)


def test_points_span_what_the_meshes_span() -> None:
    someone = person()
    posed = someone.posed(any_pose(2))
    assert len(posed.body_points) < 4000
    always = [all(states) for states in zip(*(someone.shown(state) for state in MaskState), strict=True)]
    kept = [pair for pair, shown in zip(zip(posed.vertices, someone.meshes, strict=True), always, strict=True) if shown]
    everything = np.concatenate([vertices for vertices, _ in kept])
    head = np.concatenate([vertices for vertices, mesh in kept if mesh.surface is not Surface.BODY])
    for points, spanned, most in ((posed.body_points, everything, 0.04), (posed.head_points, head, 0.015)):
        np.testing.assert_allclose(points.min(axis=0), spanned.min(axis=0), atol=most)
        np.testing.assert_allclose(points.max(axis=0), spanned.max(axis=0), atol=most)


def test_the_face_looks_where_head_and_body_turn() -> None:
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    np.testing.assert_allclose(person().posed(Pose({}, np.eye(4))).face_forward, [0, -1, 0], atol=1e-6)
    np.testing.assert_allclose(person().posed(Pose({}, turned)).face_forward, [1, 0, 0], atol=1e-6)
    nod = {"head": Rotation.from_euler("x", 30, degrees=True).as_matrix()}
    forward = person().posed(Pose(nod, np.eye(4))).face_forward
    assert abs(np.degrees(np.arcsin(forward[2]))) == pytest.approx(30, abs=0.1)


def test_the_mask_is_on_the_face_or_under_the_chin_or_away() -> None:
    someone = person("anaesthetist", 6)
    shown = {state: np.array(someone.shown(state)) for state in MaskState}
    is_mask = np.array([mesh.surface is Surface.MASK for mesh in someone.meshes])
    assert is_mask.any()
    assert shown[MaskState.WORN][is_mask].all()
    assert not shown[MaskState.NONE][is_mask].any()
    assert not shown[MaskState.PULLED_DOWN][is_mask].any()
    assert shown[MaskState.PULLED_DOWN].sum() > shown[MaskState.NONE].sum()
    face = np.array([mesh.surface is Surface.FACE for mesh in someone.meshes])
    assert all(state[face].any() for state in shown.values())


def test_meshes_carry_the_person_and_what_they_show() -> None:
    for mesh in person().meshes:
        assert mesh.person == 3
        assert mesh.moves
        assert mesh.surface is not Surface.ROOM
        assert mesh.triangles.min() >= 0
        assert mesh.triangles.max() < len(mesh.vertices)
    assert {mesh.surface for mesh in person().meshes} == {Surface.BODY, Surface.HEAD, Surface.FACE, Surface.MASK}


@pytest.mark.parametrize("role", ["surgeon", "anaesthetist", "patient"])
def test_nobody_is_too_heavy_to_draw(role: str) -> None:
    someone = person(role)
    drawn = zip(someone.meshes, someone.shown(MaskState.WORN), strict=True)
    assert sum(len(mesh.triangles) for mesh, shown in drawn if shown) < MOST_TRIANGLES


def test_roles_wear_what_they_should() -> None:
    assert "gown" in person("surgeon").names
    assert "gloves" in person("surgeon").names
    assert "gown" not in person("anaesthetist", 6).names
    assert "patient_gown" in person("patient").names
    assert "surgeon" in STERILE_ROLES


def test_the_same_seed_gives_the_same_person() -> None:
    again = make_person("anaesthetist", 6, site_palette(2), number=3)
    first = person("anaesthetist", 6)
    assert again.names == first.names
    for one, other in zip(first.meshes, again.meshes, strict=True):
        np.testing.assert_array_equal(one.vertices, other.vertices)
        assert one.material.colour == other.material.colour
