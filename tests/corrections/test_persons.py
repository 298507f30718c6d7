"""Who is who after what people decided, whatever the order and whatever is withdrawn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from or_mv_anon.core.records import Identities, Tracks
from or_mv_anon.corrections.actions import Action, Cover, Keyframe, Merge, NotAPerson, Place, Split
from or_mv_anon.corrections.log import Line
from or_mv_anon.corrections.persons import Persons, about_camera, followed_at, who_is_who

BOX = (0.0, 0.0, 10.0, 10.0)
RUN = {"a": {0: 0, 1: 1, 2: 2}, "b": {0: 0, 1: 3}}  # camera -> track -> person


def place(camera: str, track: int, time: float = 1.0) -> Place:
    """A place that only stands for a track here."""
    return Place(camera, time, (0.0, 0.0, 1.0, track + 1.0))


def line(number: int, action: Action) -> Line:
    return Line(number, f"{number:012x}", "2020", "A", "", action, "0" * 64, "0" * 64)


def decided(*actions: Action, run: Mapping[str, Mapping[int, int]] = RUN) -> Persons:
    identities = {
        camera: Identities(track=list(known), identity=list(known.values()), confidence=np.full(len(known), 0.5))
        for camera, known in run.items()
    }
    tracks = {place(camera, track): track for camera, known in RUN.items() for track in known}
    return who_is_who([line(number, each) for number, each in enumerate(actions)], identities, tracks)


def test_whole_persons_are_joined():
    persons = decided(Merge((place("a", 0), place("b", 1))))
    assert persons.identity == {("a", 0): 0, ("a", 1): 1, ("a", 2): 2, ("b", 0): 0, ("b", 1): 0}
    assert persons.of_case(3, ()) == 0, "a case about no track is about the person who is called otherwise now"
    assert persons.of_case(None, (("a", 0), ("b", 1))) == 0


def test_joining_goes_on_over_several_decisions():
    persons = decided(Merge((place("a", 1), place("a", 2))), Merge((place("a", 2), place("b", 1))))
    assert {persons.identity[name] for name in (("a", 1), ("a", 2), ("b", 1))} == {1}
    assert [persons.of_case(old, ()) for old in (1, 2, 3, 0)] == [1, 1, 1, 0]


def test_a_track_is_parted_from_a_person_the_others_stay():
    persons = decided(Merge((place("a", 1), place("b", 1))), Split((place("a", 0), place("b", 0))))
    assert persons.identity[("a", 0)] == 0
    assert persons.identity[("b", 0)] not in {0, 1, 2, 3}
    assert persons.identity[("b", 1)] == persons.identity[("a", 1)] == 1


def test_the_later_decision_holds():
    both = place("a", 0), place("a", 1)
    assert len({decided(Merge(both), Split(both)).identity[("a", n)] for n in (0, 1)}) == 2
    assert len({decided(Split(both), Merge(both)).identity[("a", n)] for n in (0, 1)}) == 1


def test_people_can_be_told_where_cameras_were_treated_one_by_one():
    persons = decided(Merge((place("a", 0), place("b", 1))), run={"a": {}, "b": {}})
    assert persons.identity == {("a", 0): 0, ("b", 1): 0}
    known = persons.of_camera("b", Identities.empty())
    assert (known.track.tolist(), known.identity.tolist(), known.confidence.tolist()) == ([1], [0], [1.0])


def test_what_cannot_be_followed_is_told_and_changes_nothing():
    for action, words in (
        (Split((place("a", 0), place("a", 0))), "one track"),
        (Merge((place("a", 0), place("a", 9))), "nobody"),
    ):
        persons = decided(action)
        assert persons.identity == decided().identity
        (sentence,) = persons.unheeded
        assert words in sentence


def test_a_place_is_where_a_track_is_at_its_time():
    frame = np.tile(np.arange(10), 2)
    box = np.array([[0, 0, 40, 100]] * 10 + [[20, 0, 60, 100]] * 10, np.float32)
    tracks = Tracks(
        frame=frame, track=np.repeat([4, 7], 10), box=box, score=np.ones(20), provenance=np.zeros(20),
        detection=np.zeros(20),
    )  # fmt: skip
    seconds = np.arange(10) / 10 + 5.0
    head, body, off, early = (
        Place("a", 5.42, (3.0, 2.0, 18.0, 20.0)),
        Place("a", 5.42, (20.0, 0.0, 60.0, 100.0)),
        Place("a", 5.42, (80.0, 0.0, 90.0, 10.0)),
        Place("a", 3.0, (20.0, 0.0, 60.0, 100.0)),
    )
    assert followed_at([head, body, off, early], tracks, seconds) == {head: 4, body: 7}
    assert followed_at([head], Tracks.empty(), seconds) == {}


def test_who_is_who_touches_a_cameras_cover_only_where_somebody_was_called_nobody():
    who = line(0, Merge((Place("a", 1.0, BOX), Place("b", 1.0, BOX))))
    gone = line(1, NotAPerson("a", 3, (Keyframe(1.0, BOX),)))
    drawn = line(2, Cover("b", (Keyframe(1.0, BOX),), all_cameras=True))
    assert about_camera([who, drawn], "a") == (drawn,)
    assert about_camera([who, gone, drawn], "a") == (who, gone, drawn)
    assert about_camera([who, gone, drawn], "b") == (drawn,)
