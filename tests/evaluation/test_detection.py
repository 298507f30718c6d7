"""Person detection metrics against values worked out by hand, and against the public COCO evaluation."""

import contextlib
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.negatives import EmptyPicture, covered_share, false_alarms
from or_mv_anon.core.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.core.records import Detections
from or_mv_anon.core.truth import CameraTruth, FaceMasks, TruthFrames, TruthPeople
from or_mv_anon.evaluation import average_precision as ap
from or_mv_anon.evaluation.detection import evaluate_detection
from or_mv_anon.evaluation.detection_rules import DetectionRules

HITS = np.array([True, False, True, True, False])  # of 4 positives
SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5])


def people(rows: list[dict]) -> TruthPeople:
    """Rows of ground truth from the columns that matter; the visible box is the amodal one unless given."""
    empty = TruthPeople.empty()
    filled = {}
    for name, (dtype, shape) in TruthPeople.columns.items():
        filled[name] = np.array([row.get(name, np.zeros(shape)) for row in rows], dtype).reshape(len(rows), *shape)
    if not rows:
        return empty
    filled["visible_box"] = np.array([row.get("visible_box", row["amodal_box"]) for row in rows], np.float32)
    return TruthPeople(**filled)


def camera(rows: list[dict], *, frames: int = 1, size: tuple[int, int] = (640, 360)) -> CameraTruth:
    moments = np.arange(frames)
    nothing = FaceMasks(np.zeros(0, np.int32), np.zeros(0, np.int16), [], [])
    return CameraTruth(*size, 25.0, TruthFrames(moments, moments, moments / 25.0), people(rows), nothing)


def found(*rows: tuple[int, list[float], float]) -> Detections:
    return Detections(*(np.array([row[i] for row in rows]) for i in range(3))) if rows else Detections.empty()


def test_a_curve_by_hand() -> None:
    curve = ap.curve(SCORES, HITS, positives=4)
    assert curve.recall.tolist() == [0.25, 0.25, 0.5, 0.75, 0.75]
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4, 3 / 5])
    # 26 recalls up to 0.25 at precision 1, 50 up to 0.75 at 3/4, 25 never reached
    assert ap.interpolated(curve) == pytest.approx((26 + 50 * 0.75) / 101)
    assert ap.interpolated(curve, ap.VOC_RECALLS) == pytest.approx((3 + 5 * 0.75) / 11)
    assert ap.interpolated(curve, ap.HIGH_RECALLS) == 0
    assert ap.interpolated(ap.curve(SCORES, HITS, positives=3), ap.HIGH_RECALLS) == pytest.approx(0.75)


def test_stepwise_precision_and_fpr_by_hand() -> None:
    assert ap.stepwise(SCORES, HITS) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert ap.false_positive_rate(SCORES, HITS) == 0.5
    # equal scores are taken together: 2 of 3 right at the first threshold, 3 of 5 at the second
    tied = np.array([0.9, 0.9, 0.9, 0.2, 0.2])
    assert ap.stepwise(tied, HITS) == pytest.approx((2 * 2 / 3 + 3 / 5) / 3)
    assert ap.false_positive_rate(tied, HITS) == 1.0


def test_operating_points_by_hand() -> None:
    point = ap.at_score(SCORES, HITS, positives=4, score=0.7)
    assert (point.recall, point.precision, point.hits, point.false_alarms) == (0.5, pytest.approx(2 / 3), 2, 1)
    assert point.f == pytest.approx(4 / 7)
    # F2 = 5·TP / (4·4 + kept): 5/17, 5/18, 10/19, 15/20, 15/21
    assert ap.best_f(SCORES, HITS, positives=4, beta=2).score == 0.6
    assert ap.best_f(SCORES, HITS, positives=4, beta=2).f == pytest.approx(0.75)
    assert ap.best_f(SCORES, HITS, positives=4, beta=3).f == pytest.approx(30 / 40)


