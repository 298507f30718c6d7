"""Looks are believed as far as they tell people apart in this very session, and not at all where they do not."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from or_mv_anon.association.appearance import LIMIT, SCORES, Tally, fit_log_odds, learn_appearance, pool_embeddings
from or_mv_anon.association.views import BodyPoint, Observations, View
from or_mv_anon.core.records import Embeddings, Tracks

PEOPLE, INSTANTS, LENGTH = 6, 400, 40  # a person's track is cut now and then
SIZE = 512
VIEWS = ("door", "wall", "table")


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def session(
    looks: np.ndarray, *, noise: float = 1.0, seed: int = 0, camera: float = 2.0, copies: int = 1
) -> tuple[list[View], dict[str, np.ndarray]]:
    """Views of people side by side, and who each of their tracks is.

    Args:
        looks: what each person looks like (P, 512).
        noise: of a track's looks, in every number.
        seed: of the noise, and of when tracks are cut.
        camera: how much each camera adds to everybody's looks.
        copies: tracks that each person has at once, in one place.
    """
    random = np.random.default_rng(seed)
    views, persons = [], {}
    for name in VIEWS:
        person, rows = [], []
        for who in range(len(looks)):
            cuts = np.r_[0, np.sort(random.choice(np.arange(1, INSTANTS), INSTANTS // LENGTH, replace=False)), INSTANTS]
            for start, stop in itertools.pairwise(cuts):
                for _ in range(copies):
                    rows += [(instant, len(person), who) for instant in range(start, stop)]
                    person.append(who)
        instant, track, who = np.array(sorted(rows)).T
        left = 100.0 * who
        observations = Observations(
            instant=instant,
            track=track,
            box=np.stack([left, 0 * left, left + 80, 0 * left + 200], axis=1),
            score=np.ones(len(track)),
            points=np.zeros((len(track), len(BodyPoint), 2)),
            weight=np.zeros((len(track), len(BodyPoint))),
            head=np.ones(len(track)),
        )
        light = camera * random.normal(size=SIZE)
        vectors = looks[person] + light + noise * random.normal(size=(len(person), SIZE))
        persons[name] = np.array(person)
        views.append(
            View(
                name=name,
                size=(1280, 720),
                observations=observations,
                tracks=np.arange(len(person)),
                appearance=unit(vectors),
            )
        )
    return views, persons


def judged(views: list[View], persons: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Log odds of all pairs of two views' tracks, and the people (2, P) they are."""
    evidence = learn_appearance(views, instant_s=0.2)
    assert evidence is not None
    odds, who = [], []
    for first, second in ((0, 1), (0, 2), (1, 2)):
        one, two = views[first], views[second]
        rows, columns = (grid.ravel() for grid in np.meshgrid(one.tracks, two.tracks))
        odds.append(evidence.of_pairs(one.name, two.name, rows, columns)[1])
        who.append((persons[one.name][rows], persons[two.name][columns]))
    return np.concatenate(odds), np.concatenate(who, axis=1)


