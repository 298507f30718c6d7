"""The clock around every part of a run still finds the parts that it names."""

from __future__ import annotations

from pathlib import Path

from benchmarks.stage_times import profile, table
from tests.clips import write_clip


def test_every_part_that_a_run_has_was_timed(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    write_clip(tmp_path / "room" / "cam1.mp4", frames=12)
    zones = tmp_path / "room" / "site.toml"
    zones.write_text('[[camera]]\nname = "cam1"\nalways_cover = [[10, 10, 40, 40]]\n')
    found = profile(tmp_path / "room")
    timed = {(row["stage"], row["part"]) for row in found["rows"] if row["calls"]}
    parts = {"decode", "colours and size", "persons: network", "keypoints", "faces", "tables"}
    assert {("analyse", part) for part in parts} <= timed
    assert {("render", part) for part in ("decode", "cover", "encode", "check", "check: decode")} <= timed
    assert "persons: network" in table(found)
