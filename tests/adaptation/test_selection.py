"""The label-free criterion: better detectors score better, and thresholds only ever fall."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from or_mv_anon.adaptation import selection
from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.head_boxes import HeadBoxes
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.selection import (
    SCORES,
    Comparison,
    DetectorCurves,
    ReferenceLabels,
    at_score,
    best_iteration,
    best_trained,
    judge_detector,
    merge_reference_labels,
    room_thresholds,
)
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.config import load_config
from or_mv_anon.core.pictures import PictureBank
from tests.adaptation.label_scenes import box_at

CONFIG = load_adaptation_config()
PEOPLE = np.array([box_at(left) for left in (0, 100, 200, 300)], np.float32)
SOMETHING = np.array([box_at(500)], np.float32)
NOTHING = np.zeros((0, 4), np.float32)
SUPPORT = {1: ReferenceLabels(PEOPLE, np.ones(4, np.float32), SOMETHING, NOTHING)}


def found(count: int, *, score: float, extra: tuple[float, ...] = (), left: float = 400.0) -> dict:
    """The first `count` people, and boxes that lie on nobody."""
    boxes = np.concatenate([PEOPLE[:count], np.array([box_at(left)] * len(extra), np.float32).reshape(-1, 4)])
    return {1: (boxes, np.array([*[score] * count, *extra], np.float32))}


def judged(*args: int, **kwargs: object) -> DetectorCurves:
    return judge_detector(found(*args, **kwargs), SUPPORT, CONFIG.criterion)  # type: ignore[arg-type]


def test_recall_and_false_boxes_over_the_score() -> None:
    curves = judged(2, score=0.4, extra=(0.35,))
    assert at_score(curves.recall, 0.3) == pytest.approx(0.5)
    assert at_score(curves.recall, 0.5) == 0
    assert at_score(curves.unsupported, 0.3) == 1
    assert at_score(curves.unsupported, 0.4) == 0


def test_more_people_are_better_and_more_false_boxes_are_worse() -> None:
    scores = [judged(n, score=0.9).criterion for n in range(5)]
    assert scores == sorted(scores)
    assert judged(3, score=0.9, extra=(0.9,)).criterion < judged(3, score=0.9).criterion


def test_what_is_undecided_costs_nothing_but_is_not_confirmed() -> None:
    curves = judged(3, score=0.9, extra=(0.9,), left=500.0)
    assert curves.criterion == judged(3, score=0.9).criterion
    assert at_score(curves.unconfirmed, 0.5) == 1


def labels(*rows: tuple[float, float], evidence: float = 1.0) -> list[LabelledImage]:
    boxes = np.array([box_at(left) for left, _ in rows], np.float32).reshape(-1, 4)
    zeros = np.zeros(len(rows))
    record = PseudoLabels(
        frame=zeros, box=boxes, weight=np.array([w for _, w in rows]), evidence=zeros + evidence, score=zeros,
        provenance=zeros, track=zeros, identity=zeros,
    )  # fmt: skip
    return [LabelledImage(number=1, camera="s/cam1", frame=0, time=0.0, size=(640, 360), labels=record)]


def test_support_is_the_union_over_iterations() -> None:
    merged = merge_reference_labels(
        [labels((0, 1.0), (100, 0.0)), labels((2, 1.0), (100, 1.0))], least_weight=0.5, match_iou=0.5
    )
    assert merged[1].people[:, 0].tolist() == [0, 100]
    assert len(merged[1].neutral) == 1


def test_a_mistake_that_independent_witnesses_deny_costs_even_where_another_iteration_is_undecided() -> None:
    undecided, denied = labels((0, 1.0), (500, 0.0)), labels((500, 0.0), evidence=0.0)
    repeated = found(1, score=0.9, extra=(0.9,), left=500.0)
    merged = [
        merge_reference_labels(parts, least_weight=0.5, match_iou=0.5) for parts in ([undecided], [undecided, denied])
    ]
    before, after = (judge_detector(repeated, support, CONFIG.criterion) for support in merged)
    assert before.criterion == pytest.approx(1)
    assert at_score(after.unsupported, 0.5) == 1
    assert after.criterion == pytest.approx(1 - CONFIG.criterion.unsupported_weight)


def test_who_is_confirmed_by_one_iteration_is_no_mistake_because_another_denies() -> None:
    merged = merge_reference_labels([labels((0, 1.0)), labels((0, 0.0), evidence=0.0)], least_weight=0.5, match_iou=0.5)
    assert judge_detector(found(1, score=0.9), merged, CONFIG.criterion).criterion == pytest.approx(1)


def test_the_criterion_of_a_detector_of_heads_is_the_mean_of_people_and_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    head, elsewhere = [10.0, 100.0, 30.0, 120.0], [500.0, 100.0, 520.0, 120.0]
    known = HeadBoxes(frame=np.zeros(2), box=np.array([head, elsewhere]), weight=np.array([1.0, 0.0]))
    (image,) = labels((0, 1.0))
    score = np.array([0.9], np.float32)
    people = PEOPLE[:1], score
    answers = {
        "both": (people, (np.array([head], np.float32), score)),
        "no head": (people, (np.array([elsewhere], np.float32), score)),
        "people alone": (people, None),
    }
    monkeypatch.setattr(selection, "open_detector", lambda file, *_: file)
    monkeypatch.setattr(selection, "detect_pictures", lambda name, _: {1: answers[name]})
    comparison = Comparison(PictureBank({}), CONFIG.criterion, device="cpu")
    comparison.add_labels([dataclasses.replace(image, heads=known)])
    for name in answers:
        comparison.add_detector(name, name, load_config().detection)  # type: ignore[arg-type]
    curves = comparison.curves()
    assert [curves[name].criterion for name in answers] == pytest.approx([1.0, 0.5, 1.0])
    assert at_score(curves["both"].head_recall, 0.5) == 1  # type: ignore[arg-type]
    assert at_score(curves["no head"].head_recall, 0.5) == 0  # type: ignore[arg-type]
    assert curves["people alone"].head_recall is None


def test_an_iteration_must_gain_to_be_chosen() -> None:
    curves = [dataclasses.replace(judged(2, score=0.9), criterion=value) for value in (0.5, 0.6, 0.6005, 0.58)]
    assert best_iteration(curves[:2], CONFIG.criterion) == (1, True)
    assert best_iteration(curves[:3], CONFIG.criterion) == (1, False)
    assert best_iteration(curves[:1], CONFIG.criterion) == (0, True)


def test_the_best_that_was_trained_may_be_worse_than_the_start() -> None:
    nothing = np.zeros(len(SCORES))
    curves = [DetectorCurves(nothing, nothing, nothing, 10, criterion) for criterion in (0.9, 0.6, 0.7, 0.65)]
    assert best_iteration(curves, CONFIG.criterion)[0] == 0
    assert best_trained(curves) == 2
    assert best_trained(curves[:1]) == 0


def test_thresholds_fall_only_as_far_as_false_boxes_allow() -> None:
    tracking = load_config().tracking
    dirty = dataclasses.replace(judged(2, score=0.9), pictures=100, unconfirmed=2 * (1 - SCORES))
    clean = dataclasses.replace(dirty, unconfirmed=1.6 * (1 - SCORES))
    fallen = room_thresholds(dirty, clean, tracking, CONFIG.thresholds)
    assert fallen["high_score"] == pytest.approx(0.38, abs=0.011)  # 1.6 (1 - s) = 2 (1 - 0.5)
    assert all(value <= getattr(tracking, name) for name, value in fallen.items())
    assert room_thresholds(clean, dirty, tracking, CONFIG.thresholds) == {}
    assert room_thresholds(dirty, dataclasses.replace(clean, pictures=5), tracking, CONFIG.thresholds) == {}
    assert room_thresholds(dirty, clean, tracking, dataclasses.replace(CONFIG.thresholds, adjust=False)) == {}
