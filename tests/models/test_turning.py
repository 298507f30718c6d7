"""Quarter turns of pictures and boxes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.models.turning import turn, turn_back


@given(st.integers(0, 3), st.integers(4, 40), st.integers(4, 40), st.data())
def test_a_box_found_in_a_turned_picture_comes_back_to_its_place(
    quarters: int, width: int, height: int, data: st.DataObject
) -> None:
    x = data.draw(st.integers(0, width - 2))
    y = data.draw(st.integers(0, height - 2))
    picture = np.zeros((height, width, 3), np.uint8)
    box = np.array([x, y, data.draw(st.integers(x + 1, width)), data.draw(st.integers(y + 1, height))])
    picture[box[1] : box[3], box[0] : box[2]] = 255
    turned = turn(picture, quarters)
    rows, columns = np.nonzero(turned[..., 0])
    found = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    np.testing.assert_array_equal(turn_back(found, quarters, size=(width, height))[0], box)
