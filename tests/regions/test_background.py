"""Turned cameras are told from people who come, lamps that are switched and noise, by what stands still alone."""

import cv2
import numpy as np
import pytest

from or_mv_anon.regions.background import CELLS, HEIGHT, WIDTH, describe, turns

BEFORE, AFTER = 6, 6
RANDOM = np.random.default_rng(5)


def room(wide=640, high=360):
    """A picture of walls, cupboards and lamps."""
    picture = np.full((high, wide, 3), 90, np.uint8)
    for _ in range(90):
        corner = RANDOM.integers(0, (wide, high))
        side = RANDOM.integers(10, 120, 2)
        colour = tuple(int(c) for c in RANDOM.integers(20, 220, 3))
        cv2.rectangle(picture, corner.tolist(), (corner + side).tolist(), colour, -1)
    return picture


ROOM = room()


def seen(scene, *, gain=1.0, people=0, number=0):
    """What a camera notes of a scene: brighter or darker, with people before it, and noise."""
    picture = scene.astype(np.float32) * gain
    walk = np.random.default_rng([people, number])
    for _ in range(people):
        x, y = walk.integers(0, scene.shape[1] - 60), walk.integers(60, 160)
        picture[y:, x : x + 60] = 60 * gain + walk.normal(0, 20, (scene.shape[0] - y, 60, 3))
    noisy = picture + walk.normal(0, 4, picture.shape)
    small = cv2.resize(noisy.clip(0, 255).astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return describe(small)


def shifted(scene, share):
    move = round(share * scene.shape[1])
    return np.roll(scene, -move, axis=1)[:, : scene.shape[1] - move]


def moments(scene, count, **how):
    return [seen(scene, number=number, **how) for number in range(count)]


@pytest.mark.parametrize("share", [0.04, 0.08, 0.2, 0.5])
@pytest.mark.parametrize("people", [0, 3])
def test_a_turn_is_found_at_its_moment(share, people):
    cells = [*moments(ROOM, BEFORE, people=people), *moments(shifted(ROOM, share), AFTER, people=people)]
    assert turns(np.stack(cells)).tolist() == [BEFORE]


def test_two_turns_are_two():
    cells = [*moments(ROOM, 8), *moments(shifted(ROOM, 0.1), 8), *moments(shifted(ROOM, 0.3), 8)]
    assert turns(np.stack(cells)).tolist() == [8, 16]


@pytest.mark.parametrize("gain", [0.3, 0.6, 1.5])
@pytest.mark.parametrize("people", [0, 1, 5])
def test_lamps_and_people_are_no_turn(gain, people):
    cells = [*moments(ROOM, BEFORE), *moments(ROOM, AFTER, gain=gain, people=people)]
    assert turns(np.stack(cells)).tolist() == []


def test_somebody_who_stands_before_the_camera_for_a_while_is_no_turn():
    hidden = ROOM.copy()
    hidden[:, 200:420] = 70
    cells = [*moments(ROOM, 8), *moments(hidden, 3), *moments(ROOM, 8)]
    assert turns(np.stack(cells)).tolist() == []


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_moments(count):
    cells = np.zeros((count, *CELLS), np.uint8)
    assert turns(cells).tolist() == []
