"""What reviewers decided is the best label there is: it confirms, protects and denies; and it is asked for by name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.adaptation.decided import corrected_labels, read_decided
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels, label_camera
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Provenance
from or_mv_anon.corrections.actions import Action, Cover, Keyframe, NotAPerson, Withdraw
from or_mv_anon.corrections.log import append, read, standing
from tests.adaptation.label_scenes import box_at, findings

CONFIG = dataclasses.replace(load_adaptation_config().labels, remember_s=0.0)
MANUAL = load_config().manual
WEAK = [(0, box_at(100), 0.2), (1, box_at(100), 0.2), (2, box_at(100), 0.2)]  # a person whom nobody is sure of
HEAD = (110.0, 100.0, 130.0, 125.0)


def labels_after(folder: Path, *actions: Action) -> PseudoLabels:
    camera = findings([], loose=WEAK)
    for action in actions:
        append(folder, action, author="A")
    return corrected_labels(label_camera(camera, CONFIG), camera, standing(read(folder)), CONFIG, MANUAL)


def test_a_drawn_head_confirms_the_person_who_holds_it(tmp_path: Path) -> None:
    cover = Cover("cam1", (Keyframe(0.4, HEAD),), hold="span", start=0.4, end=0.8)
    labels = labels_after(tmp_path, cover)
    assert labels.frame.tolist() == [0, 1, 2]
    assert labels.weight.tolist() == [0, CONFIG.manual, CONFIG.manual]
    assert labels.provenance[1:].tolist() == [Provenance.MANUAL] * 2


def test_a_drawn_head_without_a_candidate_is_nobodys_background(tmp_path: Path) -> None:
    elsewhere = (400.0, 100.0, 420.0, 125.0)
    labels = labels_after(tmp_path, Cover("cam1", (Keyframe(0.4, elsewhere),), hold="always"))
    mine = labels[labels.provenance == Provenance.MANUAL]
    assert mine.frame.tolist() == list(range(10))
    assert not mine.trusted.any()
    assert np.allclose(mine.box, elsewhere)


@pytest.mark.parametrize("head", [(110.0, 180.0, 130.0, 199.0), (95.0, 100.0, 195.0, 150.0)], ids=["feet", "too wide"])
def test_a_box_that_cannot_be_the_heads_person_is_not_confirmed(
    tmp_path: Path, head: tuple[float, float, float, float]
) -> None:
    labels = labels_after(tmp_path, Cover("cam1", (Keyframe(0.4, head),), hold="always"))
    assert not labels.trusted.any()


def test_what_is_not_a_person_is_background(tmp_path: Path) -> None:
    x1, y1, x2, y2 = box_at(100)
    there = (Keyframe(0.4, (x1, y1, x2, y2)), Keyframe(0.8, (x1, y1, x2, y2)))
    assert labels_after(tmp_path, NotAPerson("cam1", 5, there)).frame.tolist() == [0]


def test_other_cameras_and_withdrawn_decisions_change_nothing(tmp_path: Path) -> None:
    plain = label_camera(findings([], loose=WEAK), CONFIG)
    line = append(tmp_path, Cover("cam1", (Keyframe(0.4, HEAD),)), author="A")
    labels = labels_after(tmp_path, Cover("cam2", (Keyframe(0.4, HEAD),)), Withdraw(line.id))
    assert all(np.array_equal(getattr(labels, name), getattr(plain, name)) for name in PseudoLabels.columns)


def test_decisions_are_found_by_session(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no decisions"):
        read_decided(tmp_path, ["one"])
    for place in ("", "two"):
        (tmp_path / place).mkdir(exist_ok=True)
        append(tmp_path / place, Cover("cam1", (Keyframe(0.4, HEAD),)), author=f"at {place}")
    assert read_decided(tmp_path, ["one"])["one"][0].author == "at "
    assert [*read_decided(tmp_path, ["two", "three"])] == ["two"]
