"""Whose head is whose in one frame: one head to a person, and to every box that is mostly the same person."""

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections, Tracks
from or_mv_anon.regions import own_heads as own_heads_module
from or_mv_anon.regions.own_heads import distinct_heads, own_heads, towards_body

CONFIG = load_config()
STANDING, BESIDE = (100, 100, 200, 400), (160, 110, 260, 410)
HEAD, BESIDE_HEAD = (130, 100, 170, 150), (190, 112, 230, 160)


def heads(*boxes, scores=None, frames=None):
    return Detections(
        frame=np.zeros(len(boxes)) if frames is None else frames,
        box=np.array(boxes, float).reshape(-1, 4),
        score=np.full(len(boxes), 0.9) if scores is None else scores,
    )


def people(*boxes, frames=None):
    zero = np.zeros(len(boxes))
    return Tracks(frame=zero if frames is None else frames, track=np.arange(len(boxes)), box=np.array(boxes, float),
                  score=zero + 0.9, provenance=zero, detection=np.arange(len(boxes)))  # fmt: skip


def whose(persons, found):
    own = own_heads(persons, found, CONFIG.heads, lying_aspect=CONFIG.regions.lying_aspect)
    return own.tolist()


@pytest.mark.parametrize(
    ("found", "own"),
    [
        ([HEAD], 0),
        ([], -1),
        ([(130, 300, 170, 350), HEAD], 1),  # the one at the top fits better
        ([HEAD, (300, 100, 340, 150)], 0),  # the other is outside the box
        ([(90, 90, 290, 290)], -1),  # too large for this person
        ([(180, 100, 240, 150)], -1),  # mostly outside
    ],
)
def test_of_one_person(found, own):
    assert whose(people(STANDING), heads(*found)) == [own]


def test_two_people_do_not_share_a_head():
    assert whose(people(STANDING, BESIDE), heads(HEAD, BESIDE_HEAD)) == [0, 1]
    assert whose(people(STANDING, BESIDE), heads(BESIDE_HEAD, HEAD)) == [1, 0]
    between = (163, 105, 198, 150)  # in both boxes, and one of them has a head of its own
    assert sorted(whose(people(STANDING, BESIDE), heads(HEAD, between))) == [0, 1]
    assert sorted(whose(people(STANDING, BESIDE), heads(between))) == [-1, 0]


def test_two_boxes_of_one_person_share_its_head():
    part = (105, 100, 195, 300)
    assert whose(people(STANDING, part), heads(HEAD)) == [0, 0]


def test_a_lying_persons_head_is_at_a_side():
    lying = (100, 100, 500, 220)
    assert whose(people(lying), heads((280, 140, 330, 190), (450, 140, 495, 190))) == [1]


def test_frames_are_kept_apart():
    both = people(STANDING, STANDING, frames=[3, 5])
    assert whose(both, heads(HEAD, HEAD, frames=[4, 5])) == [-1, 1]


def test_nobody_and_nothing():
    assert whose(people(STANDING)[:0], heads(HEAD)) == []
    assert len(distinct_heads(heads())) == 0


def test_a_head_that_was_found_twice_counts_once():
    smaller = (135, 105, 165, 145)
    kept = distinct_heads(heads(smaller, HEAD, BESIDE_HEAD, smaller, scores=[0.3, 0.8, 0.2, 0.3], frames=[0, 0, 0, 1]))
    assert kept.score.tolist() == pytest.approx([0.8, 0.2, 0.3])
    equal = distinct_heads(heads(HEAD, HEAD))
    assert len(equal) == 1


def test_parts_of_a_long_recording_hold_whole_frames(monkeypatch):
    frames = np.repeat(np.arange(50), 3)
    found = heads(*[HEAD, BESIDE_HEAD, HEAD] * 50, scores=np.tile([0.8, 0.5, 0.3], 50), frames=frames)
    whole = distinct_heads(found)
    monkeypatch.setattr(own_heads_module, "ROWS_AT_ONCE", 7)
    parts = distinct_heads(found)
    assert len(whole) == 100
    assert parts.frame.tolist() == whole.frame.tolist()
    assert parts.score.tolist() == whole.score.tolist()


@pytest.mark.parametrize(
    ("person", "side"),
    [((100, 100, 200, 400), 3), ((100, -200, 200, 150), 1), ((0, 100, 170, 150), 0), ((130, 100, 400, 150), 2)],
)
def test_the_chin_is_towards_the_body(person, side):
    grown = towards_body(np.array([HEAD], np.float32), np.array([person], np.float32))[0]
    moved = np.abs(grown - HEAD)
    assert moved.argmax() == side
    assert moved[side] == pytest.approx(10, abs=1)
    assert (grown[:2] <= HEAD[:2]).all()
    assert (grown[2:] >= HEAD[2:]).all()