def test_nobody_to_find_gives_no_number() -> None:
    assert math.isnan(ap.interpolated(ap.curve(SCORES, ~HITS, positives=0)))
    assert math.isnan(ap.best_f(SCORES, ~HITS, positives=0, beta=2).recall)
    assert ap.interpolated(ap.curve(np.zeros(0), np.zeros(0, bool), positives=3)) == 0


def test_matching_prefers_the_best_free_counted_subject() -> None:
    subjects = Subjects(
        picture=[0, 0, 0, 1],
        box=[[0, 0, 10, 10], [0, 0, 10, 9], [50, 0, 60, 10], [0, 0, 10, 10]],
        counted=[True, True, False, True],
    )
    candidates = Candidates(
        picture=[0, 0, 0, 0, 0, 2],
        box=[[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [50, 0, 60, 10], [50, 0, 60, 10], [0, 0, 10, 10]],
        score=[0.5, 0.9, 0.4, 0.3, 0.2, 0.9],
    )
    # the best score takes the exact box, the second what is left, the third nobody; ignored ones absorb one
    assert match(subjects, candidates).tolist() == [1, 0, NOBODY, 2, NOBODY, NOBODY]


def test_a_counted_person_is_taken_before_a_closer_ignored_one() -> None:
    subjects = Subjects(picture=[0, 0], box=[[0, 0, 10, 10], [0, 0, 10, 8]], counted=[False, True])
    candidates = Candidates(picture=[0], box=[[0, 0, 10, 10]], score=[0.9])
    assert match(subjects, candidates).tolist() == [1]


def test_people_of_whom_too_little_shows_are_ignored() -> None:
    rows = [
        {"person": 1, "amodal_box": [100, 50, 160, 250], "visible_fraction": 1.0},
        {"person": 2, "amodal_box": [300, 50, 360, 250], "visible_box": [300, 50, 360, 60], "visible_fraction": 0.05},
        {"person": 3, "amodal_box": [636, 50, 640, 250], "visible_fraction": 1.0},  # a sliver at the border
    ]
    detections = found(
        (0, [100, 50, 160, 250], 0.9),
        (0, [300, 50, 360, 250], 0.8),  # the hidden one's amodal box: neither right nor wrong
        (0, [400, 50, 460, 250], 0.7),
    )
    result = evaluate_detection({"cam1": camera(rows)}, {"cam1": detections})
    assert result.ignored_people == 2
    assert result.everyone.people == 1
    point = result.everyone.at_scores[0]
    assert (point.hits, point.false_alarms) == (1, 1)
    assert result.everyone.average_precision == 1


def test_groups_and_views_by_hand() -> None:
    near = {"person": 1, "amodal_box": [100, 50, 160, 250], "visible_fraction": 0.9}
    hidden = {"person": 2, "amodal_box": [300, 50, 360, 250], "visible_fraction": 0.4}
    small = {"person": 3, "amodal_box": [400, 100, 420, 130], "visible_fraction": 1.0}
    cut = {"person": 4, "amodal_box": [500, 200, 560, 359.5], "visible_fraction": 1.0}
    truth = {"cam1": camera([near, hidden, small, cut]), "cam2": camera([near, hidden])}
    detections = {
        "cam1": found((0, near["amodal_box"], 0.9), (0, hidden["amodal_box"], 0.4), (0, [0, 0, 20, 20], 0.6)),
        "cam2": found((0, near["amodal_box"], 0.25)),
    }
    result = evaluate_detection(truth, detections, rules=DetectionRules(scores=(0.3,)))
    assert result.pictures == 2
    assert result.everyone.people == 6
    assert result.everyone.at_scores[0].recall == pytest.approx(2 / 6)
    assert result.everyone.max_recall == pytest.approx(3 / 6)
    assert result.hard.people == 4  # hidden twice, small, cut
    assert result.hard.at_scores[0].recall == 1 / 4
    assert {name: group.people for name, group in result.by_visible_fraction.items()} == {
        "0.1-0.3": 0,
        "0.3-0.5": 2,
        "0.5-0.8": 0,
        "0.8-1": 4,
    }
    assert result.by_camera["cam2"].at_scores[0].recall == 0
    assert result.by_camera["cam2"].at_scores[0].false_alarms == 0
    # F2 and F3 are largest when the detection of 0.25 is kept too; that threshold is told for all groups
    assert result.everyone.best_f2.score == 0.25
    assert [point.score for point in result.hard.at_scores] == [0.3, 0.25]
    views = result.multi_view[0]  # persons 1 and 2 in two views, found at 0.3 in one; 3 and 4 never
    assert (views.person_instants, views.every_view, views.any_view) == (4, 0, 0.5)
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["everyone"]["people"] == 6


def test_amodal_boxes_are_an_option() -> None:
    row = {"amodal_box": [100, 50, 160, 250], "visible_box": [100, 50, 160, 120], "visible_fraction": 0.35}
    detections = {"cam1": found((0, row["amodal_box"], 0.9))}
    truth = {"cam1": camera([row])}
    assert evaluate_detection(truth, detections).everyone.max_recall == 0
    assert evaluate_detection(truth, detections, rules=DetectionRules(box="amodal")).everyone.max_recall == 1


def test_only_analysed_frames_count() -> None:
    rows = [{"frame": frame, "amodal_box": [100, 50, 160, 250], "visible_fraction": 1.0} for frame in range(4)]
    detections = {"cam1": found((0, rows[0]["amodal_box"], 0.9), (1, [0, 0, 50, 50], 0.9))}
    truth = {"cam1": camera(rows, frames=4)}
    assert evaluate_detection(truth, detections).everyone.max_recall == 0.25
    result = evaluate_detection(truth, detections, analysed={"cam1": np.array([0, 2], np.int32)})
    assert (result.pictures, result.everyone.max_recall, result.everyone.at_scores[0].false_alarms) == (2, 0.5, 0)


def test_false_alarms_on_empty_pictures_by_hand() -> None:
    boxes = np.array([[0, 0, 50, 100], [25, 0, 75, 100], [90, 90, 200, 200]], np.float32)  # the last one half outside
    pictures = [
        EmptyPicture(100, 100, boxes, np.array([0.9, 0.5, 0.2], np.float32)),
        EmptyPicture(100, 100, boxes[:0], np.zeros(0, np.float32)),
    ]
    low, high = false_alarms(pictures, scores=(0.1, 0.6))
    assert (low.count, low.per_picture, low.pictures_with_any) == (3, 1.5, 0.5)
    assert (low.covered, low.worst_covered) == (pytest.approx(0.38), pytest.approx(0.76))
    assert (high.count, high.covered) == (1, 0.25)
    assert false_alarms([], scores=(0.1,))[0].as_dict()["per_picture"] is None


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(-5, 15), st.integers(-5, 15), st.integers(-5, 15), st.integers(-5, 15)), max_size=6)
)
def test_covered_share_is_what_painting_gives(rows: list) -> None:
    painted = np.zeros((10, 12), bool)
    for x1, y1, x2, y2 in rows:
        painted[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)] = True
    boxes = np.reshape(rows, (-1, 4)).astype(np.float32)
    assert covered_share(boxes, width=12, height=10) == pytest.approx(painted.mean())


