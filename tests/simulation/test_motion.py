"""Postures become poses whose hands arrive, eyes look and feet stand; ways and steps over the floor."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.simulation.bodies.rotations import facing
from or_mv_anon.simulation.motion.footsteps import Footsteps
from or_mv_anon.simulation.motion.lying import Lying
from or_mv_anon.simulation.motion.paths import ACCELERATION, FloorMap, Walk
from or_mv_anon.simulation.motion.poser import Poser
from or_mv_anon.simulation.motion.posture import Foot, Hand, Posture
from tests.simulation.stick_people import small_room, stick_person

HEADING = 0.7
IDLE = (Hand(np.zeros(3)), Hand(np.zeros(3)))


def feet(x=0.0, y=0.0, heading=HEADING):
    aside = facing(heading) @ np.array([0.1, 0.0, 0.0])
    here = np.array([x, y, 0.0])
    return Foot(here + aside, heading), Foot(here - aside, heading)


def standing(**changes):
    return Posture(0.0, 0.0, HEADING, **{"feet": feet(), "hands": IDLE} | changes)


def in_world(local):
    return facing(HEADING) @ np.asarray(local, float)


@settings(max_examples=40)
@given(st.floats(-0.3, 0.3), st.floats(0.3, 0.55), st.floats(0.5, 1.15), st.sampled_from([0.9, 1.0, 1.1]))
def test_hands_arrive_at_what_a_standing_person_can_reach(side, ahead, height, scale):
    poser = Poser(stick_person(scale))
    points = [np.array([side + off, -ahead, height]) for off in (0.08, -0.08)]
    pose = poser.pose(poser.reaching(standing(hands=tuple(Hand(point, 1.0) for point in points))))
    joints = poser.skeleton.joints(pose)
    for name, point in zip("LR", points, strict=True):
        assert np.linalg.norm(joints[poser.skeleton.number(f"wrist.{name}")] - in_world(point)) < 0.03


@settings(max_examples=40)
@given(st.floats(-0.1, 0.8), st.floats(-0.2, 0.2), st.floats(-0.4, 0.4), st.floats(0, 0.3), st.floats(-0.05, 0.05))
def test_feet_stay_on_the_floor_whatever_the_trunk_does(lean, side, twist, drop, shift):
    poser = Poser(stick_person())
    pose = poser.pose(standing(lean=lean, side=side, twist=twist, drop=drop, shift=shift))
    joints = poser.skeleton.joints(pose)
    for name, foot in zip("LR", feet(), strict=True):
        ankle = joints[poser.skeleton.number(f"foot.{name}")]
        assert np.allclose(ankle, foot.place + np.array([0, 0, poser.ankle_height]), atol=2e-3)
        toe = poser.skeleton.number(f"toe2-1.{name}")
        assert math.isclose(joints[toe][2], poser.skeleton.rest_joints[toe][2], abs_tol=2e-3)


@pytest.mark.parametrize(("left", "down"), [(0.0, 0.0), (1.0, 0.3), (-1.0, 0.6), (0.3, -0.4)])
def test_the_head_turns_to_what_is_looked_at(left, down):
    poser = Poser(stick_person())
    target = np.array([2 * math.sin(left), -2 * math.cos(left), 1.6 - 2 * math.tan(down)])
    pose = poser.pose(standing(gaze=target, lean=0.2))
    eye = poser.skeleton.joints(pose)[poser.skeleton.number("eye.L")]
    for bone, most in (("head", 20), ("eye.L", 6)):
        front = poser.skeleton.transforms(pose)[poser.skeleton.number(bone), :3, :3] @ [0, -1, 0]
        wanted = in_world(target) - eye
        assert math.degrees(math.acos(front @ wanted / np.linalg.norm(wanted))) < most


def test_looking_behind_oneself_stops_at_what_a_neck_can_do():
    poser = Poser(stick_person())
    pose = poser.pose(standing(gaze=np.array([0.4, 3.0, 1.6])))
    front = facing(HEADING).T @ poser.skeleton.transforms(pose)[poser.skeleton.number("head"), :3, :3] @ [0, -1, 0]
    assert math.degrees(math.acos(-front[1])) < 80


def test_idle_arms_hang():
    poser = Poser(stick_person())
    joints = poser.skeleton.joints(poser.pose(standing()))
    for name in "LR":
        drop = joints[poser.skeleton.number(f"wrist.{name}")] - joints[poser.skeleton.number(f"upperarm01.{name}")]
        assert drop[2] < -0.9 * np.linalg.norm(drop)


def test_sitting_lowers_the_hips_behind_the_feet():
    poser = Poser(stick_person())
    pose = poser.pose(standing(drop=0.35, back=0.34))
    hips = facing(HEADING).T @ poser.skeleton.joints(pose)[poser.skeleton.number("upperleg01.L")]
    knee = facing(HEADING).T @ poser.skeleton.joints(pose)[poser.skeleton.number("lowerleg01.L")]
    assert hips[1] > 0.25
    assert hips[2] < 0.62
    assert knee[1] < hips[1] - 0.3


def straight_walk(speed=1.0):
    walk = Walk(np.array([[-2.0, 0.0], [2.0, 0.0]]), 0.5, speed)
    times = np.arange(0, walk.end + 1.5, 0.05)
    places, headings = walk.at(times)
    return walk, times, places, Footsteps(times, places, headings)


def test_a_walk_starts_and_ends_at_rest_and_never_exceeds_its_speed():
    walk, _, places, _ = straight_walk(0.9)
    assert np.allclose(places[0], [-2, 0])
    assert np.allclose(places[-1], [2, 0])
    speeds = np.linalg.norm(np.diff(places, axis=0), axis=1) / 0.05
    assert speeds.max() <= 0.9 + 1e-6
    assert np.abs(np.diff(speeds)).max() / 0.05 <= ACCELERATION * 1.05
    assert walk.end == pytest.approx(0.5 + 4.0 / 0.9 + 0.9 / ACCELERATION)


def test_steps_alternate_and_have_human_lengths():
    _, _, _, steps = straight_walk()
    order = sorted((step.start, foot) for foot in (0, 1) for step in steps.steps[foot])
    walking = [foot for start, foot in order if 1.2 < start < 4.0]
    assert all(first != second for first, second in itertools.pairwise(walking))
    lengths = [np.linalg.norm(step.after[:2] - step.before[:2]) for foot in (0, 1) for step in steps.steps[foot]]
    assert max(lengths) < 1.3
    for foot, step in enumerate(steps.steps[foot][-1] for foot in (0, 1)):
        assert abs(step.after[0] - 2.0) < 0.08, foot


def test_planted_feet_neither_slide_nor_sink():
    skeleton = stick_person()
    poser = Poser(skeleton)
    _, times, places, steps = straight_walk()
    rest = {name: skeleton.rest_joint(f"foot.{name}") for name in "LR"}
    before = {}
    for time in np.arange(0.0, times[-1], 0.04):
        x = float(np.interp(time, times, places[:, 0]))
        pose = poser.pose(Posture(x, 0.0, 0.0, steps.at(float(time)), IDLE))
        matrices = skeleton.transforms(pose)
        for foot, name in enumerate("LR"):
            under = rest[name] * [1, 1, 0]
            sole = [under + np.array([0, ahead, 0]) for ahead in (poser.heel_back, -poser.ball_forward)]
            here = np.array([(matrices[skeleton.number(f"foot.{name}")] @ [*point, 1])[:3] for point in sole])
            assert here[:, 2].min() > -0.02
            swinging = steps.swinging(foot, float(time)) or steps.swinging(foot, float(time) - 0.04)
            if name in before and not swinging:
                moved = np.linalg.norm(here - before[name], axis=1).min()
                assert moved < 0.01, (time, name)
            before[name] = here


def test_turning_on_the_spot_brings_the_feet_round():
    times = np.arange(0, 5, 0.05)
    headings = np.clip((times - 1) * 1.5, 0, math.pi)
    steps = Footsteps(times, np.zeros((len(times), 2)), headings)
    left, right = steps.at(4.9)
    assert abs(left.heading - math.pi) < 0.5
    assert left.place[1] < -0.03 < 0.03 < right.place[1]


def test_ways_keep_clear_of_furniture_and_people():
    floor = FloorMap(small_room())
    start, goal = np.array([-1.6, -0.4]), np.array([1.45, 0.0])
    person = np.array([[0.0, -0.7]])
    free = floor.route(start, goal, np.zeros((0, 2)), distance=0.5)
    around = floor.route(start, goal, person, distance=0.5)
    for way in (free, around):
        assert np.allclose(way[0], start)
        assert np.allclose(way[-1], goal)
        assert min(floor.room_at(point) for point in way) > 0.2
        assert np.linalg.norm(np.diff(way, axis=0), axis=1).max() < 0.08
    assert np.linalg.norm(around - person, axis=1).min() > 0.42
    assert np.linalg.norm(free - person, axis=1).min() < 0.42


def test_there_is_no_way_to_where_somebody_stands():
    floor = FloorMap(small_room())
    goal = np.array([1.45, 0.0])
    assert floor.route(np.array([-1.6, -0.4]), goal, goal[None], distance=0.5) is None


def test_the_patient_lies_on_the_table_face_up_with_the_head_at_its_head():
    skeleton = stick_person()
    plan = small_room()
    lying = Lying(skeleton, plan.table, np.random.default_rng(0))
    joints = skeleton.joints(lying.pose(0.0))
    head = joints[skeleton.number("head")]
    assert 0.5 < head[0] < plan.table.length / 2
    assert joints[skeleton.number("foot.L")][0] < head[0] - 1.3
    face = skeleton.transforms(lying.pose(0.0))[skeleton.number("head"), :3, :3] @ [0, -1, 0]
    assert face[2] > 0.85
    assert plan.table.height < joints[:, 2].min() + 0.02
    assert np.abs(joints[:, 1]).max() < plan.table.width / 2 + 0.06
    assert np.abs(skeleton.joints(lying.pose(1.3)) - joints).max() < 0.02


@pytest.mark.parametrize(("position", "looks"), [("prone", "away"), ("lateral", "aside"), ("lithotomy", "up")])
def test_the_patient_lies_as_they_are_laid(position, looks):
    skeleton, plan = stick_person(), small_room()
    lying = Lying(skeleton, plan.table, np.random.default_rng(0), position=position)
    pose = lying.pose(0.0)
    joints, turned = skeleton.joints(pose), skeleton.transforms(pose)
    head = skeleton.number("head")
    assert 0.5 < joints[head][0] < plan.table.length / 2
    assert plan.table.height - 0.05 < joints[:, 2].min()
    chest = turned[skeleton.number("spine02"), :3, :3] @ [0, -1, 0]
    assert {"away": chest[2] < -0.9, "aside": abs(chest[2]) < 0.4, "up": chest[2] > 0.9}[looks]
    assert (turned[head, :3, :3] @ [0, -1, 0])[2] > -0.75  # nobody's face is in the table
    knee = joints[skeleton.number("lowerleg01.L")]
    assert (knee[2] > plan.table.height + 0.35) == (position == "lithotomy")
