"""The table of who is missed: figures of a judged run, and rows that were measured before."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from benchmarks import nobody_missed
from benchmarks.exposure_figures import figures
from benchmarks.nobody_missed import Row, markdown, measured
from or_mv_anon.core.truth import load_truth
from or_mv_anon.evaluation.evaluate import evaluate_run
from tests.evaluation.exposure_scenes import RATE, Face, camera_truth, write_run, write_truth

FACE = (8, 8, 20, 20)


def test_the_figures_of_a_room_are_those_of_its_run(tmp_path: Path) -> None:
    faces = [Face(frame) for frame in range(20)]
    write_truth(tmp_path / "truth", cam1=camera_truth(faces, frames=20))
    lacking = {frame: [FACE] for frame in range(20) if frame not in (7, 8)}
    (tmp_path / "run").mkdir()
    write_run(tmp_path / "run", {"cam1": (np.arange(20) / RATE, lacking)})
    told = figures(evaluate_run(tmp_path / "run", load_truth(tmp_path / "truth")))
    assert (told["exposed"], told["faces"]) == (2, 20)
    assert told["longest_s"] == pytest.approx(2 / RATE)
    assert told["holistic"] == pytest.approx(18 / 20)


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """One room with a model and one without; what is measured is made up, and counted."""
    (tmp_path / "models" / "one").mkdir(parents=True)
    room = {"exposed": 1, "faces": 900, "camera_hours": 0.1, "longest_s": 0.2, "holistic": 0.999, "over_cover": 0.05}
    monkeypatch.setattr(nobody_missed, "of_site", lambda *_: room)
    views = {"faces": {tag: [23, 24] for tag in nobody_missed.TAGS}, "over_cover": 0.07}
    monkeypatch.setattr(nobody_missed, "of_views", lambda *_: views)
    found = {f"person, ward_hospital_bed, {where}, lying": {"wanted": 10, "at": [9, 5]} for where in ("here", "there")}
    people = {"found": found, "false": {"person, empty rooms": {"pictures": 4, "at": [6, 1]}}, "milliseconds": 27.0}
    monkeypatch.setattr(nobody_missed, "of_people", lambda *_: people)
    sites = [Path("one"), Path("two")]
    return argparse.Namespace(work=tmp_path / "work", sites=sites, models=tmp_path / "models", or_pictures=None)


def test_a_table_has_every_row_where_it_says_something(options: argparse.Namespace) -> None:
    rows = [measured(row, options, list) for row in (Row("default"), Row("the room's model", adapted=True))]
    table = markdown(rows)
    assert "| default | 90 % of 20 |".replace(" %", "%") in table, "lying people of all wards together"
    assert "| 1.5 | 27 |" in table
    assert "| default | 23 of 24 |" in table
    assert [line.split(" | ")[:2] for line in table.splitlines() if " of 900 " in line] == [
        ["| one", "default"],
        ["| one", "the room's model"],
        ["| two", "default"],
    ]
    assert "| 10 | 0.2 s | 99.9% | 5.0% |" in table


def test_what_was_measured_is_not_measured_again(options: argparse.Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = measured(Row("default"), options, list)
    monkeypatch.setattr(nobody_missed, "of_site", None)
    monkeypatch.setattr(nobody_missed, "of_views", None)
    assert measured(Row("default"), options, list) == before
