"""The attack on folders of people: who is found, what is kept, and what the command refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.attack.anonymizers import anonymized, product
from or_mv_anon.attack.attack import ADAPTIVE, NAIVE, Naive, Parrot, naive_attack, run_attack
from or_mv_anon.attack.faces import FacesJob, attack_faces
from or_mv_anon.attack.identities import IdentitySet, split_enrolment
from or_mv_anon.attack.table import faces_table
from or_mv_anon.cli import main
from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.core.errors import UserError
from tests.attack.toy_people import FACE, ToyRecognizer, toy_faces

STRENGTH = OperatorConfig(cells=2, blur_cells=2, solid_luma=0.0)
PEOPLE = IdentitySet("set", toy_faces(8, 4), {"no face": 2})


def job(out: Path | None = None, *methods: str, people: IdentitySet = PEOPLE) -> tuple[FacesJob, ToyRecognizer]:
    recognizer = ToyRecognizer()
    attackers = [Naive(recognizer), Parrot(recognizer)]
    anonymizers = [product(method, STRENGTH) for method in methods or ("none", "solid")]
    return FacesJob(sets=[people], attackers=attackers, anonymizers=anonymizers, out=out), recognizer


def test_only_the_region_is_covered_and_the_original_stays() -> None:
    face = PEOPLE.faces[0]
    before = face.picture.copy()
    (hidden,) = anonymized([face], product("solid", STRENGTH))
    assert (face.picture == before).all()
    x1, y1, x2, y2 = FACE
    assert hidden.picture[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].max() <= 3
    outside = np.ones(before.shape[:2], bool)
    outside[y1 - 2 : y2 + 2, x1 - 2 : x2 + 2] = False
    assert np.abs(hidden.picture[outside].astype(int) - before[outside]).mean() < 8  # 4:2:0 video, no more


def test_clear_faces_are_found_and_solid_ones_are_not() -> None:
    gallery, probes = split_enrolment(PEOPLE.faces, seed=0)
    clear = naive_attack(gallery, probes, product("none", STRENGTH), [ToyRecognizer()])
    solid = naive_attack(gallery, probes, product("solid", STRENGTH), [ToyRecognizer()])
    assert clear.best["set"][NAIVE].figures.rank1.value == 1
    assert solid.best["set"][NAIVE].figures.rank1.value <= solid.chance["set"][NAIVE].high


class Negative:
    """Hides nothing from those who know what was done."""

    name = "negative"

    def __call__(self, picture: np.ndarray, regions: np.ndarray) -> np.ndarray:
        return 255 - picture


def test_who_repeats_what_was_done_sees_through_it() -> None:
    gallery, probes = split_enrolment(PEOPLE.faces, seed=0)
    recognizer = ToyRecognizer()
    result = run_attack([Naive(recognizer), Parrot(recognizer)], gallery, probes, Negative())
    assert result.best["set"][NAIVE].figures.within_chance
    assert result.best["set"][ADAPTIVE].attacker == "parrot toy"
    assert result.best["set"][ADAPTIVE].figures.rank1.value == 1


def test_an_adaptive_attacker_may_do_what_a_naive_one_does() -> None:
    gallery, probes = split_enrolment(PEOPLE.faces, seed=0)
    recognizer = ToyRecognizer()
    found = run_attack([Parrot(recognizer), Naive(recognizer)], gallery, probes, product("solid", STRENGTH))
    rates = [one.figures.rank1.value for one in found.results["set"]]
    assert found.best["set"][ADAPTIVE].figures.rank1.value == max(rates)
    assert found.chance["set"][ADAPTIVE].high >= found.chance["set"][NAIVE].high


def test_sets_are_judged_apart_and_together() -> None:
    both = [*toy_faces(4, 4, of="one"), *toy_faces(5, 4, of="two")]
    gallery, probes = split_enrolment(both, seed=0)
    result = naive_attack(gallery, probes, product("none", STRENGTH), [ToyRecognizer()])
    assert {name: found[0].figures.people for name, found in result.results.items()} == {"one": 4, "two": 5, "all": 9}


def test_finished_anonymizers_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "attack.json"
    first, _ = job(out, "none")
    attack_faces(first)
    second, recognizer = job(out, "none", "solid")
    figures = attack_faces(second)
    assert [entry["anonymizer"] for entry in figures["anonymizers"]] == ["none", "solid"]
    assert recognizer.faces == 16 * 2 + 16 * 2  # probes and gallery, twice: nothing of `none` again
    third, recognizer = job(out, "solid")
    assert attack_faces(third)["anonymizers"] == figures["anonymizers"][1:]
    assert recognizer.faces == 0
    assert json.loads(out.read_text())["sets"]["set"]["left_out"] == {"no face": 2}
    assert "8 people, 16 pictures enrolled, 16 attacked" in faces_table(figures)


def test_figures_about_other_pictures_are_not_taken(tmp_path: Path) -> None:
    out = tmp_path / "attack.json"
    attack_faces(job(out, "none")[0])
    other, recognizer = job(out, "none", people=IdentitySet("set", toy_faces(8, 5), {}))
    attack_faces(other)
    assert recognizer.faces > 0


def test_figures_of_another_network_are_not_taken(tmp_path: Path) -> None:
    out = tmp_path / "attack.json"
    attack_faces(job(out, "none")[0])
    again, recognizer = job(out, "none")
    attack_faces(replace(again, networks={"modifier": "other"}))
    assert recognizer.faces > 0


def test_any_other_file_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "thesis.json"
    out.write_text("[1, 2]")
    with pytest.raises(UserError, match="another name for --out"):
        attack_faces(job(out)[0])
    assert out.read_text() == "[1, 2]"


def test_fewer_pictures_of_everybody(tmp_path: Path) -> None:
    gallery = attack_faces(replace(job(None, "none")[0], per_person=2))["sets"]["set"]
    assert (gallery["enrolled"], gallery["probes"]) == (8, 8)


def test_one_person_cannot_be_told_from_anybody() -> None:
    with pytest.raises(UserError, match="two or more people"):
        attack_faces(job(None, people=IdentitySet("set", toy_faces(1, 4), {}))[0])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give either --faces"),
        (["--faces", "a", "--original", "b", "--anonymized", "c"], "Give either --faces"),
        (["--original", "b"], "Give either --faces"),
        (["--faces", "a", "--out", "nowhere/x.json"], "no folder"),
        (["--faces", "a", "--truth", "b"], "--truth goes with"),
        (["--faces", "a", "--method", "learned", "--modifier", "nowhere.onnx"], "nowhere.onnx"),
        (["--faces", "a/set", "b/set"], "one name"),
        (["--faces", "missing", "--method", "pixelate", "--cells", "0"], "count from 1"),
    ],
)
def test_contradictions_are_told(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attack", *arguments]) == 2
    assert sentence in capsys.readouterr().err
