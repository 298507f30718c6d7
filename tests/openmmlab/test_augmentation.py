"""Labels stay on what they label, whatever is done to the picture."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.openmmlab.augmentation import Augmentation, degrade, occlude, place, shown_share

SETTINGS = Augmentation(
    scale=(0.5, 1.6),
    towards_person=0.5,
    flip=0.5,
    shown=0.2,
    occluder=1.0,
    occluded=(0.1, 0.5),
    gain=(0.6, 1.5),
    colour_gain=(0.9, 1.1),
    gamma=(0.7, 1.4),
    grey=0.5,
    blur=0.5,
    blur_sigma=(0.4, 1.5),
    jpeg=0.5,
    jpeg_quality=(25, 80),
    noise=0.5,
    noise_sigma=(2.0, 12.0),
)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), left=st.integers(0, 90), top=st.integers(0, 50), long_side=st.integers(64, 200))
def test_a_box_moves_with_what_is_in_it(seed, left, top, long_side):
    picture = np.zeros((90, 130, 3), np.uint8)
    picture[top : top + 40, left : left + 40] = 255
    boxes = np.array([[left, top, left + 40, top + 40]], np.float32)
    placed, moved = place(
        picture, boxes, people=1, long_side=long_side, settings=SETTINGS, rng=np.random.default_rng(seed)
    )
    height, width = placed.shape[:2]
    assert max(height, width) == long_side
    rows, columns = np.nonzero(placed[..., 0] > 150)
    share = shown_share(moved, np.zeros((0, 4), np.float32), width=width, height=height)[0]
    if share > 0.1:
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        expected = np.clip(moved[0], 0, [width, height, width, height])
        np.testing.assert_allclose(found, expected, atol=2.5)


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6))
def test_nobody_is_hidden_wholly_by_what_is_put_over_them(seed):
    rng = np.random.default_rng(seed)
    boxes = np.array([[10, 10, 60, 80], [70, 5, 99, 40]], np.float32)
    picture, covered = occlude(np.zeros((90, 130, 3), np.uint8), boxes[:1], settings=SETTINGS, rng=rng)
    share = shown_share(boxes, covered, width=130, height=90)
    assert 0.4 <= share[0] < 1
    assert share[1] == 1
    assert picture.shape == (90, 130, 3)


def test_a_box_half_outside_is_half_shown():
    boxes = np.array([[-10, 0, 10, 20], [200, 0, 220, 20]], np.float32)
    np.testing.assert_allclose(shown_share(boxes, np.zeros((0, 4), np.float32), width=100, height=50), [0.5, 0])


def test_a_draw_can_be_repeated():
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    results = [degrade(picture, settings=SETTINGS, rng=np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(*results)
    assert results[0].shape == picture.shape
