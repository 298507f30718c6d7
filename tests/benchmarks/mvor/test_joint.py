"""MVOR's people associated by all evidence together, and whom that brings back, on a made-up folder of its form."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.mvor.association import annotated, geometries
from benchmarks.mvor.dataset import Mvor, MvorDetections, load_detections, load_mvor
from benchmarks.mvor.joint import assign_likely, associate_jointly, matches, probabilities
from benchmarks.mvor.people import boxes_of, crowds
from benchmarks.mvor.place_map import PlaceMap
from benchmarks.mvor.recovery import promote, transfer, without_duplicates
from benchmarks.mvor.retrieval import count_retrieved
from benchmarks.mvor.synchrony import Distances, match_by_synchrony, synchrony_distances, view_of
from or_mv_anon.evaluation.association import evaluate_association
from tests.benchmarks.mvor.test_mvor import INSTANTS, STRONG, WEAK, write_folder


@pytest.fixture(scope="module")
def mvor_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("mvor"))


@pytest.fixture(scope="module")
def mvor(mvor_folder: Path) -> Mvor:
    return load_mvor(mvor_folder)


@pytest.fixture(scope="module")
def calibrated(mvor: Mvor) -> dict[tuple[int, int, int], np.ndarray]:
    views = [view for instant in mvor.instants for view in instant.views.values()]
    return geometries(mvor, {view.image: annotated(view) for view in views}, "calibration")


def test_people_are_joined(mvor: Mvor, calibrated: dict) -> None:
    people = crowds(mvor, None)
    joint = associate_jointly(mvor, people, calibrated)
    result = evaluate_association(matches(joint, mvor, people)).overall
    assert result.people_in_both == 3 * 2 * (INSTANTS - 1)
    assert min(result.precision, result.recall, result.average_precision) > 0.9


def test_weak_detections_are_promoted(mvor: Mvor, mvor_folder: Path, calibrated: dict) -> None:
    found = load_detections(mvor_folder, "openpose")
    people = crowds(mvor, found)
    joint = associate_jointly(mvor, people, calibrated)
    claims = promote(mvor, people, joint, trusted=STRONG)
    back = count_retrieved(mvor, found, claims, trusted=STRONG)
    assert back.retrieved > 0.85 * INSTANTS
    assert back.promoted_right > 0.9
    assert back.promoted_wrong == back.promoted - round(back.promoted_right * back.promoted)


def test_the_undetected_are_placed(mvor: Mvor, mvor_folder: Path, calibrated: dict) -> None:
    found = load_detections(mvor_folder, "openpose")
    gaps = {3000 + instant for instant in range(1, INSTANTS, 4)}  # pictures in which the second person is not found
    some = {
        image: MvorDetections(rows.boxes[kept], rows.scores[kept], rows.points[kept])
        for image, rows in found.items()
        for kept in [rows.scores >= (STRONG if image in gaps else WEAK)]
    }
    people = crowds(mvor, some)
    joint = associate_jointly(mvor, people, calibrated)
    everybody = {image: np.ones(len(crowd.scores), bool) for image, crowd in people.items()}
    placed = transfer(mvor, some, people, joint, everybody)
    assert len(gaps) - 1 <= placed.left_seen_twice <= placed.left <= len(gaps)
    assert placed.brought_back >= 0.6 * len(gaps)
    assert placed.right >= 0.6


def test_duplicates_go_and_the_best_stays() -> None:
    boxes = np.array([[0, 0, 10, 20], [0, 0, 10, 21], [50, 0, 60, 20]], np.float32)
    found = {7: MvorDetections(boxes, np.array([0.3, 0.8, 0.1]), np.zeros((3, 10, 3)))}
    assert without_duplicates(found)[7].scores.tolist() == [0.8, 0.1]


@settings(max_examples=50)
@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 1000))
def test_probabilities_share_one_partner(first: int, second: int, seed: int) -> None:
    log_odds = np.random.default_rng(seed).normal(scale=5, size=(first, second))
    chance = probabilities(log_odds)
    assert ((chance >= 0) & (chance <= 1)).all()
    assert (chance.sum(axis=0) <= max(first, 1)).all()
    pairs = assign_likely(log_odds)
    assert len(np.unique(pairs[:, 0])) == len(np.unique(pairs[:, 1])) == len(pairs)
    assert (log_odds[pairs[:, 0], pairs[:, 1]] > 0).all()


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0, 0.3))
def test_a_map_finds_a_quadratic_law_among_outliers(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    source = random.uniform(-1, 1, (300, 4))
    law = random.normal(size=(4, 4))
    target = source @ law + 0.2 * source[:, :1] ** 2 + random.normal(scale=0.01, size=(300, 4))
    wrong = random.random(300) < share / 3
    target[wrong] += random.normal(scale=3, size=(int(wrong.sum()), 4))
    found = PlaceMap.learn(source, target, np.ones(300))
    near = found.deviation(source, target)
    assert np.abs(found.at(source) - target)[~wrong].max() < 0.5
    if wrong.any():
        assert np.median(near[wrong]) > np.median(near[~wrong])


def test_places_give_their_boxes_back(mvor: Mvor, mvor_folder: Path) -> None:
    crowd = crowds(mvor, load_detections(mvor_folder, "faster_rcnn"))[1001]
    np.testing.assert_allclose(boxes_of(crowd.places), crowd.boxes, atol=1e-3)


def test_synchrony_sees_the_same_people(mvor: Mvor, mvor_folder: Path) -> None:
    people = crowds(mvor, load_detections(mvor_folder, "openpose"), least_score=STRONG)
    view = view_of(mvor, people, 3)
    assert len(view.observations) == INSTANTS
    assert (view.observations.weight > 0).any()
    pytest.importorskip("torch")
    distances = synchrony_distances(mvor, people, steps=2)
    assert distances[1, 3][0, 5].shape == (2, 1)
    assert sum(len(pair.matches) for pair in match_by_synchrony(mvor, people, distances)) >= INSTANTS


def test_synchrony_drops_the_farthest(mvor: Mvor) -> None:
    people = crowds(mvor, None)
    near = [np.array([[0.0, 0], [5, 0]], np.float32)] * INSTANTS
    far = [np.array([[0.1, 0], [5, 9]], np.float32)] * INSTANTS
    distances = {pair: Distances(near, far) for pair in ((1, 2), (1, 3), (2, 3))}
    found = next(iter(match_by_synchrony(mvor, people, distances)))
    assert found.matches.tolist() == [[0, 0], [1, 1]]
    strange = {pair: Distances(near, [np.array([[0.1, 0], [0.1, 20]], np.float32)] * INSTANTS) for pair in distances}
    assert next(iter(match_by_synchrony(mvor, people, strange))).matches.tolist() == [[0, 0]]
