"""A track that is nobody loses its cover, only there, only then, and never against a face detector without a reason."""

from __future__ import annotations

import numpy as np
import pytest

from or_mv_anon.core.records import Detections, RegionKind, Regions, Tracks
from or_mv_anon.corrections.actions import Keyframe, NotAPerson
from or_mv_anon.regions.nobody import Nobody

FRAMES = 40
SECONDS = np.arange(FRAMES) / 10 + 100  # the session's clock need not begin at 0
LAMP, PERSON = (10.0, 10.0, 30.0, 60.0), (100.0, 10.0, 130.0, 90.0)


def tracks(*boxes: tuple[float, float, float, float]) -> Tracks:
    frame = np.tile(np.arange(FRAMES), len(boxes))
    return Tracks(
        frame=frame, track=np.repeat(np.arange(len(boxes)), FRAMES), box=np.repeat(boxes, FRAMES, axis=0),
        score=np.ones(len(frame)), provenance=np.zeros(len(frame)), detection=np.full(len(frame), -1),
    )  # fmt: skip


def covers(people: Tracks) -> Regions:
    """The top of every person."""
    box = people.box.copy()
    box[:, 3] = box[:, 1] + 20
    order = np.argsort(people.frame, kind="stable")
    count = len(people)
    return Regions(
        frame=people.frame, box=box, kind=np.full(count, RegionKind.HEAD), track=people.track,
        uncertainty=np.zeros(count),
    )[order]  # fmt: skip


def face(frame: int, box: tuple[float, float, float, float]) -> Detections:
    return Detections(frame=np.array([frame]), box=np.array([box]), score=np.array([0.4]))


def decided(*, first: float = 101.0, last: float = 102.0, override: bool = False, track: int = 7) -> NotAPerson:
    return NotAPerson("cam", track, (Keyframe(first, LAMP), Keyframe(last, LAMP)), override=override)


def nobody(action: NotAPerson, faces: Detections | None = None, people: Tracks | None = None) -> Nobody:
    people = tracks(LAMP, PERSON) if people is None else people
    return Nobody([("it", action)], SECONDS, people, Tracks.empty(), faces or Detections.empty())


def test_only_there_only_then() -> None:
    people = tracks(PERSON, LAMP)  # numbered otherwise than in the run that was reviewed
    found = nobody(decided(), people=people)
    left = found.uncover(covers(people))
    assert (left.frame[left.track == 0] == np.arange(FRAMES)).all()
    assert set(left.frame[left.track == 1]) == set(range(FRAMES)) - set(range(10, 21))
    assert found.finish() == []
    assert set(people.frame[found.is_gone(people.frame, people.track)]) == set(range(10, 21))


@pytest.mark.parametrize("override", [False, True])
def test_a_face_detector_disagrees(override: bool) -> None:
    found = nobody(decided(override=override), face(15, (15.0, 12.0, 22.0, 20.0)))
    people = tracks(LAMP, PERSON)
    left = found.uncover(covers(people))
    if override:
        assert found.finish() == []
        assert (left.track == 0).sum() == FRAMES - 11
    else:
        assert len(left) == len(people)
        (sentence,) = found.finish()
        assert "101.50 s" in sentence


@pytest.mark.parametrize("box", [(15.0, 40.0, 22.0, 50.0), (101.0, 12.0, 110.0, 20.0)], ids=["below", "somebody else"])
def test_faces_elsewhere_do_not_matter(box: tuple[float, float, float, float]) -> None:
    found = nobody(decided(), face(15, box))
    assert len(found.uncover(covers(tracks(LAMP, PERSON)))) == 2 * FRAMES - 11


def test_a_track_that_is_not_there_any_more() -> None:
    moved = tracks((60.0, 60.0, 80.0, 110.0), PERSON)
    found = nobody(decided(), people=moved)
    assert len(found.uncover(covers(moved))) == len(moved)
    assert "no track is there any more" in found.finish()[0]


def test_a_person_who_only_passes_the_place_stays_covered() -> None:
    walk = tracks(LAMP, PERSON)
    box = walk.box.copy()
    rows = walk.track == 0
    box[rows] += (np.abs(np.arange(FRAMES) - 15) * 8)[:, None] * np.array([1, 0, 1, 0])
    passing = walk.replace(box=box)
    found = nobody(decided(), people=passing)
    assert len(found.uncover(covers(passing))) == len(passing)
