"""People are labelled where a composed picture shows them, whatever way they lie, and heads where they are seen."""

import numpy as np
import pytest

from or_mv_anon.detector_training.composites import composed_example
from or_mv_anon.detector_training.rooms import room_examples
from or_mv_anon.detector_training.simulated_rooms import Room

GREEN, BLUE, GREY = (0, 200, 0), (250, 60, 60), (90, 90, 90)
BOX, HEAD = (40, 10, 60, 70), (44, 10, 56, 22)


def room(**changed):
    """One picture of a green person with a blue head; they stand."""
    picture, outline = np.full((80, 120, 3), GREY, np.uint8), np.zeros((80, 120), np.uint8)
    rows, columns = np.mgrid[0:80, 0:120] + 0.5
    body = ((rows - 40) / 30) ** 2 + ((columns - 50) / 10) ** 2 <= 1
    head = ((rows - 16) / 6) ** 2 + ((columns - 50) / 6) ** 2 <= 1
    picture[body], picture[head] = GREEN, BLUE
    outline[body | head] = 1
    values = {
        "pictures": picture[None],
        "outlines": outline[None],
        "picture": np.zeros(1, np.int32),
        "number": np.ones(1, np.int16),
        "box": np.array([BOX], np.float32),
        "shown": np.ones(1, np.float32),
        "patient": np.array([False]),
        "head": np.array([HEAD], np.float32),
        "head_shown": np.array([0.78], np.float32),
        "nobody": np.array([False]),
    }
    return Room(**(values | changed))


@pytest.mark.parametrize("seed", range(10))
def test_boxes_lie_where_people_and_heads_are(seed):
    background = np.full((240, 320, 3), GREY, np.uint8)
    example = composed_example(background, [room()], np.random.default_rng(seed))
    shown = example.picture.astype(int)
    head = shown[..., 0] - shown[..., 1] > 60
    person = head | (shown[..., 1] - shown[..., 0] > 60)
    assert (background == GREY).all()
    for boxes, unsure, mask in zip(example.boxes, example.unsure, (person, head), strict=True):
        left = mask.copy()
        for x0, y0, x1, y1 in np.rint(boxes).astype(int):
            assert mask[y0:y1, x0:x1].mean() > 0.2
        for x0, y0, x1, y1 in np.rint(np.concatenate([boxes, unsure])).astype(int):
            left[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = False
        assert left.sum() < 40  # pieces of equipment have rims of the people whom they were cut from


def test_a_head_that_hardly_shows_is_a_region_where_one_may_be():
    clear, hidden = (room_examples(room(head_shown=np.array([share], np.float32)))[0] for share in (0.6, 0.1))
    assert [len(boxes) for boxes in (*clear.boxes, *clear.unsure)] == [1, 1, 0, 0]
    assert [len(boxes) for boxes in (*hidden.boxes, *hidden.unsure)] == [1, 0, 0, 1]


def test_a_head_outside_the_picture_is_nothing():
    (example,) = room_examples(room(head=np.zeros((1, 4), np.float32), head_shown=np.zeros(1, np.float32)))
    assert [len(boxes) for boxes in (*example.boxes, *example.unsure)] == [1, 0, 0, 0]
