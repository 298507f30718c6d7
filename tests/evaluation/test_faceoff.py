"""FaceOff's four cases and its smoothing, against values worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Detections
from or_mv_anon.evaluation.faceoff import FaceOffCounts, count_cases, faceoff_table
from or_mv_anon.evaluation.faceoff_rules import FaceLabels, FaceOffOptions
from or_mv_anon.evaluation.faceoff_smoothing import smooth_faces

A = (0, 0, 10, 10)
FAR = (50, 0, 60, 10)
HALF = (5, 0, 15, 10)  # IoU 1/3 with A
LOW = (6, 0, 16, 10)  # IoU 1/4 with A
DEFAULT = FaceOffOptions()


def labels(*rows, counts=None):
    """Rows (frame, person, box)."""
    return FaceLabels(
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int16),
        np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        np.ones(len(rows), bool) if counts is None else np.array(counts),
    )


def found(*rows):
    """Rows (frame, box)."""
    return Detections(
        frame=np.array([row[0] for row in rows], int),
        box=np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
        score=np.ones(len(rows)),
    )


@pytest.mark.parametrize(
    ("faces", "detections", "cases"),
    [
        ([(0, 1, A)], [(0, HALF)], FaceOffCounts(1, 0, 0)),
        ([(0, 1, A)], [(0, LOW)], FaceOffCounts(0, 1, 1, near=1)),  # both a miss and a false alarm
        ([(0, 1, A)], [(0, FAR)], FaceOffCounts(0, 1, 1)),
        ([(0, 1, A)], [], FaceOffCounts(0, 1, 0)),
        ([], [(0, A)], FaceOffCounts(0, 0, 1)),
        ([(0, 1, A)], [(1, A)], FaceOffCounts(0, 1, 1)),
        ([(0, 1, A)], [(0, A), (0, HALF)], FaceOffCounts(1, 0, 1)),
        ([(0, 1, A), (0, 2, HALF)], [(0, A)], FaceOffCounts(1, 1, 0)),
    ],
)
def test_the_four_cases(faces, detections, cases):
    assert count_cases(labels(*faces), found(*detections), DEFAULT) == cases


def test_an_overlap_of_exactly_the_threshold():
    detections = found((0, HALF))
    third = float(np.float32(50) / np.float32(150))
    for strictly, hits in ((True, 0), (False, 1)):
        options = FaceOffOptions(iou=third, strictly=strictly)
        assert count_cases(labels((0, 1, A)), detections, options).hits == hits


def test_faces_that_do_not_count_are_neither_missed_nor_false():
    hidden = labels((0, 1, A), (0, 2, FAR), counts=[True, False])
    assert count_cases(hidden, found((0, A)), DEFAULT) == FaceOffCounts(1, 0, 0)
    assert count_cases(hidden, found((0, A), (0, FAR)), DEFAULT) == FaceOffCounts(1, 0, 0)


def test_further_detections_of_a_face():
    twice = found((0, A), (0, HALF))
    assert count_cases(labels((0, 1, A)), twice, FaceOffOptions(duplicates="ignored")) == FaceOffCounts(1, 0, 0)


def test_smoothing_puts_the_mean_of_the_neighbours_in_a_gap():
    flicker = found((0, (0, 0, 10, 10)), (2, (2, 0, 12, 10)))
    smoothed = smooth_faces(flicker, labels(), 3, DEFAULT)
    assert smoothed.frame.tolist() == [0, 1, 2, 3]  # frame 3 has a neighbour too
    assert smoothed.box[:, 0].tolist() == [0, 1, 2, 2]
    filled = smooth_faces(flicker, labels(), 3, FaceOffOptions(sides="both"))
    assert filled.frame.tolist() == [0, 1, 2]


def test_smoothing_replaces_or_only_fills():
    moving = found(*((frame, (3.0 * frame**2, 0, 3.0 * frame**2 + 30, 10)) for frame in (0, 1, 2)))
    replaced = smooth_faces(moving, labels(), 3, FaceOffOptions(sides="both"))
    assert replaced.box[:, 0].tolist() == [1.5, 5, 7.5]
    kept = smooth_faces(moving, labels(), 3, FaceOffOptions(sides="both", placing="fill"))
    assert kept.box[:, 0].tolist() == [0, 3, 12]


def test_linking_keeps_two_faces_apart():
    two = found((0, A), (0, FAR), (2, A), (2, FAR))
    smoothed = smooth_faces(two, labels(), 3, FaceOffOptions(sides="both"))
    assert smoothed.frame.tolist() == [0, 0, 1, 1, 2, 2]
    assert sorted(smoothed.box[smoothed.frame == 1, 0].tolist()) == [0, 50]


def test_linking_by_labels_bridges_what_overlap_cannot():
    """The face jumps by its own width between frames 0 and 2."""
    jump = found((0, A), (2, (10, 0, 20, 10)))
    known = labels((0, 1, A), (1, 1, HALF), (2, 1, (10, 0, 20, 10)))
    by_labels = smooth_faces(jump, known, 3, FaceOffOptions(linking="labels", sides="both"))
    assert by_labels.frame.tolist() == [0, 1, 2]
    assert by_labels.box[1].tolist() == list(HALF)
    assert smooth_faces(jump, known, 3, FaceOffOptions(sides="both")).frame.tolist() == [0, 2]


def test_the_table_before_and_after():
    """One still face in 5 frames, found in frames 1 and 3, and a false alarm in frame 0."""
    faces = labels(*((frame, 1, A) for frame in range(5)))
    detections = found((0, FAR), (1, A), (3, A))
    rows = faceoff_table([(faces, detections)], windows=[3])
    assert [row.window for row in rows] == [1, 3]
    assert rows[0].counts == FaceOffCounts(2, 3, 1)
    assert (rows[0].precision, rows[0].recall) == (pytest.approx(2 / 3), pytest.approx(2 / 5))
    assert rows[0].f1 == pytest.approx(0.5)
    assert rows[1].counts == FaceOffCounts(5, 0, 2)  # the false alarm spreads to frame 1
    assert (rows[1].precision, rows[1].recall) == (pytest.approx(5 / 7), 1)


def test_averages_over_videos():
    good = (labels((0, 1, A)), found((0, A)))
    bad = (labels(*((frame, 1, A) for frame in range(3))), found((0, FAR)))
    (micro,) = faceoff_table([good, bad], windows=[])
    assert micro.recall == pytest.approx(1 / 4)
    (per_video,) = faceoff_table([good, bad], FaceOffOptions(average="per_video"), windows=[])
    assert per_video.recall == pytest.approx(1 / 2)
    assert per_video.precision == pytest.approx(1 / 2)
    (empty,) = faceoff_table([(labels(), found())], windows=[])
    assert (empty.precision, empty.recall, empty.f1) == (None, None, None)


def test_weak_detections_are_left_out():
    weak = found((0, A)).replace(score=np.array([0.4]))
    assert faceoff_table([(labels((0, 1, A)), weak)], windows=[])[0].counts == FaceOffCounts(0, 1, 0)


def test_even_windows_are_refused():
    with pytest.raises(UserError, match="window of 4 frames has no middle"):
        smooth_faces(found((0, A)), labels(), 4, DEFAULT)


cells = st.tuples(st.integers(0, 6), st.integers(0, 5)).map(
    lambda c: (c[0], (c[1] * 7.0, 0.0, c[1] * 7.0 + 10.0, 10.0))
)


@settings(max_examples=60)
@given(st.lists(cells, max_size=12), st.lists(cells, max_size=12), st.sampled_from([1, 3, 5]))
def test_every_face_and_detection_is_counted_once(faces, detections, window):
    faces = labels(*((frame, person, box) for person, (frame, box) in enumerate(faces)))
    smoothed = smooth_faces(found(*detections), faces, window, DEFAULT)
    cases = count_cases(faces, smoothed, DEFAULT)
    assert cases.hits + cases.misses == len(faces.frame)
    assert cases.hits + cases.false_alarms == len(smoothed)
    assert cases.near <= cases.misses
    filled = smooth_faces(found(*detections), faces, window, FaceOffOptions(placing="fill"))
    assert count_cases(faces, filled, DEFAULT).hits >= count_cases(faces, found(*detections), DEFAULT).hits