boxes = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(4, 30), st.integers(4, 30)).map(
    lambda box: [float(box[0]), float(box[1]), float(box[0] + box[2]), float(box[1] + box[3])]
)
pictures = st.lists(
    st.tuples(
        st.lists(boxes, max_size=4),
        st.lists(st.tuples(boxes, st.sampled_from([0.1, 0.2, 0.4, 0.5, 0.8])), max_size=6),
    ),
    min_size=1,
    max_size=4,
)


def as_records(scenes: list) -> tuple[Subjects, Candidates]:
    subjects = [(i, box) for i, (truth, _) in enumerate(scenes) for box in truth]
    candidates = [(i, box, score) for i, (_, seen) in enumerate(scenes) for box, score in seen]
    return (
        Subjects([i for i, _ in subjects], np.reshape([box for _, box in subjects], (-1, 4)), [True] * len(subjects)),
        Candidates(
            [i for i, *_ in candidates],
            np.reshape([box for _, box, _ in candidates], (-1, 4)),
            [score for *_, score in candidates],
        ),
    )


def coco_average_precision(package: str, scenes: list) -> float:
    if package == "pycocotools":
        coco = pytest.importorskip("pycocotools.coco").COCO
        evaluation = pytest.importorskip("pycocotools.cocoeval").COCOeval
    else:
        module = pytest.importorskip("faster_coco_eval")
        coco, evaluation = module.COCO, module.COCOeval_faster

    def entry(number: int, picture: int, box: list[float], **more: float) -> dict:
        x1, y1, x2, y2 = box
        area = (x2 - x1) * (y2 - y1)
        box = [x1, y1, x2 - x1, y2 - y1]
        return {"id": number, "image_id": picture, "category_id": 1, "bbox": box, "area": area, "iscrowd": 0, **more}

    truth = [entry(0, i, box) for i, (boxes, _) in enumerate(scenes) for box in boxes]
    seen = [entry(0, i, box, score=score) for i, (_, boxes) in enumerate(scenes) for box, score in boxes]
    for number, row in enumerate(truth + seen):
        row["id"] = number + 1
    with contextlib.redirect_stdout(io.StringIO()):
        data = coco()
        data.dataset = {
            "info": {},
            "images": [{"id": i, "width": 64, "height": 64} for i in range(len(scenes))],
            "categories": [{"id": 1, "name": "person"}],
            "annotations": truth,
        }
        data.createIndex()
        judge = evaluation(data, data.loadRes(seen), "bbox")
        judge.params.iouThrs = np.array([0.5])
        judge.evaluate()
        judge.accumulate()
    return float(np.mean(judge.eval["precision"][0, :, 0, 0, -1]))


