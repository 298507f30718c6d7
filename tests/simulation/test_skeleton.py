"""Forward kinematics, rotations and the closed-form limbs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.simulation.bodies.rotations import about, axis_angle, facing, frame, turn, twist_about
from or_mv_anon.simulation.bodies.skeleton import Skeleton
from or_mv_anon.simulation.motion.limbs import arm, leg, reach_for, spread_twist
from or_mv_anon.simulation.scene import Pose
from tests.simulation.stick_people import stick_person

angle = st.floats(-3.0, 3.0)
directions = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1).map(np.array)


def test_nothing_moves_in_the_rest_pose():
    skeleton = stick_person()
    assert np.allclose(skeleton.transforms(Pose({}, np.eye(4))), np.eye(4))


def test_children_are_carried_along_by_a_turned_bone():
    skeleton = stick_person()
    turned = skeleton.joints(Pose({"upperarm01.L": turn("z", math.pi / 2)}, np.eye(4)))
    shoulder, wrist = skeleton.rest_joint("upperarm01.L"), skeleton.rest_joint("wrist.L")
    expected = shoulder + turn("z", math.pi / 2) @ (wrist - shoulder)
    assert np.allclose(turned[skeleton.number("wrist.L")], expected)
    assert np.allclose(turned[skeleton.number("wrist.R")], skeleton.rest_joint("wrist.R"))


def test_rotations_are_in_body_axes_carried_along_by_the_parent():
    skeleton = stick_person()
    first, second = turn("x", 0.7), turn("y", -0.4)
    matrices = skeleton.transforms(Pose({"upperarm01.L": first, "lowerarm01.L": second}, np.eye(4)))
    assert np.allclose(matrices[skeleton.number("wrist.L"), :3, :3], first @ second)


@settings(max_examples=30)
@given(st.lists(angle, min_size=6, max_size=6))
def test_bones_never_change_their_length_and_the_root_moves_all(angles):
    skeleton = stick_person()
    names = ["spine03", "upperarm01.L", "lowerarm01.L", "upperleg01.R", "lowerleg01.R", "neck02"]
    root = np.eye(4)
    root[:3, :3], root[:3, 3] = turn("z", 1.0), (3, -2, 0.5)
    rotations = {name: about(np.array([1.0, 0.4, -0.3]), value) for name, value in zip(names, angles, strict=True)}
    joints = skeleton.joints(Pose(rotations, root))
    parents = skeleton.parents[1:]
    rest = np.linalg.norm(skeleton.rest_joints[1:] - skeleton.rest_joints[parents], axis=1)
    assert np.allclose(np.linalg.norm(joints[1:] - joints[parents], axis=1), rest, atol=1e-9)
    matrices = skeleton.transforms(Pose(rotations, root))
    at_rest = np.concatenate([skeleton.rest_joints, np.ones((len(skeleton), 1))], axis=1)
    moved = (matrices @ at_rest[:, :, None])[:, :3, 0]
    assert np.allclose(moved, joints)


def test_a_list_that_is_no_tree_is_refused():
    with pytest.raises(ValueError, match="one root"):
        Skeleton(["a", "b"], [-1, 1], np.tile(np.eye(4), (2, 1, 1)))
    with pytest.raises(ValueError, match="no bone 'tail'"):
        stick_person().number("tail")


@settings(max_examples=100)
@given(directions, angle, directions)
def test_twist_is_what_turns_about_the_axis(axis, twist, other):
    along = axis / np.linalg.norm(axis)
    swing_axis = np.cross(along, other)
    if np.linalg.norm(swing_axis) < 0.05:
        return
    rotation = about(swing_axis, 0.8) @ about(along, twist)
    assert math.isclose(twist_about(rotation, axis), twist, abs_tol=1e-6)


@settings(max_examples=50)
@given(directions, st.floats(0.01, 3.1))
def test_axis_and_angle_make_the_rotation_again(axis, value):
    rotation = about(axis, value)
    assert np.allclose(about(*axis_angle(rotation)), rotation, atol=1e-6)


def test_facing_turns_the_front_to_the_heading():
    front = facing(0.3) @ np.array([0.0, -1.0, 0.0])
    assert np.allclose(front, [math.cos(0.3), math.sin(0.3), 0])


@settings(max_examples=200)
@given(directions, st.floats(0.0, 1.0), directions, st.sampled_from(["arm", "leg"]), st.sampled_from("LR"))
def test_limbs_reach_what_is_within_reach(direction, share, hint, kind, side):
    limb = {"arm": arm, "leg": leg}[kind](stick_person(), side)
    start, middle, end = limb.ends
    distance = limb.nearest + share * (limb.reach - limb.nearest)
    target = start + distance * direction / np.linalg.norm(direction)
    upper, lower = reach_for(limb, start, target, hint)
    joint = start + upper @ (middle - start)
    reached = joint + lower @ (end - middle)
    assert np.allclose(reached, target, atol=1e-6)
    bend = math.acos(np.clip(np.dot(upper @ (middle - start), lower @ (end - middle)) / math.prod(limb.lengths), -1, 1))
    assert bend <= limb.most_bent + 1e-6
    across = frame(target - start, hint)[:, 1]
    assert np.dot(joint - start, across) >= -1e-9  # the elbow is on the side of the hint


@pytest.mark.parametrize("far", [0.01, 5.0])
def test_out_of_reach_is_approached_in_its_direction(far):
    limb = arm(stick_person(), "L")
    start, middle, end = limb.ends
    upper, lower = reach_for(limb, start, start + np.array([0.0, -far, 0.0]), np.array([0.0, 0.0, -1.0]))
    reached = upper @ (middle - start) + lower @ (end - middle)
    assert np.allclose(reached / np.linalg.norm(reached), [0, -1, 0], atol=1e-6)
    assert limb.nearest - 1e-9 <= np.linalg.norm(reached) <= limb.reach + 1e-9


@settings(max_examples=50)
@given(directions, angle)
def test_spreading_the_upper_arms_twist_hardly_moves_the_elbow(axis, value):
    skeleton = stick_person()
    rotation = about(axis, value)
    spread = spread_twist(skeleton, "L", rotation)
    joints = skeleton.joints(Pose(spread, np.eye(4)))
    shoulder, elbow = skeleton.rest_joint("upperarm01.L"), skeleton.rest_joint("lowerarm01.L")
    assert np.linalg.norm(joints[skeleton.number("lowerarm01.L")] - shoulder - rotation @ (elbow - shoulder)) < 0.015
    assert np.allclose(spread["upperarm01.L"] @ spread["upperarm02.L"], rotation)
