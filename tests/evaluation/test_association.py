"""Association metrics and identity switches against values worked out by hand, and the epipolar baseline on a scene."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.mvor import epipolar_baseline as epipolar
from or_mv_anon.association.geometry import fundamental_matrix
from or_mv_anon.core.records import Detections, Tracks
from or_mv_anon.core.truth import CameraTruth, FaceMasks, TruthFrames, TruthPeople
from or_mv_anon.evaluation.association import NOBODY, UNKNOWN, ViewPair, evaluate_association, label, label_camera
from or_mv_anon.evaluation.identity_switches import NO_IDENTITY, Sightings, identity_switches, match_identities


def pair(
    first: list[int], second: list[int], matches: list[tuple[int, int]], scores: list | None = None, *, to: str = "b"
) -> ViewPair:
    shape = (len(first), len(second))
    values = np.zeros(shape) if scores is None else np.reshape(scores, shape).astype(float)
    rows = np.reshape(matches, (-1, 2)).astype(int)
    return ViewPair(("a", to), np.array(first, int), np.array(second, int), values, rows)


def test_one_image_pair_by_hand() -> None:
    # people 1 and 2 are in both views, 3 only in the first, 4 only in the second; 1 is joined, 3 and 4 wrongly are
    result = evaluate_association([pair([1, 2, 3], [1, 2, 4], [(0, 0), (2, 2)])]).overall
    assert (result.precision, result.recall) == (1 / 2, 1 / 2)
    assert result.accuracy == 1 / 4  # of the four people only the first is treated rightly
    assert result.ipaa == {"100": 0, "90": 0, "80": 0}


def test_leaving_people_alone_is_right_when_they_are() -> None:
    result = evaluate_association([pair([1, 3], [1, 4], [(0, 0)])]).overall
    assert (result.precision, result.recall, result.accuracy) == (1, 1, 1)
    assert result.ipaa == {"100": 1, "90": 1, "80": 1}


def test_levels_of_image_pairs() -> None:
    five = pair([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [(i, i) for i in range(4)])  # 80 %
    one = pair([1], [1], [(0, 0)])
    other = pair([1], [2], [(0, 0)], to="c")
    result = evaluate_association([five, one, other])
    assert result.overall.ipaa == {"100": pytest.approx(1 / 3), "90": pytest.approx(1 / 3), "80": pytest.approx(2 / 3)}
    assert result.by_views["a-b"].ipaa["80"] == 1
    assert result.by_views["a-c"].precision == 0
    assert math.isnan(result.by_views["a-c"].recall)  # nobody to join
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["by_views"]["a-c"]["recall"] is None


def test_scores_of_all_pairs_by_hand() -> None:
    # best first: right, wrong, right, wrong; the impossible one last
    scores = [[0.9, 0.3], [0.8, 0.7], [-math.inf, 0.1]]
    result = evaluate_association([pair([1, 2, NOBODY], [1, 2], [], scores)]).overall
    assert result.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert result.fpr_95 == pytest.approx(1 / 4)


def test_false_and_unknown_detections() -> None:
    rows = pair([1, UNKNOWN, NOBODY], [1, UNKNOWN, NOBODY], [(0, 0), (1, 1), (2, 2)])
    result = evaluate_association([rows]).overall
    assert (result.matches, result.precision) == (2, 0.5)  # two false detections are not one person
    assert evaluate_association([rows], unknown="wrong").overall.precision == pytest.approx(1 / 3)


def test_a_duplicate_counts_its_person_once() -> None:
    result = evaluate_association([pair([1, 1], [1, 1], [(0, 0), (1, 1)])]).overall
    assert (result.precision, result.recall, result.people_in_both) == (1, 1, 1)


def test_views_without_detections_are_left_out() -> None:
    result = evaluate_association([pair([], [1], []), pair([1], [1], [(0, 0)])]).overall
    assert result.image_pairs == 1


def test_a_detection_cannot_be_matched_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        pair([1, 2], [1, 2], [(0, 0), (0, 1)])


def test_labels_are_whom_a_detection_shows_most() -> None:
    people = np.array([[0, 0, 10, 10], [0, 0, 10, 20]], float)
    found = np.array([[0, 0, 10, 11], [0, 0, 10, 18], [50, 0, 60, 10]], float)
    assert label(found, people, np.array([7, UNKNOWN])).tolist() == [7, UNKNOWN, NOBODY]
    assert label(found, people[:0], np.zeros(0)).tolist() == [NOBODY] * 3


@settings(max_examples=80)
@given(st.data())
def test_figures_stay_in_range_and_truth_is_perfect(data: st.DataObject) -> None:
    names = st.lists(st.integers(0, 5), min_size=1, max_size=5, unique=True)
    pairs = []
    for _ in range(data.draw(st.integers(1, 4))):
        first, second = data.draw(names), data.draw(names)
        pairs.append(
            pair(
                first,
                second,
                [(first.index(name), second.index(name)) for name in first if name in second],
                np.equal.outer(first, second),
            )
        )
    perfect = evaluate_association(pairs).overall
    for value in (perfect.precision, perfect.recall, perfect.average_precision):
        assert value == 1 or math.isnan(value)
    assert (perfect.accuracy, perfect.ipaa["100"]) == (1, 1)
    assert perfect.fpr_95 == 0 or math.isnan(perfect.fpr_95)
    size = [(len(p.first), len(p.second)) for p in pairs]
    arbitrary = [
        ViewPair(p.views, p.first, p.second, p.scores, np.array([[data.draw(st.integers(0, n - 1)), m - 1]]))
        for p, (n, m) in zip(pairs, size, strict=True)
    ]
    result = evaluate_association(arbitrary).overall
    assert 0 <= result.accuracy <= 1
    assert 0 <= result.ipaa["100"] <= result.ipaa["90"] <= result.ipaa["80"] <= 1


def sightings(*rows: tuple[int, int, int, int]) -> Sightings:
    return Sightings(*np.reshape(rows, (-1, 4)).T)


def test_a_renaming_in_every_view_is_no_disagreement() -> None:
    result = identity_switches(sightings((0, 0, 1, 5), (0, 1, 1, 5), (1, 0, 1, 6), (1, 1, 1, 6)))
    assert (result.within_view, result.cross_view, result.disagreeing, result.mixed) == (2, 0, 0, 0)


def test_views_that_begin_to_disagree() -> None:
    rows = sightings(
        (0, 0, 1, 5), (0, 1, 1, 5), (1, 0, 1, 5), (1, 1, 1, 6), (2, 0, 1, 5), (2, 1, 1, 6), (3, 1, 1, 5), (4, 1, 1, 6)
    )  # fmt: skip
    result = identity_switches(rows)
    assert result.within_view == 3  # 5 6 6 5 6 in the second view
    assert result.cross_view == 2  # at instants 1 and 4
    assert result.disagreeing == pytest.approx(2 / 3)


def test_a_person_handed_over_with_a_new_name() -> None:
    result = identity_switches(sightings((0, 0, 1, 5), (1, 1, 1, 6), (2, 1, 1, 6)))
    assert (result.within_view, result.cross_view) == (0, 1)
    assert math.isnan(result.disagreeing)


def test_two_people_under_one_name_are_mixed() -> None:
    result = identity_switches(
        sightings((0, 0, 1, 5), (0, 1, 2, 5), (1, 0, 1, 5), (1, 1, 1, 5), (1, 2, 3, NO_IDENTITY))
    )
    assert (result.mixed, result.sightings) == (0.5, 4)


def test_nobody_was_named() -> None:
    result = identity_switches(sightings((0, 0, 1, NO_IDENTITY)))
    assert (result.sightings, result.within_view, result.cross_view) == (0, 0, 0)


BOXES = {1: [100.0, 50, 160, 250], 2: [300.0, 50, 360, 250]}


def camera(frames: int) -> CameraTruth:
    columns = {name: np.zeros((2 * frames, *shape), dtype) for name, (dtype, shape) in TruthPeople.columns.items()}
    columns["frame"], columns["person"] = np.repeat(np.arange(frames), 2), np.tile([1, 2], frames)
    columns["visible_box"] = columns["amodal_box"] = np.tile(np.array([BOXES[1], BOXES[2]], np.float32), (frames, 1))
    columns["visible_fraction"] = np.ones(2 * frames)
    moments = np.arange(frames)
    nothing = FaceMasks(np.zeros(0, np.int32), np.zeros(0, np.int16), [], [])
    return CameraTruth(640, 360, 25.0, TruthFrames(moments, moments, moments / 25), TruthPeople(**columns), nothing)


def tracks(frames: int) -> Tracks:
    rows = [(frame, person, BOXES[person]) for frame in range(frames) for person in (1, 2)]
    none = np.zeros(len(rows))
    return Tracks([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], none, none, none)


def test_identities_are_followed_over_cameras() -> None:
    truth = {"cam1": camera(4), "cam2": camera(4)}
    found = {"cam1": tracks(4), "cam2": tracks(4)}
    steady = np.tile([10, 20], 4)
    swapped = np.array([10, 20, 10, 20, 20, 10, 20, NO_IDENTITY])
    seen, scores = match_identities(truth, found, {"cam1": steady, "cam2": steady})
    assert (identity_switches(seen).cross_view, scores.idf1) == (0, 1)
    seen, scores = match_identities(truth, found, {"cam1": steady, "cam2": swapped})
    result = identity_switches(seen)
    assert (result.within_view, result.cross_view, result.sightings) == (2, 2, 15)
    assert (scores.hits, scores.misses, scores.false_alarms) == (12, 4, 3)


def test_detections_of_a_camera_are_labelled_with_its_people() -> None:
    truth = camera(2)
    truth.people.visible_fraction[:] = [1, 0.01, 1, 1]  # in the first frame the second person is ignored
    found = Detections(
        frame=[0, 0, 0, 1, 1], box=[BOXES[1], BOXES[2], [0, 0, 9, 9], BOXES[2], BOXES[1]], score=np.ones(5)
    )
    assert label_camera(truth, found).tolist() == [1, UNKNOWN, NOBODY, 2, 1]


def scene(generator: np.random.Generator, instants: int) -> tuple[list, list, np.ndarray]:
    """Two calibrated views of people who walk about: keypoints per instant, true matches and the geometry."""
    turn, matrix = np.radians(70), np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    pose[:3, 3] = np.array([0, 0, 5]) - pose[:3, :3] @ np.array([0, -0.4, 5])
    pairs, matches = [], []
    for _ in range(instants):
        count = int(generator.integers(1, 4))
        feet = np.stack([generator.uniform(-1.5, 1.5, count), np.zeros(count), generator.uniform(3.5, 6.5, count)], 1)
        body = feet[:, None] + generator.uniform([-0.3, -1, -0.3], [0.3, 0.6, 0.3], (count, 8, 3))
        order = generator.permutation(count)
        views = []
        for rows, points in ((np.arange(count), body), (order, body @ np.linalg.inv(pose)[:3, :3].T)):
            if rows is order:
                points = points + np.linalg.inv(pose)[:3, 3]
            pixels = points @ matrix.T
            pixels = (pixels[..., :2] / pixels[..., 2:] + generator.normal(0, 1.0, (count, 8, 2)))[rows]
            boxes = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1)
            views.append(epipolar.people_of(np.concatenate([pixels, np.ones((count, 8, 1))], axis=2), boxes))
        pairs.append((views[0], views[1]))
        matches.append(np.stack([order, np.arange(count)], axis=1))
    return pairs, matches, fundamental_matrix((matrix, np.eye(4)), (matrix, pose))


def test_geometry_estimated_from_people_matches_them() -> None:
    pairs, true, calibrated = scene(np.random.default_rng(1), 80)
    left, right = epipolar.correspondences(pairs, true)
    assert np.median(epipolar.epipolar_distance(calibrated, left, right)) < 2
    estimated = epipolar.estimate(pairs)
    assert estimated is not None
    assert np.median(epipolar.epipolar_distance(estimated, left, right)) < 3
    matched = [epipolar.assign(epipolar.distances(estimated, a, b), limit=12.0) for a, b in pairs]
    right_ones = sum(len({*map(tuple, rows)} & {*map(tuple, real)}) for rows, real in zip(matched, true, strict=True))
    assert right_ones > 0.9 * sum(len(rows) for rows in true)


def test_people_with_too_few_common_points_cannot_match() -> None:
    points = np.ones((1, 8, 3))
    few = points.copy()
    few[:, 2:, 2] = 0
    box = np.array([[0, 0, 10, 10.0]])
    assert np.isinf(epipolar.distances(np.eye(3), epipolar.people_of(points, box), epipolar.people_of(few, box))).all()
    assert not len(epipolar.assign(np.array([[np.inf]]), limit=12.0))
