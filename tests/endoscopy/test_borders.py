"""Borders are found where they are, and never tell the network anything."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.endoscopy.borders import INPUT_SIZE, BorderFinder, find_picture_area, prepare

RNG = np.random.default_rng(0)


def scope_picture(width, height, x0, y0, x1, y1, *, round_border=False):
    """Noise in a lit rectangle, or in the ellipse that fits into it, on black."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[y0:y1, x0:x1] = RNG.integers(60, 255, (y1 - y0, x1 - x0, 3))
    if round_border:
        mask = np.zeros((height, width), np.uint8)
        cv2.ellipse(mask, (((x0 + x1) / 2, (y0 + y1) / 2), (x1 - x0, y1 - y0), 0), 1, -1)
        picture[mask == 0] = 0
    return picture


@given(st.integers(0, 100), st.integers(0, 60), st.integers(350, 480), st.integers(220, 270), st.booleans())
def test_the_lit_rectangle_is_found(x0, y0, x1, y1, round_border):
    area = find_picture_area([scope_picture(480, 270, x0, y0, x1, y1, round_border=round_border)])
    slack = 0.06 * 480 if round_border else 4
    np.testing.assert_allclose(area, (x0, y0, x1, y1), atol=slack)


def test_a_dark_moment_does_not_look_like_a_border():
    finder = BorderFinder()
    finder.add(scope_picture(480, 270, 60, 10, 420, 260))
    dark = scope_picture(480, 270, 200, 100, 240, 140)
    finder.add(dark)
    np.testing.assert_allclose(finder.area(), (60, 10, 420, 260), atol=4)
    assert find_picture_area([dark]) == (0, 0, 480, 270)
    assert find_picture_area([np.zeros((270, 480, 3), np.uint8)]) == (0, 0, 480, 270)


def test_the_input_does_not_change_with_the_border():
    inner = cv2.resize(RNG.integers(60, 255, (20, 20, 3)).astype(np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    bordered = np.zeros((270, 480, 3), np.uint8)
    bordered[15:255, 80:400] = inner
    rim = np.zeros((240, 320), np.uint8)
    cv2.ellipse(rim, ((160, 120), (320, 240), 0), 1, -1)
    round_one = bordered.copy()
    round_one[15:255, 80:400][rim == 0] = 0
    plain = prepare(inner, (0, 0, 320, 240))
    np.testing.assert_array_equal(prepare(bordered, (80, 15, 400, 255)), plain)
    np.testing.assert_allclose(prepare(round_one, (80, 15, 400, 255)), plain, atol=0.5)


def test_the_input_is_normalized_rgb():
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 2] = 255
    middle = prepare(red, (0, 0, 100, 100))[:, INPUT_SIZE // 2, INPUT_SIZE // 2]
    np.testing.assert_allclose(middle, [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225], rtol=1e-5)
    assert not prepare(red, (0, 0, 100, 100))[:, 0, 0].any()


def test_frames_of_two_sizes_are_refused():
    finder = BorderFinder()
    finder.add(np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(ValueError, match="10x10"):
        finder.add(np.zeros((20, 10, 3), np.uint8))
    with pytest.raises(ValueError, match="at least one"):
        BorderFinder().area()
