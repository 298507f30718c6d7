"""The associator that learns from synchrony, on a made-up room."""

import sys

import numpy as np
import pytest

from or_mv_anon.association.synchrony import Synchrony, learn_synchrony
from or_mv_anon.association.synchrony_people import people_of, points_of
from or_mv_anon.association.views import Observations, View
from or_mv_anon.core.errors import UserError
from or_mv_anon.evaluation import average_precision as ap
from tests.association.synthetic_room import Room, synthetic_room


@pytest.fixture(scope="module")
def room() -> Room:
    """Two cameras, three people who walk."""
    return synthetic_room(seed=3, cameras=2, people=3, seconds=120, standing=0.1, false_tracks=0)


@pytest.fixture(scope="module")
def learned(room: Room) -> Synchrony:
    """Trained briefly."""
    pytest.importorskip("torch")
    return learn_synchrony(room.views, steps=150)


def test_one_person_is_nearer_than_two(room: Room, learned: Synchrony) -> None:
    first, second = room.views
    pairs = learned.pair_distances(first, second)
    long = pairs[pairs.instants >= 10]
    who = [
        room.people[view.name][np.searchsorted(view.tracks, ids)]
        for view, ids in zip(room.views, (long.first, long.second), strict=True)
    ]
    hit = (who[0] == who[1]) & (who[0] >= 0)
    untrained = learn_synchrony(room.views, steps=1).pair_distances(first, second)
    chance = ap.stepwise(-untrained[untrained.instants >= 10].synchrony.astype(float), hit)
    assert ap.stepwise(-long.synchrony.astype(float), hit) > max(0.75, chance + 0.1)
    assert np.isnan(pairs.distance).all()
    assert np.isnan(pairs.probability).all()


def test_pairs_are_those_with_common_instants(room: Room, learned: Synchrony) -> None:
    first, second = room.views
    pairs = learned.pair_distances(first, second)
    at = [{(t, i) for t, i in zip(v.observations.instant, v.observations.track, strict=True)} for v in room.views]
    one, other = pairs.first[0], pairs.second[0]
    assert len({t for t, i in at[0] if i == one} & {t for t, i in at[1] if i == other}) == pairs.instants[0]
    assert (pairs.instants > 0).all()
    assert len({(a, b) for a, b in zip(pairs.first, pairs.second, strict=True)}) == len(pairs)


def test_distances_are_means_of_the_embeddings(room: Room, learned: Synchrony) -> None:
    first, second = room.views
    pair = learned.pair_distances(first, second)[:1]
    where = [learned.embed(view) for view in room.views]
    rows = [
        {int(t): k for k, (t, i) in enumerate(zip(v.observations.instant, v.observations.track, strict=True)) if i == n}
        for v, n in zip(room.views, (pair.first[0], pair.second[0]), strict=True)
    ]
    apart = [np.linalg.norm(where[0][rows[0][t]] - where[1][rows[1][t]]) for t in rows[0].keys() & rows[1].keys()]
    near, strange = learned.scale
    assert 0 < near < strange
    assert pair.synchrony[0] == pytest.approx(max(np.mean(apart) - near, 0) / (strange - near), rel=1e-3, abs=1e-4)


def test_the_seed_decides(room: Room) -> None:
    pytest.importorskip("torch")
    found = [
        learn_synchrony(room.views, seed=seed, steps=5).pair_distances(*room.views).synchrony for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_nothing_to_learn_from_gives_no_pairs(room: Room) -> None:
    pytest.importorskip("torch")
    nobody = View(name="cam9", size=(640, 480), observations=Observations.empty(), tracks=np.zeros(0, int))
    learned = learn_synchrony([room.views[0], nobody])
    assert learned.network is None
    assert not len(learned.pair_distances(room.views[0], nobody))
    assert learned.embed(room.views[0]).shape == (len(room.views[0].observations), 0)


def test_progress_counts_all_steps(room: Room) -> None:
    pytest.importorskip("torch")
    done: list[int] = []
    learn_synchrony(room.views, steps=4, progress=done.append)
    assert sum(done) == 4
    done.clear()
    learn_synchrony(room.views, steps=4, seconds_budget=0.0, progress=done.append)
    assert sum(done) <= 1


def test_without_torch_the_error_says_what_to_install(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if "synchrony_" in name or name == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"or_mv_anon\[train\]"):
        learn_synchrony(room.views)


def test_tables_hold_every_observation_once(room: Room) -> None:
    view = room.views[0]
    table = people_of(view, 1 + int(view.observations.instant.max()))
    assert table.present.sum() == len(view.observations)
    np.testing.assert_array_equal(table.points[table.present], points_of(view))
    np.testing.assert_array_equal(view.tracks[table.track[table.present]], view.observations.track)
