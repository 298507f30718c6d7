"""Whoever is in the picture counts by posture, and only boxes where everybody is labelled can be false."""

from collections import defaultdict

import numpy as np
import pytest

from benchmarks import people_found
from benchmarks.people_found import Alarms, Count, markdown
from benchmarks.people_found_sets import Judged, _posture

PERSON, OTHER, FAR = [0, 0, 20, 40], [50, 0, 70, 40], [100, 0, 120, 40]
NONE = np.zeros((0, 4), np.float32)


def judged(**changed):
    values = {
        "picture": np.zeros((50, 150, 3), np.uint8),
        "name": "ward",
        "boxes": (np.array([PERSON, OTHER], np.float32), NONE),
        "groups": (["lying", "standing"], []),
        "unsure": (NONE, NONE),
        "whole": (True, False),
    }
    return Judged(**(values | changed))


def counted(picture, boxes, scores):
    counts, alarms = defaultdict(Count), defaultdict(Alarms)
    people_found._count(picture, 0, (np.array(boxes, np.float32), np.array(scores, np.float32)), counts, alarms)
    return {name: (count.wanted, count.found) for name, count in counts.items()}, alarms["person, ward"].boxes


def test_people_are_counted_by_posture_and_score():
    found, false = counted(judged(), [PERSON, OTHER, FAR], [0.6, 0.2, 0.7])
    assert found == {"person, ward, lying": (1, [1, 1]), "person, ward, standing": (1, [1, 0])}
    assert false == [1, 1]


def test_nothing_is_false_where_not_everybody_is_labelled():
    assert counted(judged(whole=(False, False)), [FAR], [0.9])[1] == [0, 0]
    assert counted(judged(unsure=(np.array([FAR], np.float32), NONE)), [FAR], [0.9])[1] == [0, 0]


def test_a_person_without_a_box_is_found_by_whoever_holds_the_head():
    head = np.array([[5, 2, 15, 12]], np.float32)
    picture = judged(boxes=(NONE, head), groups=([], ["lying"]), whole=(False, False), holders=head)
    counts = defaultdict(Count)
    people = np.array([PERSON, FAR], np.float32), np.array([0.3, 0.9], np.float32)
    people_found._count_holders(picture, people, counts)
    assert counts["person who holds a head, ward, lying"].found == [1, 0]


@pytest.mark.parametrize(
    ("words", "posture"),
    [(["patient", "fall"], "lying"), (["sit", "patient"], "sitting"), (["person", "stand"], "standing"), ([], "all")],
)
def test_postures_are_told_from_the_words_of_the_labels(words, posture):
    assert _posture(words) == posture


def test_a_class_that_a_network_does_not_know_is_told_as_such():
    knows = {"milliseconds": 1.0, "found": {"head, ward, all": {"wanted": 4, "at": [3, 1]}}, "false": {}}
    table = markdown({"people": knows | {"found": {}}, "both": knows})
    assert "| head, ward, all | 4 | - | 75%, 25% |" in table
