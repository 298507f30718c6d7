"""Cameras hang where they see, sensors render as cameras do, schedules keep their promises."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.simulation.cameras.placing import Camera, Recording, place_cameras
from or_mv_anon.simulation.cameras.schedule import TIME_BASE, plan_schedule
from or_mv_anon.simulation.cameras.sensor import (
    INFRARED,
    MIDDLE_GREY,
    OLD,
    Sensor,
    develop,
    draw_sensor,
    luminance,
    meter,
)
from or_mv_anon.simulation.cameras.sight import LAMP_RADIUS, Sight, clear_sight
from or_mv_anon.simulation.scene import Material, Mesh
from tests.simulation.marble_stage import PLAN

PLAIN = Sensor(
    glare=0, vignetting=0, blur=0, shot_noise=0, read_noise=0, fixed_pattern=0, sharpening=0
)  # fmt: skip


def site(seed: int, count: int = 6, **changes: object) -> list[Camera]:
    return place_cameras(PLAN, count, np.random.default_rng(seed), Recording(**changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(8))
def test_cameras_see_the_table_past_the_lamps(seed: int) -> None:
    table = np.array([[PLAN.table.x, PLAN.table.y, PLAN.table.height + 0.2]])
    for camera in site(seed):
        pixels, depth = camera.still.project(table)
        assert depth[0] > 0.5
        assert (pixels[0] > 0).all()
        assert (pixels[0] < [640, 360]).all()
        half = np.array(PLAN.size) / 2
        assert (np.abs(camera.still.centre[:2]) < half[:2]).all()
        assert 1.9 < camera.still.centre[2] < PLAN.size[2]
    seen = [clear_sight(PLAN, camera.still.centre, table)[0] for camera in site(seed, 4)]
    assert sum(seen) >= 3


@pytest.mark.parametrize("count", range(1, 9))
def test_cameras_hang_apart_and_are_named(count: int) -> None:
    cameras = site(3, count)
    assert [camera.name for camera in cameras] == [f"cam{n + 1}" for n in range(count)]
    eyes = np.array([camera.still.centre for camera in cameras])
    gaps = np.linalg.norm(eyes[:, None] - eyes[None], axis=-1)[~np.eye(count, dtype=bool)]
    assert (gaps > 0.2).all()


def test_four_cameras_look_from_different_sides() -> None:
    for seed in range(6):
        angles = np.sort([np.arctan2(*(c.still.centre[[1, 0]] - [PLAN.table.y, PLAN.table.x])) for c in site(seed, 4)])
        turns = np.diff([*angles, angles[0] + 2 * np.pi])
        assert turns.max() < np.radians(230)


def test_same_seed_same_cameras_and_other_seed_others() -> None:
    first, again, other = ([camera.still.to_json() for camera in site(seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_nudge_changes_nothing_else() -> None:
    still, bumped = ([camera.still.to_json() for camera in site(1, nudge=nudge)] for nudge in (False, True))
    assert still == bumped


def test_other_sensors_hang_at_the_same_places() -> None:
    usual, infrared = site(1), site(1, sensor=INFRARED)
    assert [camera.still.to_json() for camera in usual] == [camera.still.to_json() for camera in infrared]
    assert [camera.sensor for camera in usual] != [camera.sensor for camera in infrared]


def test_infrared_is_grey_and_sees_long_waves_best() -> None:
    sensor = draw_sensor(np.random.default_rng(0), INFRARED)
    colours = np.zeros((3, 40, 40, 3), np.float32)
    for channel in range(3):
        colours[channel, ..., channel] = 0.3
    shown = [
        develop(colour, sensor, gain=1.0, noise=np.random.default_rng(0))[20, 20].astype(int) for colour in colours
    ]
    assert all(np.ptp(pixel) <= 1 for pixel in shown)
    assert shown[0].mean() > shown[1].mean() > shown[2].mean()


def test_old_cameras_are_grainier_and_less_sharp() -> None:
    edge = np.full((60, 80, 3), 0.1, np.float32)
    edge[:, 40:] = 0.5
    grain, step = [], []
    for sensor in (draw_sensor(np.random.default_rng(0)), draw_sensor(np.random.default_rng(0), OLD)):
        shown = develop(edge, sensor, gain=1.0, noise=np.random.default_rng(0)).astype(float).mean(axis=2)
        grain.append(shown[20:40, 60:75].std())
        step.append(np.abs(np.diff(shown.mean(axis=0)))[35:45].max())
    assert grain[1] > 3 * grain[0]
    assert step[1] < step[0]


def test_sight_ends_at_lamps_and_cabinets() -> None:
    eye = np.array([3.0, 0.0, 2.1])
    behind_lamp, beside_lamp = [-2.0, 0.0, 2.1], [-2.0, 4 * LAMP_RADIUS, 2.1]
    behind_cabinet, above_cabinet = [3.1, 0.0, 0.2], [3.1, 0.0, 2.0]
    assert clear_sight(PLAN, eye, np.array([behind_lamp, beside_lamp])).tolist() == [False, True]
    left = np.array([2.0, 0.0, 0.5])
    assert clear_sight(PLAN, left, np.array([behind_cabinet, above_cabinet])).tolist() == [False, True]


def test_meshes_block_the_sight_where_they_really_are() -> None:
    """A screen of 0.8 x 0.5 m hangs in front of the camera; its plan would not know how high."""
    corners = np.array([[0.5, -0.4, 1.2], [0.5, 0.4, 1.2], [0.5, 0.4, 1.7], [0.5, -0.4, 1.7]], np.float32)
    screen = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32), Material())
    sight = Sight(PLAN, [screen])
    points = np.array([[-1.5, 0.0, 1.45], [-1.5, 0.0, 0.3], [-1.5, 2.4, 1.45], [0.4, 0.0, 1.45], [1.5, 0.0, 1.45]])
    assert sight.clear(np.array([2.5, 0.0, 1.45]), points).tolist() == [False, True, True, True, True]


def test_a_nudge_turns_one_camera_in_place() -> None:
    cameras = site(2, 5, nudge=True, duration=20.0)
    bumped = [camera for camera in cameras if camera.nudge is not None]
    assert len(bumped) == 1
    before, after = bumped[0].optics_at(7.9), bumped[0].optics_at(14.1)
    np.testing.assert_allclose(before.centre, after.centre, atol=1e-9)
    turn = np.degrees(np.arccos((np.trace(after.rotation @ before.rotation.T) - 1) / 2))
    assert 1 <= turn <= 4


@settings(max_examples=40)
@given(seed=st.integers(0, 1000), instants=st.integers(1, 60), fps=st.sampled_from([5, 10, 24, 30]))
def test_offsets_bring_every_clock_back_to_the_session(seed: int, instants: int, fps: int) -> None:
    for number, camera in enumerate(site(seed, 4, duration=instants / fps, rate=fps, mixed=True)):
        schedule = plan_schedule(camera, number, instants=instants, rate=Fraction(fps), seed=seed)
        assert len(schedule.pts) >= 1
        assert (np.diff(schedule.pts) > 0).all()
        assert schedule.pts[0] >= 0
        session = schedule.times + schedule.offset
        np.testing.assert_allclose(session, schedule.instants / fps, atol=2 * float(TIME_BASE))
        assert schedule.instants[-1] < instants


def test_dropped_frames_leave_gaps() -> None:
    camera = site(0, 1)[0]
    lossy = Camera(name="cam1", still=camera.still, sensor=PLAIN, clock=type(camera.clock)(drop_rate=0.2))
    schedule = plan_schedule(lossy, 0, instants=500, rate=Fraction(10), seed=1)
    assert 350 < len(schedule.pts) < 450
    assert set(np.diff(schedule.pts)) > {9000, 18000}
    assert schedule.between(100, 200) == slice(*np.searchsorted(schedule.instants, [100, 200]).tolist())


def test_a_plain_sensor_applies_the_transfer_function() -> None:
    """18 % grey becomes 41 % of full scale under BT.709: 1.099 · 0.18^0.45 - 0.099 = 0.409."""
    grey = np.full((8, 8, 3), 0.18, np.float32)
    shown = develop(grey, PLAIN, gain=1.0, noise=np.random.default_rng(0))
    assert np.unique(shown).tolist() == pytest.approx([0.409 * 255], abs=0.6)


def test_metering_brings_any_light_to_middle_grey() -> None:
    picture = np.random.default_rng(0).uniform(0.4, 0.6, (40, 40, 3)).astype(np.float32)
    lamp = picture.copy()
    lamp[:4, :4] = 100  # must not darken the rest
    for scale in (0.01, 1.0, 30.0):
        assert scale * meter([picture * scale]) * 0.5 == pytest.approx(MIDDLE_GREY, rel=0.05)
    assert meter([lamp]) == pytest.approx(meter([picture]), rel=0.05)


def test_brighter_light_is_noisier_and_never_darker() -> None:
    sensor = Sensor(glare=0, vignetting=0, blur=0, fixed_pattern=0, sharpening=0, shot_noise=0.001, read_noise=0.003)
    ramp = np.repeat(np.linspace(0.02, 3, 60, dtype=np.float32)[None, :, None], 400, axis=0).repeat(3, axis=2)
    clean = develop(ramp, PLAIN, gain=1.0, noise=np.random.default_rng(0))
    assert (np.diff(clean[0, :, 0].astype(int)) >= 0).all()
    linear_noise = np.std(develop(ramp, sensor, gain=1.0, noise=np.random.default_rng(0)).astype(float), axis=0)
    assert linear_noise[:20].mean() > 1  # visible in the middle tones
    assert linear_noise[-5:].mean() < linear_noise[:20].mean()  # and gone where the picture is white


def test_noise_is_the_frames_own() -> None:
    grey = np.full((20, 20, 3), 0.2, np.float32)
    sensor = draw_sensor(np.random.default_rng(0))
    first, again, other = (develop(grey, sensor, gain=1, noise=np.random.default_rng(n)) for n in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_a_lamp_glows_beyond_its_edge() -> None:
    dark = np.full((90, 160, 3), 0.02, np.float32)
    dark[40:50, 70:90] = 20
    still = Sensor(glare=0.1, vignetting=0, blur=0, shot_noise=0, read_noise=0, fixed_pattern=0, sharpening=0)
    with_glow, without = (develop(dark, s, gain=1.0, noise=np.random.default_rng(0)) for s in (still, PLAIN))
    assert (
        luminance(with_glow[36:39, 70:90].astype(np.float32)).mean()
        > luminance(without[36:39, 70:90].astype(np.float32)).mean() + 5
    )


def test_corners_are_darker() -> None:
    sensor = Sensor(vignetting=0.4, glare=0, blur=0, shot_noise=0, read_noise=0, fixed_pattern=0, sharpening=0)
    shown = develop(np.full((90, 160, 3), 0.3, np.float32), sensor, gain=1.0, noise=np.random.default_rng(0))
    assert shown[0, 0].max() < shown[45, 80].min() - 10
