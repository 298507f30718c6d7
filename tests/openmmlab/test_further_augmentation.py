"""Boxes go where their pictures go, and what cloth hides is told."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("mmengine")
from mmengine.config import Config

from or_mv_anon.core.resources import resource
from or_mv_anon.openmmlab.further_augmentation import Changes, drape, infrared, turn

NEVER = dataclasses.replace(
    Changes(**Config.fromfile(resource("configs/detector/people_and_heads.py")).changes),
    turned=0.0, drape=0.0, drape_nothing=0.0, infrared=0.0, motion=0.0,
)  # fmt: skip
BOX = np.array([[40, 20, 70, 80]], np.float32)
GREEN = (0, 255, 0)


def picture():
    made = np.full((100, 160, 3), 60, np.uint8)
    left, top, right, bottom = BOX[0].astype(int)
    rows, columns = np.mgrid[top:bottom, left:right] + 0.5
    inside = ((rows - 50) / 30) ** 2 + ((columns - 55) / 15) ** 2 <= 1
    made[top:bottom, left:right][inside] = GREEN
    return made


def extent(made):
    rows, columns = np.nonzero((made[..., 1] > 150) & (made[..., 0] < 60))
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.mark.parametrize("seed", range(8))
def test_a_turned_box_still_holds_what_it_held(seed):
    always = dataclasses.replace(NEVER, turned=1.0)
    boxes = np.concatenate([BOX, BOX])
    turned, moved = turn(picture(), boxes, trusted=1, settings=always, rng=np.random.default_rng(seed))
    assert np.abs(extent(turned) - moved[0]).max() < 2.5
    assert (moved[1, :2] <= moved[0, :2] + 1e-3).all()  # a region keeps its corners
    assert (moved[1, 2:] >= moved[0, 2:] - 1e-3).all()


def test_pictures_are_left_alone_where_nothing_is_asked_for():
    rng = np.random.default_rng(0)
    made = picture()
    turned, moved = turn(made, BOX, trusted=1, settings=NEVER, rng=rng)
    hidden = drape(turned, BOX, np.zeros(1, np.int64), settings=NEVER, rng=rng)
    assert (infrared(turned, settings=NEVER, rng=rng) == picture()).all()
    assert (moved == BOX).all()
    assert not hidden.any()


@pytest.mark.parametrize("seed", range(4))
def test_a_draped_person_stays_and_a_head_under_cloth_is_hidden(seed):
    always = dataclasses.replace(NEVER, drape=1.0, drape_share=(0.5, 0.5))
    made = picture()
    small = np.array([[x, y, x + 4, y + 4] for x in (42, 53, 64) for y in (22, 48, 74)], np.float32)
    boxes, classes = np.concatenate([BOX, small]), np.array([0] + [1] * len(small))
    hidden = drape(made, boxes, classes, settings=always, rng=np.random.default_rng(seed))
    assert hidden[0] == 0
    changed = (made != picture()).any(axis=2)
    for (left, top, right, bottom), share in zip(small.astype(int), hidden[1:], strict=True):
        assert share <= changed[top:bottom, left:right].mean() + 0.1
    assert hidden.max() > 0.9
    assert hidden[1:].min() < 0.1


def test_infrared_has_no_colour_but_a_cast():
    always = dataclasses.replace(NEVER, infrared=1.0, infrared_green=0.0)
    seen = infrared(picture(), settings=always, rng=np.random.default_rng(0))
    assert (seen[..., 0] == seen[..., 2]).all()
    cast = dataclasses.replace(always, infrared_green=1.0)
    green = infrared(picture(), settings=cast, rng=np.random.default_rng(0)).astype(int)
    assert (green[..., 1] >= green[..., 0]).all()
    assert (green[..., 1] > green[..., 2]).mean() > 0.9
