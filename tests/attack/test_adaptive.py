"""Attackers who adapt: what they find behind a mosaic, and that they find nothing behind nothing."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.attackers.structural_similarity import structural_similarity
from or_mv_anon.attack.adaptive import PixelDiscriminant, TrackDiscriminant, VectorDiscriminant
from or_mv_anon.attack.anonymizers import Anonymizer, anonymized, product
from or_mv_anon.attack.chance import chance_of_best
from or_mv_anon.attack.discriminant import fit_discriminant
from or_mv_anon.attack.identities import Face
from or_mv_anon.attack.matching import measure
from or_mv_anon.attack.region_crops import CROP, RegionAlone, reduced, region_crop, shifted, take_crops
from or_mv_anon.attack.several_frames import restored
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import load_config
from or_mv_anon.models.detectors.protocol import Picture

PEOPLE, PICTURES = 5, 6
TEMPLATE = np.array([[38, 52], [74, 52], [56, 72], [42, 92], [71, 92]], np.float32) * 0.5 + 22


def people(*, seed: int = 0) -> list[Face]:
    """Five people of smooth random colours, six noisy pictures of each, in front of one background."""
    draw = np.random.default_rng(seed)
    faces = []
    for person in range(PEOPLE):
        pattern = draw.uniform(40, 215, (8, 8, 3)).repeat(8, axis=0).repeat(8, axis=1)
        for _ in range(PICTURES):
            picture = np.full((100, 100, 3), 128.0)
            picture[18:82, 18:82] = pattern * draw.uniform(0.9, 1.1)
            noisy = np.clip(picture + draw.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)
            region = np.array([[20, 20, 80, 80]], np.float32)
            faces.append(
                Face(f"set/{person}", noisy, region, TEMPLATE + draw.normal(0, 0.5, (5, 2)).astype(np.float32))
            )
    return faces


def operator(method: str, **strength: int) -> Anonymizer:
    return product(method, replace(load_config().operators, **strength))  # type: ignore[arg-type]


def split() -> tuple[list[Face], list[Face]]:
    faces = people()
    return faces[::2], faces[1::2]


def ids(faces: list[Face]) -> np.ndarray:
    return np.array([face.identity for face in faces])


class Colours:
    """A recognizer that describes a picture by the mean colours of the quarters of its middle."""

    name, same_person = "colours", 0.9

    def embed(self, pictures: list[Picture], landmarks: np.ndarray) -> np.ndarray:
        quarters = [picture[20:80, 20:80].reshape(2, 30, 2, 30, 3).mean(axis=(1, 3)).ravel() for picture in pictures]
        vectors = np.stack(quarters) - 128
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("part", ["region", "face"])
def test_pixels_behind_a_mosaic_name_the_enrolled(part: str) -> None:
    gallery, probes = split()
    attacker = PixelDiscriminant(part)  # type: ignore[arg-type]
    mosaic = operator("pixelate", cells=4)
    attacker.fit([], mosaic)
    found = measure(attacker.similarity(anonymized(probes, mosaic), gallery), ids(probes), ids(gallery))
    assert found.rank1.value is not None
    assert found.rank1.value > 0.9


def test_nothing_is_found_behind_a_solid_cover() -> None:
    gallery, probes = split()
    attackers = [PixelDiscriminant("region"), PixelDiscriminant("face"), VectorDiscriminant(Colours())]
    solid = operator("solid")
    hidden = anonymized(probes, solid)
    for attacker in attackers:
        attacker.fit([], solid)
        similarity = attacker.similarity(hidden, gallery)
        assert np.ptp(similarity) < 1e-5  # every answer is a tie


def test_vectors_of_anonymized_enrolment_are_learned() -> None:
    gallery, probes = split()
    attacker = VectorDiscriminant(Colours())
    mosaic = operator("pixelate", cells=2)
    attacker.fit([], mosaic)
    similarity = attacker.similarity(anonymized(probes, mosaic), gallery)
    assert similarity.shape == (len(probes), len(gallery))
    assert (ids(gallery)[similarity.argmax(axis=1)] == ids(probes)).mean() > 0.8


def test_several_frames_are_combined_both_ways() -> None:
    gallery, probes = split()
    attacker = TrackDiscriminant()
    attacker.fit([], operator("pixelate", cells=3))
    found = attacker.similarities(probes[:5], gallery)
    assert set(found) == {f"{way}, {part}" for way in ("votes", "restored") for part in ("region", "face")}
    for similarity in found.values():
        assert (ids(gallery)[similarity.argmax(axis=1)] == ids(probes[:5])).mean() >= 0.8


def test_a_restored_face_is_nearer_to_the_clear_one_than_its_mosaic() -> None:
    face, mosaic = people()[0], operator("pixelate", cells=5)
    guess, covered = restored(face, mosaic, np.random.default_rng(0), frames=6)
    x1, y1, x2, y2 = covered[0].round().astype(int)

    def error(picture: Picture) -> float:
        return float(np.abs(picture[y1:y2, x1:x2].astype(float) - face.picture[y1:y2, x1:x2]).mean())

    assert error(guess) < 0.95 * error(mosaic(face.picture, face.region))


def test_nothing_outside_a_covered_region_is_looked_at() -> None:
    face = people()[0]
    other = replace(face, picture=face.picture.copy())
    other.picture[:16], other.picture[84:], other.picture[:, :16], other.picture[:, 84:] = 0, 0, 0, 0
    solid = operator("solid")
    found = [take_crops([each], solid, shifts=0).region for each in (face, other)]
    assert np.array_equal(*found)
    assert found[0].shape == (1, 1, CROP * CROP * 3)


def test_what_lies_around_a_region_is_hidden_from_the_attacker() -> None:
    face = people()[0]
    clear = operator("none")
    seen = RegionAlone(clear)(face.picture, face.region)
    outside = np.ones((100, 100), bool)
    outside[20:80, 20:80] = False
    assert seen[outside].max() == 0
    assert np.array_equal(seen[21:79, 21:79], clear(face.picture, face.region)[21:79, 21:79])


def test_a_shifted_region_stays_in_the_picture() -> None:
    face = replace(people()[0], region=np.array([[0, 0, 100, 100]], np.float32))
    for seed in range(5):
        box = shifted(face, np.random.default_rng(seed))
        assert box.min() >= 0
        assert box.max() <= 100
        assert np.abs(box - face.region).max() <= 9.1


def test_reducing_keeps_the_region_on_the_face() -> None:
    face = people()[0]
    small = reduced(face, side=30)
    assert small.picture.shape == (50, 50, 3)
    np.testing.assert_allclose(small.region, face.region / 2)
    np.testing.assert_allclose(
        region_crop(small.picture, small.region), region_crop(face.picture, face.region), atol=0.2
    )
    assert reduced(face, side=300) is face


def test_the_best_of_many_guesses_is_luckier_than_one() -> None:
    draw = np.random.default_rng(0)
    names = np.repeat([f"set/{person}" for person in range(10)], 4)
    guesses = [draw.random((40, 10)) for _ in range(8)]
    gallery = np.unique(names)
    one, best = (chance_of_best(each, names, gallery) for each in (guesses[:1], guesses))
    assert abs(one.value - 0.1) < 0.02
    assert best.value > one.value
    assert best.high >= one.high
    truth = (names[:, None] == gallery[None]).astype(float)
    assert chance_of_best([truth], names, gallery).high < 0.6  # real knowledge is lost with the names


def test_ties_are_at_chance() -> None:
    names = np.repeat(["a", "b", "c", "d"], 3)
    found = chance_of_best([np.zeros((12, 4))], names, np.unique(names))
    assert found.low == found.high == pytest.approx(0.25)


def test_the_discriminant_ignores_what_varies_within_people() -> None:
    draw = np.random.default_rng(1)
    person = np.repeat(np.arange(3), 30)
    samples = draw.normal(0, [2, 2, 0.1, 0.1], (90, 4)).astype(np.float32)
    samples[:, 2:] += np.array([[1, 0], [0, 1], [-1, -1]])[person]
    learned = fit_discriminant(samples, person)
    assert (learned.scores(samples).argmax(axis=1) == person).mean() > 0.95
    assert np.abs(learned.projection[:2]).max() < 0.3 * np.abs(learned.projection[2:]).max()


def test_structural_similarity_falls_with_strength() -> None:
    face = people()[0]
    values = [
        structural_similarity(face.picture, each(face.picture, face.region), face.region)
        for each in (operator("pixelate", cells=16), operator("pixelate", cells=4), operator("solid"))
    ]
    assert structural_similarity(face.picture, face.picture, face.region) == pytest.approx(1.0)
    assert 1 > values[0] > values[1] > values[2]


def test_structural_similarity_is_the_formula() -> None:
    """Of two flat pictures only the comparison of levels is left: 2ab + C over a² + b² + C."""
    first, second = (np.full((20, 20, 3), level, np.uint8) for level in (100, 150))
    region: Boxes = np.array([[2, 2, 18, 18]], np.float32)
    level = (0.01 * 255) ** 2
    expected = (2 * 100 * 150 + level) / (100**2 + 150**2 + level)
    assert structural_similarity(first, second, region) == pytest.approx(expected, rel=1e-3)
