"""A team's movements as a whole: nobody collides, hands meet, everything is smooth and can be asked in any order."""

import itertools

import numpy as np
import pytest

from or_mv_anon.simulation.motion.choreography import ACTIONS, CastMember, Choreography
from or_mv_anon.simulation.motion.paths import FloorMap
from or_mv_anon.simulation.scene import MaskState, RoomPlan
from tests.simulation.stick_people import small_room, stick_person

ROLES = (
    "patient",
    "surgeon",
    "anaesthetist",
    "scrub_nurse",
    "assistant",
    "circulating_nurse",
    "student",
    "technician",
    "second_assistant",
    "student",
)
SECONDS = 16.0


def team(count):
    return [
        CastMember(number + 1, role, stick_person(0.92 + 0.02 * number)) for number, role in enumerate(ROLES[:count])
    ]


def places(choreography, cast, times):
    """Where everybody stands, (T, N, 2): the middle between the ankles, NaN when out of the room."""
    found = np.full((len(times), len(cast), 2), np.nan)
    for row, time in enumerate(times):
        for column, (moment, member) in enumerate(zip(choreography.at(float(time)), cast, strict=True)):
            if moment.pose is not None and member.role != "patient":
                joints = member.skeleton.joints(moment.pose)
                ankles = [joints[member.skeleton.number(f"foot.{side}")][:2] for side in "LR"]
                found[row, column] = np.mean(ankles, axis=0)
    return found


def wrists(member, moment):
    joints = member.skeleton.joints(moment.pose)
    return [joints[member.skeleton.number(f"wrist.{side}")] for side in "LR"]


@pytest.fixture(scope="module")
def nine():
    cast = team(9)
    return cast, Choreography(small_room(), cast, seed=5, duration=SECONDS)


def test_any_time_can_be_asked_in_any_order(nine):
    cast, choreography = nine
    times = [3.3, 20.01, 0.0, 11.7, 3.3]
    once = {time: choreography.at(time) for time in times}
    again = Choreography(small_room(), cast, seed=5, duration=SECONDS)
    for time in sorted(set(times)):
        for first, second in zip(once[time], again.at(time), strict=True):
            assert (first.person, first.action, first.mask) == (second.person, second.action, second.mask)
            assert (first.pose is None) == (second.pose is None)
            if first.pose is not None:
                assert np.array_equal(first.pose.root, second.pose.root)
                for bone, rotation in first.pose.rotations.items():
                    assert np.array_equal(rotation, second.pose.rotations[bone])


def test_another_seed_is_another_operation(nine):
    cast, choreography = nine
    other = Choreography(small_room(), cast, seed=6, duration=SECONDS)
    times = np.arange(0, SECONDS, 5.0)
    assert not np.allclose(places(choreography, cast, times), places(other, cast, times), equal_nan=True)


@pytest.mark.parametrize(("count", "seed"), [(3, 0), (6, 1), (9, 2), (10, 3)])
def test_nobody_comes_near_anybody_nor_walks_into_things(count, seed):
    cast = team(count)
    plan = small_room()
    floor = FloorMap(plan)
    where = places(Choreography(plan, cast, seed=seed, duration=SECONDS), cast, np.arange(0, SECONDS, 0.4))
    for first, second in itertools.combinations(range(count), 2):
        apart = np.linalg.norm(where[:, first] - where[:, second], axis=-1)
        assert np.nanmin(apart, initial=9) > 0.36, (cast[first].role, cast[second].role)
    inside = where[(np.abs(where) < np.array(plan.size[:2]) / 2 - 0.3).all(axis=-1)]
    assert min(floor.room_at(place) for place in inside) > 0.1


def test_bodies_move_at_human_speeds(nine):
    cast, choreography = nine
    step = 0.08
    limits = {"wrist.L": 3.5, "wrist.R": 3.5, "head": 2.2, "root": 1.6, "foot.L": 4.0, "lowerarm01.L": 3.0}
    before = {}
    for time in np.arange(0, SECONDS, step):
        for moment, member in zip(choreography.at(float(time)), cast, strict=True):
            if moment.pose is None:
                before.pop(moment.person, None)
                continue
            joints = member.skeleton.joints(moment.pose)
            for bone, most in limits.items():
                number = member.skeleton.number(bone)
                if moment.person in before:
                    speed = np.linalg.norm(joints[number] - before[moment.person][number]) / step
                    assert speed < most, (member.role, moment.action, bone, time)
            before[moment.person] = joints


def test_feet_stay_above_the_floor_and_bodies_upright(nine):
    cast, choreography = nine
    for time in np.arange(0, SECONDS, 0.5):
        for moment, member in zip(choreography.at(float(time)), cast, strict=True):
            if moment.pose is None or member.role == "patient":
                continue
            joints = member.skeleton.joints(moment.pose)
            scale = member.skeleton.rest_joint("foot.L")[2]
            for side in "LR":
                ankle = joints[member.skeleton.number(f"foot.{side}")][2]
                assert 0.9 * scale < ankle < scale + 0.2
            assert joints[member.skeleton.number("head")][2] > 0.5


def test_hands_meet_when_instruments_are_passed():
    """In the middle of a passing both wrists are as far apart as two hands that hold one thing."""
    cast = team(5)
    nurse, takers = cast[3], (cast[1], cast[4])
    choreography = Choreography(small_room(), cast, seed=11, duration=40.0)
    nearest = []
    for time in np.arange(0, 40, 0.25):
        moments = choreography.at(float(time))
        for taker in takers:
            if moments[3].action == moments[taker.person - 1].action == "pass_instrument":
                pairs = itertools.product(wrists(nurse, moments[3]), wrists(taker, moments[taker.person - 1]))
                nearest.append(min(np.linalg.norm(giving - taking) for giving, taking in pairs))
    assert nearest, "no instrument was passed in 40 seconds"
    assert 0.12 < min(nearest) < 0.26


def test_people_come_and_go_and_show_their_faces():
    cast = team(9)
    choreography = Choreography(small_room(), cast, seed=4, duration=120.0)
    seen, masks, out = set(), set(), set()
    for time in np.arange(0, 120, 2.5):
        for moment, member in zip(choreography.at(float(time)), cast, strict=True):
            seen.add(moment.action)
            masks.add(moment.mask)
            if moment.pose is None:
                out.add(member.role)
    assert seen <= set(ACTIONS)
    assert {"operate", "assist", "prepare", "pass_instrument", "walk", "watch", "lie", "out"} <= seen
    assert {MaskState.WORN, MaskState.PULLED_DOWN} <= masks
    assert out
    assert not out & {"surgeon", "scrub_nurse", "patient"}


def test_a_room_without_stations_still_has_a_team_at_work():
    plan = small_room()
    bare = RoomPlan(plan.size, plan.table, {}, plan.obstacles, plan.door, ())
    cast = team(7)
    where = places(Choreography(bare, cast, seed=1, duration=10.0), cast, np.arange(0, 10, 1.0))
    for first, second in itertools.combinations(range(len(cast)), 2):
        apart = np.linalg.norm(where[:, first] - where[:, second], axis=-1)
        assert np.nanmin(apart, initial=9) > 0.36
