"""The operators destroy what is inside a region, touch nothing else, and are recognized again after encoding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.core.config import load_config
from or_mv_anon.operators.cells import blank, cover, showing, snap
from or_mv_anon.video.pixels import Plane

CONFIG = load_config().operators
METHODS = ["pixelate", "blur", "solid"]


def picture(width=160, height=120, *, depth=8, chroma=(2, 2), seed=0):
    """Noise planes: the hardest content to hide."""
    random = np.random.default_rng(seed)
    dtype = np.uint8 if depth == 8 else np.uint16
    top = 1 << depth
    shapes = [(height, width, 1, 1)]
    if chroma:
        shapes += [(-(-height // chroma[1]), -(-width // chroma[0]), *chroma)] * 2
    return [
        Plane(
            random.integers(0, top, (h, w)).astype(dtype), xs, ys, i > 0, depth,
            *((top // 2, top // 2) if i else (16 << (depth - 8), 235 << (depth - 8))),
        )
        for i, (h, w, xs, ys) in enumerate(shapes)
    ]  # fmt: skip


def copies(planes):
    return [plane.pixels.copy() for plane in planes]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("depth", "chroma"), [(8, (2, 2)), (10, (2, 2)), (8, (2, 1)), (10, (1, 1)), (8, None)])
def test_detail_inside_is_gone_and_outside_is_untouched(method, depth, chroma):
    planes = picture(depth=depth, chroma=chroma)
    before = copies(planes)
    cover(planes, np.array([[40, 32, 104, 96]], np.float32), method, CONFIG)
    for plane, old in zip(planes, before, strict=True):
        inside = np.zeros(old.shape, bool)
        inside[32 // plane.y_step : 96 // plane.y_step, 40 // plane.x_step : 104 // plane.x_step] = True
        np.testing.assert_array_equal(plane.pixels[~inside], old[~inside])
        neighbours = np.abs(np.diff(plane.pixels.astype(int), axis=1))[inside[:, 1:] & inside[:, :-1]]
        noise = np.abs(np.diff(old.astype(int), axis=1))[inside[:, 1:] & inside[:, :-1]]
        assert neighbours.mean() < 0.15 * noise.mean()


def test_pixelate_keeps_no_more_values_than_cells():
    planes = picture()
    cover(planes, np.array([[0, 0, 96, 48]], np.float32), "pixelate", CONFIG)
    cells = CONFIG.cells * (CONFIG.cells // 2)
    for plane in planes:
        assert len(np.unique(plane.pixels[: 48 // plane.y_step, : 96 // plane.x_step])) <= cells


def test_strength_follows_the_region_not_the_picture():
    """A face of 128 px keeps as few cells as one of 32 px."""
    for side in (32, 64, 128):
        planes = picture(128, 128)
        cover(planes, np.array([[0, 0, side, side]], np.float32), "pixelate", CONFIG)
        assert len(np.unique(planes[0].pixels[:side, :side])) <= CONFIG.cells**2


def test_none_changes_nothing():
    planes = picture()
    before = copies(planes)
    assert cover(planes, np.array([[0, 0, 50, 50]], np.float32), "none", CONFIG) == []
    for plane, old in zip(planes, before, strict=True):
        np.testing.assert_array_equal(plane.pixels, old)


boxes = st.tuples(
    st.floats(-60, 200, width=32),
    st.floats(-60, 160, width=32),
    st.floats(0, 120, width=32),
    st.floats(0, 120, width=32),
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


@given(st.lists(boxes, max_size=5), st.sampled_from(METHODS), st.sampled_from([(2, 2), (2, 1), (1, 1), None]))
@settings(max_examples=60)
def test_any_boxes_are_covered_wholly_and_verified(box_list, method, chroma):
    """Boxes of any size and place, overlapping or cut by the border of an odd-sized picture."""
    planes = picture(161, 121, chroma=chroma)
    original = planes[0].pixels.copy()
    rows = np.array(box_list, np.float32).reshape(-1, 4)
    drawn = cover(planes, rows, method, CONFIG)
    assert showing(planes[0], drawn) < 0.4
    for x1, y1, x2, y2 in snap(rows, width=161, height=121):
        patch, old = planes[0].pixels[y1:y2, x1:x2], original[y1:y2, x1:x2]
        if patch.size > 64:
            assert (patch != old).mean() > 0.5


def test_uncovered_picture_is_noticed():
    planes = picture()
    drawn = cover(picture(), np.array([[20, 20, 80, 80]], np.float32), "pixelate", CONFIG)
    assert showing(planes[0], drawn) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("noise", [4, 30])
def test_encoder_noise_is_not_taken_for_the_source(noise):
    planes = picture()
    drawn = cover(planes, np.array([[20, 20, 80, 80], [60, 20, 120, 80]], np.float32), "pixelate", CONFIG)
    luma = planes[0].pixels
    luma[...] = np.clip(luma + np.random.default_rng(1).normal(0, noise, luma.shape), 0, 255).astype(np.uint8)
    assert showing(planes[0], drawn) < 0.3


def test_snap_only_widens():
    assert snap(np.array([[5, 6, 9, 10]], np.float32), width=100, height=100) == [(4, 4, 12, 12)]
    assert snap(np.array([[200, 6, 209, 10]], np.float32), width=100, height=100) == []


def test_blank_is_black_and_verified():
    planes, bright = picture(chroma=(2, 1)), picture(seed=1)
    drawn = blank(planes)
    assert set(np.unique(planes[0].pixels)) == {16}
    assert set(np.unique(planes[1].pixels)) == {128}
    assert showing(planes[0], [drawn]) == 0.0
    assert showing(bright[0], [drawn]) > 0.5
