"""From distances to identities, in a room where the truth is known and the geometry given."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.association import associate as module
from or_mv_anon.association.associate import associate
from or_mv_anon.association.views import Association, Observations, PairGeometry, ViewNames
from or_mv_anon.core.config import AssociationConfig, load_config
from tests.association.synthetic_room import Room, synthetic_room

INSTANT_S = 0.2


@pytest.fixture(scope="module")
def room() -> Room:
    return synthetic_room(seed=3, cameras=3, people=5, seconds=60)


@pytest.fixture
def config() -> AssociationConfig:
    return replace(load_config().association, use_appearance=False, use_synchrony=False, instant_s=INSTANT_S)


def given_geometry(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """The true matrices, so that nothing is estimated here."""
    stop = 1 + max(int(view.observations.instant.max()) for view in room.views)

    def known(views: object, **_: object) -> dict[ViewNames, tuple[PairGeometry, ...]]:
        return {
            names: (PairGeometry(views=names, matrix=matrix, start=0, stop=stop),)
            for names, matrix in room.matrices.items()
        }

    monkeypatch.setattr(module, "estimate_geometry", known)


def judge(room: Room, found: Association) -> tuple[float, float]:
    """Precision and recall of saying that two cameras' observations of an instant are one person."""
    right = said = possible = 0
    for first, second in combinations(room.views, 2):
        one, other = (_rows(room, found, view.name) for view in (first, second))
        for instant in np.intersect1d(one[0], other[0]):
            (_, a, p), (_, b, q) = one[:, one[0] == instant], other[:, other[0] == instant]
            joined, same = a[:, None] == b, (p[:, None] == q) & (p[:, None] >= 0)
            real = (p[:, None] >= 0) & (q >= 0)
            right += int((joined & same).sum())
            said += int((joined & real).sum())
            possible += int(same.sum())
    return right / max(said, 1), right / possible


def _rows(room: Room, found: Association, name: str) -> NDArray[np.int64]:
    view = next(view for view in room.views if view.name == name)
    row = np.searchsorted(view.tracks, view.observations.track)
    return np.stack([view.observations.instant, found.identities[name].identity[row], room.people[name][row]])


def test_people_are_found_again_in_other_views(
    room: Room, config: AssociationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_geometry(room, monkeypatch)
    found = associate(room.views, config)
    precision, recall = judge(room, found)
    assert precision > 0.9
    assert recall > 0.85
    for view in room.views:
        identities = found.identities[view.name]
        assert identities.track.tolist() == view.tracks.tolist()
        assert ((identities.confidence >= 0) & (identities.confidence <= 1)).all()
    assert set(found.pairs) == set(room.matrices)
    assert np.isfinite(found.pairs["cam1", "cam2"].probability).all()


def test_nobody_is_two_people_at_once(room: Room, config: AssociationConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    given_geometry(room, monkeypatch)
    found = associate(room.views, config)
    for view in room.views:
        identity = found.identities[view.name].identity
        for pair in module.different_people(view, instant_s=INSTANT_S):
            assert identity[pair[0]] != identity[pair[1]]


def test_the_same_twice(room: Room, config: AssociationConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    given_geometry(room, monkeypatch)
    one, two = associate(room.views, config, seed=4), associate(room.views, config, seed=4)
    for name, identities in one.identities.items():
        np.testing.assert_array_equal(identities.identity, two.identities[name].identity)
        np.testing.assert_array_equal(identities.confidence, two.identities[name].confidence)


def test_tracks_of_nobody_seldom_find_a_partner(
    room: Room, config: AssociationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_geometry(room, monkeypatch)
    found = associate(room.views, config)
    lone = [
        confidence
        for view in room.views
        for confidence, person in zip(found.identities[view.name].confidence, room.people[view.name], strict=True)
        if person < 0
    ]
    assert np.mean(np.array(lone) > 0.9) < 0.5


def test_one_camera_alone(room: Room, config: AssociationConfig) -> None:
    found = associate(room.views[:1], config)
    assert len(found.identities["cam1"]) == len(room.views[0].tracks)
    assert not found.pairs
    assert not found.notes


def test_nothing_seen_is_no_error(room: Room, config: AssociationConfig) -> None:
    empty = [replace(view, observations=Observations.empty()) for view in room.views[:2]]
    found = associate(empty, config)
    assert not found.identities["cam1"].confidence.any()


def test_a_failing_part_becomes_a_note(room: Room, config: AssociationConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no convergence")

    monkeypatch.setattr(module, "estimate_geometry", broken)
    found = associate(room.views, config)
    assert any("no convergence" in note for note in found.notes)
    assert set(found.identities) == {view.name for view in room.views}
