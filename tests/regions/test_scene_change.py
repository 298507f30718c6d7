"""How long something moves: people do, noise and lamps do not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.regions.scene_change import SceneChange

SIZE = (240, 416, 3)
LEAST = load_config().verdict.least_change
NOISE = np.random.default_rng(0)


def moving(pictures: list[np.ndarray], rate: float = 10.0) -> float:
    change = SceneChange(LEAST)
    for number, picture in enumerate(pictures):
        change.look(picture, number / rate)
    change.finish()
    assert all(earlier[1] < later[0] for earlier, later in pairwise(change.stretches))
    return sum(stop - start for start, stop in change.stretches)


def room(*, noise: float = 0.0, light: float = 1.0, person_at: int | None = None) -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    picture = np.repeat((60 + (x + 2 * y) % 90)[..., None], 3, axis=2).astype(float) * light
    if person_at is not None:
        picture[60:200, person_at : person_at + 40] = 160
    return np.clip(picture + NOISE.normal(0, noise, SIZE), 0, 255).astype(np.uint8)


def test_a_picture_has_colour_or_none() -> None:
    def colour(picture: np.ndarray) -> float:
        change = SceneChange(LEAST)
        change.look(picture, 0.0)
        change.look(room(noise=3), 1.0)
        return change.colour

    cast = room(noise=3) * np.array([0.6, 1, 0.8])
    gowns = room(noise=3)
    gowns[60:200, 50:90] = 160, 90, 60
    assert colour(room(noise=10, person_at=50)) < load_config().verdict.least_colour
    assert colour(np.full(SIZE, (40, 90, 60), np.uint8)) < load_config().verdict.least_colour, "one tint is no colour"
    assert colour(cast.astype(np.uint8)) < load_config().verdict.least_colour, "nor is one cast of light and shade"
    assert colour(gowns) > 2 * load_config().verdict.least_colour


def test_somebody_who_walks_moves_all_the_time() -> None:
    assert moving([room(person_at=20 + 3 * number, noise=3) for number in range(40)]) == pytest.approx(3.9)


def test_the_end_counts_however_short_the_recording() -> None:
    assert moving([room(person_at=20 + 10 * number) for number in range(4)]) == pytest.approx(0.3)


@pytest.mark.parametrize(
    "pictures",
    [
        [room(noise=12) for _ in range(20)],
        [room(light=1 + 0.01 * number) for number in range(20)],
        [room(person_at=100)] * 20,
        [room()],
        [],
    ],
)
def test_noise_light_and_stillness_are_no_movement(pictures: list[np.ndarray]) -> None:
    assert moving(pictures) == 0


def test_pictures_that_are_smaller_than_a_block() -> None:
    assert moving([np.full((8, 8, 3), value, np.uint8) for value in (0, 255, 0, 255)]) == 0
