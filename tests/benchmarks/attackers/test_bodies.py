"""Matching whole people, and covering their heads before."""

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.attackers.bodies import Bodies, covered_frames, match_bodies
from or_mv_anon.attack.anonymizers import product
from or_mv_anon.core.config import load_config
from or_mv_anon.core.truth import TruthPeople
from or_mv_anon.head_training.simulated import SimulatedFrame


def bodies(*, noise: float, alike: bool = False, seed: int = 0) -> Bodies:
    """Four people in two cameras at three times; `alike`: everybody looks like the first."""
    draw = np.random.default_rng(seed)
    looks = np.eye(8, dtype=np.float32)[:4]
    rows = [(p, c, t) for p in range(4) for c in ("cam1", "cam2") for t in (0.0, 10.0, 20.0)]
    vector = np.stack([looks[0 if alike else p] + draw.normal(0, noise, 8) for p, _, _ in rows]).astype(np.float32)
    vector /= np.linalg.norm(vector, axis=1, keepdims=True)
    person, camera, time = (np.array(column) for column in zip(*rows, strict=True))
    return Bodies(vector, person, camera, time)


def test_people_who_look_unlike_are_found_in_both_ways() -> None:
    found = match_bodies(bodies(noise=0.05, seed=1), bodies(noise=0.05, seed=2))
    assert found.same_camera.value == found.other_cameras.value == 1.0
    assert found.chance == 0.25


def test_people_who_look_alike_are_not() -> None:
    found = match_bodies(bodies(noise=0.05, alike=True, seed=1), bodies(noise=0.05, alike=True, seed=2))
    assert found.same_camera.value is not None
    assert found.same_camera.value < 0.6


def test_a_picture_is_not_compared_with_itself_or_its_neighbours() -> None:
    """Everybody looks different every time: only the very same picture would match."""
    draw = np.random.default_rng(3)
    vector = draw.normal(size=(24, 64)).astype(np.float32)
    vector /= np.linalg.norm(vector, axis=1, keepdims=True)
    same = bodies(noise=0.0)
    unlike = Bodies(vector, same.person, same.camera, same.time)
    found = match_bodies(unlike, unlike)
    assert found.same_camera.value is not None
    assert found.same_camera.value < 0.7
    assert found.other_cameras.value is not None
    assert found.other_cameras.value < 0.7


def test_heads_are_covered_and_nothing_else() -> None:
    people = TruthPeople.empty()
    one = {name: np.zeros((1, *shape)) for name, (_, shape) in people.columns.items()}
    one["head_box"] = np.array([[40, 20, 60, 44]])
    picture = np.random.default_rng(0).integers(0, 255, (80, 96, 3)).astype(np.uint8)
    frame = SimulatedFrame("cam1", picture, TruthPeople(**one), 0.0)
    (covered,) = covered_frames([frame], product("solid", load_config().operators))
    assert covered.picture[20:44, 40:60].max() < 20
    assert covered.picture[60:].std() > 50
    assert frame.picture[20:44, 40:60].std() > 50
