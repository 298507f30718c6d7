"""Rooms from seeds: the plan's promises to motion and cameras, sound geometry, light, and cloth over the patient."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.simulation.room import blocks, turned
from or_mv_anon.simulation.room.build import Room, make_room
from or_mv_anon.simulation.room.drapes import drape_patient
from or_mv_anon.simulation.room.floor import ahead, connected, corners, distance, footprint, gap
from or_mv_anon.simulation.room.plan import Layout, lay_out
from or_mv_anon.simulation.room.screens import PATIENTS
from or_mv_anon.simulation.room.solid import Solid, aim, upright
from or_mv_anon.simulation.scene import Mesh, Placement, RoomPlan

SEEDS = (0, 1, 2)
PLANS = range(7)
STATIONS = {
    "surgeon", "assistant", "second_assistant", "scrub_nurse", "anaesthetist", "anaesthesia_machine", "computer",
    "shelf", "supplies", "student", "technician", "door_inside",
}  # fmt: skip
SURFACES = {"mayo", "trolley", "field", "machine", "desk", "shelf"}


@cache
def room(seed: int) -> Room:
    return make_room(seed)


@cache
def layout(seed: int) -> Layout:
    return lay_out(seed)


def plan(seed: int) -> RoomPlan:
    return layout(seed).plan


def lying_patient(plan: RoomPlan, count: int = 4000) -> np.ndarray:
    """Points (N, 3) on crude ellipsoids that lie on the table as a patient does, in the world frame."""
    rng = np.random.default_rng(5)
    parts = [
        ((0.78, 0, 0.11), (0.12, 0.085, 0.11)),
        ((0.4, 0, 0.12), (0.3, 0.2, 0.12)),
        ((0, 0, 0.13), (0.3, 0.19, 0.13)),
    ]
    for side in (-1, 1):
        parts += [((-0.45, side * 0.1, 0.09), (0.5, 0.07, 0.09)), ((-0.88, side * 0.1, 0.14), (0.05, 0.05, 0.14))]
        parts += [((0.15, side * 0.27, 0.06), (0.4, 0.05, 0.05))]
    points = []
    for centre, radii in parts:
        sphere = rng.normal(size=(count // len(parts), 3))
        sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
        points.append(sphere * radii + centre)
    table = plan.table
    return np.concatenate(points) @ upright(table.heading).T + (table.x, table.y, table.height)


@pytest.mark.parametrize("seed", PLANS)
def test_plan_has_every_station_and_surface(seed: int) -> None:
    assert set(plan(seed).stations) >= STATIONS
    assert set(plan(seed).surfaces) >= SURFACES


@pytest.mark.parametrize("seed", PLANS)
def test_stations_have_standing_room_inside_the_walls(seed: int) -> None:
    spots = np.array([(place.x, place.y) for place in plan(seed).stations.values()])
    assert np.all(np.abs(spots) <= np.array(plan(seed).size[:2]) / 2 - 0.35)
    for box in (plan(seed).table, *plan(seed).obstacles):
        assert distance(spots, box).min() >= 0.35


@pytest.mark.parametrize("seed", PLANS)
def test_one_can_walk_between_all_stations(seed: int) -> None:
    boxes = (plan(seed).table, *plan(seed).obstacles)
    assert connected(plan(seed).size, boxes, plan(seed).stations.values(), clearance=0.3)


@pytest.mark.parametrize("seed", PLANS)
def test_obstacles_are_inside_the_room_and_do_not_overlap(seed: int) -> None:
    limit = np.array(plan(seed).size[:2]) / 2 + 1e-6
    for box in plan(seed).obstacles:
        assert np.all(np.abs(corners(box)) <= limit)
        assert 0 < box.height < plan(seed).size[2]
    free_standing = [item.box for item in layout(seed).items if item.bottom == 0]
    for i, box in enumerate(free_standing):
        assert all(gap(box, other) > -1e-9 for other in free_standing[:i])


@pytest.mark.parametrize("seed", PLANS)
def test_team_faces_the_table_and_the_door_faces_the_room(seed: int) -> None:
    for role in ("surgeon", "assistant", "second_assistant", "scrub_nurse", "anaesthetist"):
        place = plan(seed).stations[role]
        ahead_of_them = ahead(place, 0.45)
        assert distance(np.array([[ahead_of_them.x, ahead_of_them.y]]), plan(seed).table)[0] < 1e-9, role
    door = plan(seed).door
    half_x, half_y = np.array(plan(seed).size[:2]) / 2
    assert np.isclose(max(abs(door.x) / half_x, abs(door.y) / half_y), 1)
    inside = ahead(door, 0.5)
    assert abs(inside.x) < half_x
    assert abs(inside.y) < half_y


@pytest.mark.parametrize("seed", PLANS)
def test_lamps_hang_over_the_table_above_heads(seed: int) -> None:
    assert 1 <= len(plan(seed).lamps) <= 2
    for x, y, z in plan(seed).lamps:
        assert distance(np.array([[x, y]]), plan(seed).table)[0] < 0.6
        assert 1.95 < z < plan(seed).size[2] - 0.3


def test_the_way_is_found_blocked_by_a_wall_of_furniture() -> None:
    size = (6.0, 6.0, 3.0)
    across = footprint(Placement(0, 0, 0), 0.4, 5.2, 2.0)
    places = (Placement(-2, 0, 0), Placement(2, 0, 0))
    assert connected(size, [footprint(Placement(0, 0.5, 0), 0.4, 4.0, 2.0)], places, clearance=0.3)
    assert not connected(size, [across], places, clearance=0.45)


@given(
    st.floats(-3, 3), st.floats(-3, 3), st.floats(-4, 4), st.floats(0.1, 2), st.floats(0.1, 2), st.floats(-4, 4),
    st.floats(0, 1),
)  # fmt: skip
@settings(max_examples=60)
def test_distance_to_a_box_is_rotation_invariant(
    x: float, y: float, heading: float, length: float, width: float, turn: float, along: float
) -> None:
    box = footprint(Placement(x, y, heading), length, width, 1.0)
    inside = ahead(box, (along - 0.5) * length, (0.5 - along) * width)
    outside = ahead(box, length / 2 + along, 0.0)
    points = np.array([(inside.x, inside.y), (outside.x, outside.y)])
    np.testing.assert_allclose(distance(points, box), [0, along], atol=1e-9)
    turned_box = footprint(Placement(*(upright(turn)[:2, :2] @ (x, y)), heading + turn), length, width, 1.0)
    np.testing.assert_allclose(distance(points @ upright(turn)[:2, :2].T, turned_box), [0, along], atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_meshes_are_sound(seed: int) -> None:
    triangles = 0
    for mesh in room(seed).meshes:
        _check(mesh)
        triangles += len(mesh.triangles)
        if mesh.material.texture is not None:
            assert max(mesh.material.texture.shape[:2]) <= 1024
            assert mesh.material.texture.dtype == np.uint8
    assert triangles < 120_000


def _check(mesh: Mesh) -> None:
    assert mesh.vertices.dtype == np.float32
    assert mesh.triangles.dtype == np.int32
    assert mesh.triangles.min() >= 0
    assert mesh.triangles.max() < len(mesh.vertices)
    assert mesh.normals is not None
    assert mesh.uv is not None
    for values in (mesh.vertices, mesh.normals, mesh.uv):
        assert len(values) == len(mesh.vertices)
        assert np.isfinite(values).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-3)
    assert mesh.person == 0
    assert not mesh.moves


@pytest.mark.parametrize("seed", SEEDS)
def test_equipment_stays_in_the_room(seed: int) -> None:
    size = np.array(room(seed).plan.size)
    for mesh in room(seed).meshes:
        reach = np.abs(mesh.vertices[:, :2]).max(axis=0) - size[:2] / 2
        assert reach.max() < 2.5  # the corridor behind the door, nothing beyond
        assert mesh.vertices[:, 2].min() > -0.02
        assert mesh.vertices[:, 2].max() < size[2] + 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_light_comes_from_above_onto_the_field(seed: int) -> None:
    this = room(seed)
    lamps = len(this.plan.lamps)
    assert sum(light.casts_shadow for light in this.lights) <= 4
    field = this.plan.surfaces["field"]
    for light in this.lights[:lamps]:
        assert np.hypot(light.target[0] - field.x, light.target[1] - field.y) < 0.4
    for light in this.lights:
        assert light.target[2] < light.position[2] < this.plan.size[2]
        assert min(light.colour) > 0


def test_same_seed_same_room_and_other_seed_another() -> None:
    again = make_room(1)
    assert again.plan == room(1).plan
    assert again.lights == room(1).lights
    for mesh, other in zip(again.meshes, room(1).meshes, strict=True):
        np.testing.assert_array_equal(mesh.vertices, other.vertices)
        np.testing.assert_array_equal(mesh.triangles, other.triangles)
        if mesh.material.texture is not None:
            np.testing.assert_array_equal(mesh.material.texture, other.material.texture)
    assert room(2).plan != room(1).plan
    floors = [this.meshes[0].material.texture for this in (room(1), room(2))]
    assert not np.array_equal(floors[0], floors[1])


def test_invented_patients_are_marked_as_such() -> None:
    assert all("TEST" in name for name in PATIENTS)


def solids() -> dict[str, Solid]:
    t = np.linspace(0, 3, 30)
    return {
        "box": blocks.box(1, 2, 3),
        "soft box": blocks.box(1, 2, 3, bevel=0.05),
        "cylinder": turned.cylinder(0.5, 2, bevel=0.05),
        "cone": turned.cylinder(0.5, 1, top=0.1),
        "ball": turned.ball(1, segments=48),
        "rod": turned.rod((1, 2, 3), (0, 1, 5), 0.1),
        "level rod": turned.rod((0, 0, 0), (0, 1, 0), 0.1),
        "hose": turned.tube(np.c_[np.cos(t), np.sin(t), 0.2 * t], 0.05),
        "prism": blocks.prism([(0, 0), (1, 0), (1, 1), (0.5, 1.5), (0, 1)], 0.3),
    }


@pytest.mark.parametrize("name", solids())
def test_solids_are_closed_and_face_outwards(name: str) -> None:
    solid = solids()[name]
    expected = {
        "box": 6,
        "ball": 4 / 3 * np.pi,
        "cylinder": np.pi / 2,
        "prism": 0.375,
        "rod": 0.01 * np.pi * np.sqrt(6),
    }
    assert solid.volume > 0
    if name in expected:
        assert solid.volume == pytest.approx(expected[name], rel=0.06)
    a, b, c = (solid.vertices[solid.triangles[:, k]] for k in range(3))
    facing = np.cross(b - a, c - a)
    agreement = np.einsum("ij,ij->i", facing, solid.normals[solid.triangles].mean(axis=1))
    assert np.mean(agreement >= 0) > 0.97
    # a closed surface's area vectors cancel
    np.testing.assert_allclose(facing.sum(axis=0), 0, atol=1e-9)


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.05))
def test_aim_takes_up_to_the_direction(direction: tuple[float, float, float]) -> None:
    matrix = aim(direction)
    np.testing.assert_allclose(matrix @ (0, 0, 1), np.array(direction) / np.linalg.norm(direction), atol=1e-9)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(matrix) == pytest.approx(1)


@pytest.mark.parametrize("count", [500, 20_000])
@pytest.mark.parametrize("seed", range(6))
def test_drape_lies_above_the_patient_and_leaves_the_head(seed: int, count: int) -> None:
    this = plan(seed % 3)
    patient = lying_patient(this)
    given_points = patient if count > len(patient) else patient[:: len(patient) // count]
    meshes = drape_patient(this, given_points, np.random.default_rng(seed))
    for mesh in meshes:
        _check(mesh)
    cloth = meshes[0]
    table = this.table
    local = (patient - (table.x, table.y, 0)) @ upright(table.heading)
    cloth_local = (cloth.vertices - (table.x, table.y, 0)) @ upright(table.heading)
    top = cloth_local[:, 0].max()
    assert top < local[:, 0].max() - 0.25  # head and neck are free
    covered = local[local[:, 0] < top - 0.03][::4]
    height = _height_above(cloth_local, cloth.triangles, covered[:, :2])
    assert np.isfinite(height).all()  # no holes
    assert np.all(height > covered[:, 2])
    assert cloth_local[:, 2].min() < table.height - 0.15  # it hangs over the sides


def _height_above(vertices: np.ndarray, triangles: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """Height of the cloth's highest triangle over each spot (N, 2); −inf where there is none."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    (bx, by, bz), (cx, cy, cz) = (b - a).T, (c - a).T
    area = bx * cy - by * cx
    level = np.abs(area) > 1e-9
    a, bx, by, bz, cx, cy, cz, area = (values[level] for values in (a, bx, by, bz, cx, cy, cz, area))
    best = []
    for x, y in spots:
        px, py = x - a[:, 0], y - a[:, 1]
        u, v = (px * cy - py * cx) / area, (bx * py - by * px) / area
        inside = (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9)
        best.append(np.max((a[:, 2] + u * bz + v * cz)[inside], initial=-np.inf))
    return np.array(best)
