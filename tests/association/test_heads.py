"""How high heads look is learned from people seen clearly, whatever the others look like."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from or_mv_anon.association.heads import HeadHeights
from or_mv_anon.association.views import BodyPoint, Observations, View

SIZE = (640, 360)


def view(points: NDArray[np.float64], heads: NDArray[np.float64], *, score: float = 0.9) -> View:
    count = len(points)
    seen = Observations(
        instant=np.arange(count),
        track=np.zeros(count),
        box=np.zeros((count, 4)),
        score=np.full(count, score),
        points=np.repeat(points[:, None], len(BodyPoint), axis=1),
        weight=np.ones((count, len(BodyPoint))),
        head=heads,
    )
    return View(name="cam", size=SIZE, observations=seen, tracks=np.zeros(1, np.int32))


@settings(max_examples=20)
@given(near=st.floats(30, 60), far=st.floats(12, 28), seed=st.integers(0, 100))
def test_perspective_is_learned(near: float, far: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    points = random.uniform([0, 0], SIZE, (400, 2))
    truth = far + (near - far) * points[:, 1] / SIZE[1]
    odd = random.random(400) < 0.1
    heads = truth * np.exp(random.normal(0, 0.1, 400)) * np.where(odd, 2.5, 1)
    heights = HeadHeights.learn(view(points, heads))
    assert heights is not None
    inside = (np.abs(points / SIZE - 0.5) < 0.4).all(axis=1)
    assert np.abs(np.log(heights.at(points[inside]) / truth[inside])).max() < 0.25


def test_few_people_give_one_height() -> None:
    heights = HeadHeights.learn(view(np.array([[10.0, 10.0], [600.0, 300.0]]), np.array([20.0, 30.0])))
    assert heights is not None
    found = heights.at(np.array([[0.0, 0.0], [639.0, 359.0]]))
    assert found[0] == found[1]
    assert 20 <= found[0] <= 30


def test_nobody_clear_gives_nothing() -> None:
    assert HeadHeights.learn(view(np.ones((50, 2)), np.full(50, 20.0), score=0.2)) is None


def test_far_outside_the_picture_heights_stay_sane() -> None:
    random = np.random.default_rng(0)
    points = random.uniform([0, 0], SIZE, (100, 2))
    heights = HeadHeights.learn(view(points, 15 + points[:, 1] / 10))
    assert heights is not None
    far = heights.at(np.array([[1e6, -1e6], [-1e6, 1e6]]))
    assert ((far > 5) & (far < 200)).all()
