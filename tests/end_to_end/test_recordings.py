"""Recordings as recorders leave them: in parts, with B-frames in AVI, with two pictures in one file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.clips import write_together
from tests.end_to_end.driving import audit_of, decoded, fingerprints, looks_covered, run
from tests.end_to_end.people_clips import FACE, Picture, write_people

pytestmark = pytest.mark.sample


def assert_face_is_covered(before: Picture, after: Picture, number: int) -> None:
    x1, y1, x2, y2 = FACE.box(number).astype(int)
    assert looks_covered(before[y1:y2, x1:x2], after[y1:y2, x1:x2]), number


def test_parts_become_one_output_and_resume(tmp_path: Path, people: Picture) -> None:
    """One video per camera; every frame of every part is in it; a part that changes is noticed."""
    site, out = tmp_path / "site", tmp_path / "out"
    site.mkdir()
    for part in range(2):
        write_people(site / f"cam1_{part:03d}.mp4", people, first=6 * part, frames=6)
    write_people(site / "cam2.avi", people, frames=12, b_frames=2, time_base=Fraction(1, 30), options={"crf": "16"})
    ran = run("--videos", site, "--out", out)
    assert ran.code == 0, ran.out + ran.err
    assert sorted(path.name for path in out.iterdir()) == [
        "audit.json",
        "cam1.mp4",
        "cam2.mp4",
        "report.html",
        "stages",
    ]
    for name in ("cam1.mp4", "cam2.mp4"):
        output = decoded(out / name)
        assert [float(time) for time in output.times] == pytest.approx([i / 30 for i in range(12)], abs=1e-3)
        for number in range(12):
            assert_face_is_covered(people[number], output.pictures[number], number)
            assert np.abs(output.pictures[number][-100:].astype(int) - people[number][-100:]).mean() < 6
    audit = audit_of(out)
    assert audit["inputs"][0]["name"] == "cam1_000.mp4 to cam1_001.mp4 (2 parts)"
    assert any("joined" in note for note in audit["notes"])
    assert str(tmp_path) not in (out / "audit.json").read_text()
    before = fingerprints(out)
    assert run("--videos", site, "--out", out).code == 0
    assert fingerprints(out)["cam1.mp4"] == before["cam1.mp4"]
    write_people(site / "cam1_001.mp4", people, first=0, frames=6)
    ran = run("--videos", site, "--out", out, "--start", 0.1)
    assert ran.code == 0, ran.err
    assert len(decoded(out / "cam1.mp4").times) == 9


def test_a_second_picture_in_the_file_is_not_lost_silently(tmp_path: Path, people: Picture) -> None:
    site, out = tmp_path / "site", tmp_path / "out"
    site.mkdir()
    large = write_people(tmp_path / "large.mp4", people, frames=3)
    small = write_people(tmp_path / "small.mp4", people[:, ::2, ::2], frames=3)
    write_together((small, large), site / "cam1.mkv")
    ran = run("--videos", site, "--out", out)
    assert ran.code == 1
    assert decoded(out / "cam1.mkv").pictures.shape[1:3] == people.shape[1:3]
    assert any("stream 1" in problem and "Left out: 0" in problem for problem in audit_of(out)["problems"])
