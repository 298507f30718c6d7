"""Names that are odd and can be carried: every camera is done under its own, and nothing in it is taken for markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.driving import audit_of, decoded, run
from tests.end_to_end.people_clips import Picture, write_people

pytestmark = pytest.mark.sample

NAMES = (
    "-cam",
    "cam..",
    "%03d",
    "a b  c",
    "ä ö ❤",
    'it\'s "quoted" <b>&amp;',
    "$(touch x); `y`",
    "file:pipe:1",
    "associate",
    "x" * 200,
)


def test_odd_names(tmp_path: Path, people: Picture) -> None:
    site, out = tmp_path / "site", tmp_path / "out"
    site.mkdir()
    clip = write_people(tmp_path / "clip.mp4", people, frames=2).read_bytes()
    for name in NAMES:
        (site / f"{name}.mp4").write_bytes(clip)
    ran = run("--videos", site, "--out", out)
    assert ran.code == 0, ran.out + ran.err
    assert {output["camera"] for output in audit_of(out)["outputs"]} == set(NAMES)
    assert all(len(decoded(out / f"{name}.mp4").times) == 2 for name in NAMES)
    page = (out / "report.html").read_text()
    assert "<b>&amp;" not in page
    assert "&lt;b&gt;&amp;amp;" in page
    again = run("--videos", site, "--out", out)
    assert again.code == 0, again.err
