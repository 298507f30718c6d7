"""Doubts become cases: what is seen in one go is one, and every doubt is in exactly one."""

import numpy as np
import pytest

from or_mv_anon.audit.evidence import Doubt
from or_mv_anon.audit.grouping import LONGEST_S, group_doubts, review_seconds


def doubt(camera="cam1", start=1.0, severity=1.0, **more):
    content = {"reason": "cover_ends", "end": start + 0.8, "until": start + 5, "box": (10.0, 10.0, 50.0, 50.0), **more}
    return Doubt(camera=camera, start=start, severity=severity, **content)


def test_one_moment_in_two_cameras_is_one_case():
    (case,) = group_doubts([doubt("cam1", severity=0.8), doubt("cam2", start=1.1, severity=1.0)])
    assert case.cameras == ("cam2", "cam1")
    assert (case.start, case.end) == (1.0, 1.9)
    assert case.severity == pytest.approx(1.8)
    assert case.review_s == pytest.approx(review_seconds(1.0, 1.9, 2))
    assert case.boxes == {"cam1": (10, 10, 50, 50), "cam2": (10, 10, 50, 50)}


def test_moments_far_apart_are_two_cases_the_graver_first():
    first, second = group_doubts([doubt(start=1.0, severity=0.2), doubt(start=30.0, severity=2.0)])
    assert (first.start, second.start) == (30.0, 1.0)


def test_what_would_cost_more_than_it_is_worth_stays_a_case_of_its_own():
    assert len(group_doubts([doubt("cam1", severity=3.0), doubt("cam2", severity=0.01)])) == 2


def test_of_two_doubts_about_one_place_the_lesser_counts_in_part():
    (case,) = group_doubts([doubt(severity=1.0), doubt(severity=0.8, reason="open_candidate")])
    assert case.severity == pytest.approx(1.4)
    assert case.reasons == ("cover_ends", "open_candidate")


def test_one_person_a_moment_later_is_the_same_case_and_somebody_else_is_not():
    there = {"start": 1.0, "end": 1.2}
    later = {"start": 1.5, "end": 1.8}
    assert len(group_doubts([doubt(identity=4, **there), doubt("cam2", identity=4, **later)])) == 1
    assert len(group_doubts([doubt(identity=4, **there), doubt("cam2", identity=5, **later)])) == 2


def test_a_case_names_its_person_only_if_it_is_about_one():
    assert group_doubts([doubt(identity=4), doubt("cam2", identity=4)])[0].identity == 4
    assert group_doubts([doubt(identity=4), doubt("cam2", identity=5)])[0].identity is None
    assert group_doubts([doubt(), doubt("cam2")])[0].identity is None


def test_a_doubt_about_no_place_makes_the_whole_picture_the_place():
    (case,) = group_doubts([doubt(), doubt(box=None, severity=1.1)])
    assert case.boxes == {}


def test_the_sentence_says_where_what_and_what_to_look_for():
    (case,) = group_doubts([doubt("cam1"), doubt("cam2")])
    assert case.what.startswith("cam1 and cam2: covered head that is no longer covered.")
    assert case.what.endswith("?")


def test_every_doubt_is_in_one_case_that_is_not_long():
    draw = np.random.default_rng(3)
    doubts = [
        doubt(f"cam{draw.integers(1, 5)}", float(draw.uniform(0, 60)), float(draw.uniform(0, 2)), track=number)
        for number in range(300)
    ]
    cases = group_doubts(doubts)
    listed = [pair for case in cases for pair in case.tracks]
    assert sorted(listed) == sorted((each.camera, each.track) for each in doubts)
    assert all(case.end - case.start <= LONGEST_S + 1e-3 for case in cases)
    worth = [case.priority for case in cases]
    assert worth == sorted(worth, reverse=True)
    assert group_doubts(doubts[::-1]) == cases