def different_people(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(100 + seed).normal(size=(PEOPLE, SIZE))


@pytest.mark.parametrize("copies", [1, 2])
def test_people_who_look_different_are_told_apart_in_any_light(copies: int) -> None:
    odds, (one, two) = judged(*session(different_people(), camera=5.0, copies=copies))
    assert odds[one == two].min() > 1.5
    assert odds[one != two].max() < -1.0


@pytest.mark.parametrize("seed", range(3))
def test_looks_that_change_all_the_time_say_nothing(seed: int) -> None:
    odds, _ = judged(*session(np.zeros((PEOPLE, SIZE)), seed=seed))
    assert np.abs(odds).max() < 0.3


@pytest.mark.parametrize("seed", range(3))
def test_crowds_of_looks_that_have_nothing_to_do_with_the_person(seed: int) -> None:
    """Tracks fall into clear groups, but a person is in another one in every track."""
    views, persons = session(different_people(), seed=seed)
    random = np.random.default_rng(seed)
    mixed = [dataclasses.replace(view, appearance=random.permutation(view.appearance)) for view in views]
    odds, _ = judged(mixed, persons)
    assert np.abs(odds).mean() < 1.0
    assert odds.max() < 1.0


def test_equal_gowns_are_weak_evidence_and_unequal_ones_strong() -> None:
    gowns = np.random.default_rng(5).normal(size=(2, SIZE))
    odds, (one, two) = judged(*session(gowns[np.arange(PEOPLE) % 2], noise=0.7))
    equal = one % 2 == two % 2
    assert 0.1 < odds[equal].mean() < 1.0, "half of all people wear this gown: at most twice as likely"
    assert odds[~equal].max() < odds[equal].min()


def test_nobody_to_learn_from() -> None:
    views, _ = session(different_people()[:1])
    evidence = learn_appearance(views, instant_s=0.2)
    assert evidence is not None
    assert not evidence.curve.any(), "who is alone in every picture shows nothing about different people"
    assert learn_appearance([dataclasses.replace(view, appearance=None) for view in views], instant_s=0.2) is None
    assert learn_appearance([], instant_s=0.2) is None


def test_unknown_looks_are_no_evidence() -> None:
    views, _ = session(different_people())
    first = views[0]
    appearance = first.appearance.copy()
    appearance[3] = 0
    observations = first.observations.replace(track=first.observations.track * 10 + 7)
    views[0] = dataclasses.replace(
        first, observations=observations, tracks=first.tracks * 10 + 7, appearance=appearance
    )
    evidence = learn_appearance(views, instant_s=0.2)
    assert evidence is not None
    cosine, odds = evidence.of_pairs("door", "wall", [37, 7, 7], [0, 0, 1])
    assert np.isnan(cosine).tolist() == [True, False, False]
    assert odds[0] == 0
    assert odds[1] != 0
    assert evidence.of_pairs("door", "wall", [], [])[0].shape == (0,)
    every = [(one, two) for one in evidence.tracks["door"] for two in evidence.tracks["wall"]]
    singly = evidence.of_pairs("door", "wall", *zip(*every, strict=True))[1]
    np.testing.assert_allclose(evidence.of_all("door", "wall").reshape(-1), singly, atol=1e-5)


weights = arrays(float, len(SCORES), elements=st.floats(0, 100))


@given(weights, weights, st.floats(0.01, 0.99))
def test_log_odds_never_fall_and_have_a_limit(across: np.ndarray, within: np.ndarray, most_same: float) -> None:
    tallies = Tally(), Tally()
    for tally, counts in zip(tallies, (across, within), strict=True):
        tally.add(SCORES, counts**2 + 1e-3)
    curve = fit_log_odds(*tallies, most_same=most_same)
    assert np.isfinite(curve).all()
    assert (np.diff(curve) >= -1e-9).all()
    assert np.abs(curve).max() <= LIMIT


def test_a_track_looks_like_the_mean_of_its_detections() -> None:
    vectors = np.eye(4, SIZE, dtype=np.float32)
    tracks = Tracks(
        frame=[0, 1, 2, 0, 1],
        track=[5, 5, 5, 2, 9],
        box=np.zeros((5, 4)),
        score=np.ones(5),
        provenance=np.zeros(5),
        detection=[0, -1, 3, 1, 2],
    )
    pooled = pool_embeddings(Embeddings(detection=[0, 3, 1, 8], vector=vectors), tracks)
    expected = np.zeros((3, SIZE))
    expected[0, 2] = 1
    expected[1, :2] = np.sqrt(0.5)
    np.testing.assert_allclose(pooled, expected, atol=1e-6)
    assert pool_embeddings(Embeddings.empty(), tracks).tolist() == np.zeros((3, SIZE)).tolist()
    assert pool_embeddings(Embeddings.empty(), Tracks.empty()).shape == (0, SIZE)
