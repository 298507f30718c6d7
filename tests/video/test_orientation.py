import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.video.orientation import Orientation

ORIENTATIONS = [Orientation(rotation, flip) for rotation in (0, 90, 180, 270) for flip in (False, True)]
orientations = st.sampled_from(ORIENTATIONS)
sides = st.integers(1, 40)


@given(orientations, sides, sides, st.data())
def test_box_covers_the_same_pixels_in_both_pictures(orientation, width, height, data):
    x1, y1 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x2, y2 = data.draw(st.integers(x1 + 1, width)), data.draw(st.integers(y1 + 1, height))
    coded = np.zeros((height, width), np.uint8)
    coded[y1:y2, x1:x2] = 1
    upright = orientation.upright(coded)
    rows, columns = np.nonzero(upright)
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    assert upright.sum() == coded.sum()
    np.testing.assert_array_equal(orientation.to_coded(box, width=width, height=height), [[x1, y1, x2, y2]])


@given(orientations, sides, sides, st.lists(st.tuples(*[st.floats(-50, 50, width=32)] * 4), max_size=5))
def test_boxes_come_back(orientation, width, height, boxes):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    there = orientation.to_upright(boxes, width=width, height=height)
    np.testing.assert_allclose(orientation.to_coded(there, width=width, height=height), boxes, atol=1e-4)


@given(orientations, sides, sides)
def test_picture_comes_back(orientation, width, height):
    coded = np.arange(width * height).reshape(height, width)
    upright = orientation.upright(coded)
    assert upright.shape[1::-1] == orientation.upright_size(width, height)
    np.testing.assert_array_equal(orientation.coded(upright), coded)


def test_boxes_stay_boxes():
    box = np.array([[1, 2, 5, 9]], np.float32)
    for orientation in ORIENTATIONS:
        x1, y1, x2, y2 = orientation.to_coded(box, width=40, height=30)[0]
        assert x1 < x2
        assert y1 < y2


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30), Orientation()),
        ((0, 65536, 0, -65536, 0, 0, 1080, 0, 1 << 30), Orientation(90)),  # a phone held upright
        ((-65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30), Orientation(180)),
        ((0, -65536, 0, 65536, 0, 0, 0, 0, 1 << 30), Orientation(270)),
        ((-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30), Orientation(0, True)),
        ((65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30), Orientation(180, True)),
        ((65000, 5000, 0, -5000, 65000, 0, 0, 0, 1 << 30), Orientation()),  # slightly tilted
    ],
)
def test_display_matrix(matrix, expected):
    assert Orientation.from_matrix(matrix) == expected