@pytest.mark.parametrize("package", ["pycocotools", "faster_coco_eval"])
@settings(max_examples=60)
@given(pictures)
def test_average_precision_is_cocos(package: str, scenes: list) -> None:
    subjects, candidates = as_records(scenes)
    if not len(subjects) or not len(candidates):
        return
    order = np.argsort(candidates.picture, kind="stable")  # COCO keeps equal scores in the order of pictures
    candidates = candidates[order]
    hits = match(subjects, candidates) != NOBODY
    ours = ap.interpolated(ap.curve(candidates.score, hits, positives=len(subjects)))
    assert ours == pytest.approx(coco_average_precision(package, scenes), abs=1e-9)


@settings(max_examples=60)
@given(pictures)
def test_matching_is_one_to_one_and_enough(scenes: list) -> None:
    subjects, candidates = as_records(scenes)
    taken = match(subjects, candidates)
    hits = taken[taken != NOBODY]
    assert len(set(hits.tolist())) == len(hits)
    for row in np.flatnonzero(taken != NOBODY):
        a, b = candidates.box[row], subjects.box[taken[row]]
        inter = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
        assert candidates.picture[row] == subjects.picture[taken[row]]
        assert inter >= 0.5 * ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inter) - 1e-9


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.booleans()), min_size=1, max_size=20))
def test_figures_stay_in_range_and_finding_more_never_hurts(rows: list) -> None:
    scores, hits = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    positives = int(hits.sum()) + 2
    curve = ap.curve(scores, hits, positives=positives)
    better = ap.curve(np.append(scores, 1.0), np.append(hits, True), positives=positives)
    assert 0 <= ap.interpolated(curve) <= ap.interpolated(better) + 1e-12 <= 1 + 1e-12
    best = ap.best_f(scores, hits, positives=positives, beta=2.0)
    for score in set(scores.tolist()):
        point = ap.at_score(scores, hits, positives=positives, score=score)
        f2 = 5 * point.hits / (4 * positives + point.hits + point.false_alarms)
        assert f2 <= best.f + 1e-12
