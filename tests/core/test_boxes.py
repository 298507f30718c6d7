"""Box geometry as properties that hold for all boxes, inverted and empty ones included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from or_mv_anon.core import boxes
from or_mv_anon.core.boxes import Boxes

side = st.floats(-2000, 2000, width=32)


@st.composite
def any_boxes(draw: st.DrawFn, *, min_size: int = 0, proper: bool = False) -> Boxes:
    """Boxes on a grid of 1/8 pixel, so that float32 areas are exact enough to compare."""
    count = draw(st.integers(min_size, 8))
    corners = draw(hnp.arrays(np.int32, (count, 4), elements=st.integers(-800, 800))).astype(np.float32) / 8
    if proper:
        corners = np.concatenate(
            [np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:]) + 1], 1
        )
    return corners


def area_by_counting(a: np.ndarray, b: np.ndarray | None = None, *, step: int = 8) -> float:
    """Area of a box (or of the overlap of two) by counting cells of a grid of 1/8 pixel."""
    edge = np.arange(-110 * step, 110 * step) / step
    inside_x = (edge >= a[0]) & (edge < a[2])
    inside_y = (edge >= a[1]) & (edge < a[3])
    if b is not None:
        inside_x &= (edge >= b[0]) & (edge < b[2])
        inside_y &= (edge >= b[1]) & (edge < b[3])
    return inside_x.sum() * inside_y.sum() / step**2


@given(any_boxes(min_size=2))
def test_areas_and_overlaps_equal_counted_cells(found: Boxes) -> None:
    assert boxes.area(found)[0] == pytest.approx(area_by_counting(found[0]), rel=1e-5)
    assert boxes.intersection(found, found)[0, 1] == pytest.approx(area_by_counting(found[0], found[1]), rel=1e-5)


@given(any_boxes(), any_boxes())
def test_iou_is_symmetric_and_bounded(a: Boxes, b: Boxes) -> None:
    overlap = boxes.iou(a, b)
    assert overlap.shape == (len(a), len(b))
    assert np.array_equal(overlap, boxes.iou(b, a).T)
    assert ((overlap >= 0) & (overlap <= 1 + 1e-6)).all()


@given(any_boxes())
def test_iou_with_itself_is_one_unless_empty(found: Boxes) -> None:
    expected = (boxes.area(found) > 0).astype(np.float32)
    assert np.allclose(np.diag(boxes.iou(found, found)), expected)


@given(any_boxes(), any_boxes())
def test_containment_is_at_least_iou_and_one_inside(a: Boxes, b: Boxes) -> None:
    inside = boxes.containment(a, b)
    assert ((inside >= 0) & (inside <= 1 + 1e-6)).all()
    assert (inside >= boxes.iou(a, b) - 1e-6).all()


@given(any_boxes(min_size=1, proper=True))
def test_everything_lies_in_the_union(found: Boxes) -> None:
    assert np.allclose(boxes.containment(found, boxes.union(found)[None]), 1)


@given(any_boxes(proper=True), st.floats(0.05, 0.95), st.data())
def test_nms_keeps_a_cover(found: Boxes, threshold: float, data: st.DataObject) -> None:
    scores = data.draw(hnp.arrays(np.float32, len(found), elements=st.floats(0, 1, width=32)))
    kept = boxes.nms(found, scores, iou_threshold=threshold)
    overlap = boxes.iou(found, found)
    assert len(set(kept.tolist())) == len(kept)
    assert (np.diff(scores[kept]) <= 0).all()
    for i, first in enumerate(kept):
        assert (overlap[first, kept[i + 1 :]] <= threshold).all()
    for dropped in set(range(len(found))) - set(kept.tolist()):
        assert any(overlap[dropped, k] > threshold and scores[k] >= scores[dropped] for k in kept)


def test_nms_of_equal_scores_keeps_the_first() -> None:
    twice = np.array([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    assert boxes.nms(twice, np.ones(2, np.float32), iou_threshold=0.5).tolist() == [0]


@given(any_boxes(), st.integers(1, 100), st.integers(1, 100))
def test_clip_stays_in_the_picture_and_changes_nothing_inside(found: Boxes, width: int, height: int) -> None:
    cut = boxes.clip(found, width=width, height=height)
    assert ((cut >= 0) & (cut <= [width, height, width, height])).all()
    assert np.array_equal(boxes.clip(cut, width=width, height=height), cut)
    picture = np.array([[0, 0, width, height]], np.float32)
    assert np.allclose(boxes.area(cut), boxes.intersection(found, picture)[:, 0], atol=1e-3)


@given(any_boxes(proper=True), st.floats(0, 2), st.floats(0, 50))
def test_expand_grows_every_side_about_the_centre(found: Boxes, ratio: float, pixels: float) -> None:
    grown = boxes.expand(found, ratio=ratio, pixels=pixels)
    assert grown.dtype == np.float32
    assert np.allclose(grown[:, :2] + grown[:, 2:], found[:, :2] + found[:, 2:], atol=1e-2)
    size = found[:, 2:] - found[:, :2]
    assert np.allclose(grown[:, 2:] - grown[:, :2], size * (1 + 2 * ratio) + 2 * pixels, atol=1e-2)


def test_no_boxes_at_all() -> None:
    none = np.zeros((0, 4), np.float32)
    some = np.array([[0, 0, 1, 1]], np.float32)
    assert boxes.iou(none, some).shape == (0, 1)
    assert boxes.containment(some, none).shape == (1, 0)
    assert boxes.nms(none, np.zeros(0, np.float32), iou_threshold=0.5).shape == (0,)
    assert boxes.expand(none, ratio=1).shape == boxes.clip(none, width=1, height=1).shape == (0, 4)
