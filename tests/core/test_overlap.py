"""Where results may go: never into a folder of recordings, by whatever way that leads there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.overlap import refuse_other_json, refuse_overlap, same_file


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """As MVOR keeps them."""
    files = [tmp_path / "day" / f"cam{n}" / "color" / "000.png" for n in (1, 2)]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
    return files


@pytest.mark.parametrize(
    "place", ["", "day", "day/cam1", "day/cam1/color", "day/cam1/color/new/deep", "day/../day/cam2"]
)
def test_folders_that_hold_recordings_or_lie_in_one(pictures: list[Path], tmp_path: Path, place: str) -> None:
    with pytest.raises(UserError, match="choose another"):
        refuse_overlap(tmp_path / place, pictures, own=[file.parent for file in pictures])


@pytest.mark.parametrize("place", ["out", "day/anonymous", "day/cam1/anonymous", "days"])
def test_folders_of_their_own(pictures: list[Path], tmp_path: Path, place: str) -> None:
    refuse_overlap(tmp_path / place, pictures, own=[file.parent for file in pictures])


def test_links_lead_to_the_same_place(pictures: list[Path], tmp_path: Path) -> None:
    away = tmp_path / "elsewhere"
    away.mkdir()
    (away / "out").symlink_to(tmp_path / "day")
    with pytest.raises(UserError):
        refuse_overlap(away / "out", pictures)
    (away / "site").mkdir()
    (away / "site" / "cam1").symlink_to(tmp_path / "day" / "cam1")
    for place in ("site", "site/cam1"):
        with pytest.raises(UserError):
            refuse_overlap(away / place, [away / "site" / "cam1" / "color" / "000.png"])
    os.link(pictures[0], tmp_path / "hard.png")
    (tmp_path / "soft.png").symlink_to(pictures[0])
    assert same_file(tmp_path / "hard.png", pictures[0])
    assert same_file(tmp_path / "soft.png", pictures[0])
    assert not same_file(pictures[0], pictures[1])


def test_a_folder_that_is_mounted_twice(pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bind mount shows the same inode; faked, since mounting needs rights."""
    real = os.stat

    def stat(path: object, **more: object) -> os.stat_result:
        return real(tmp_path / "day" if str(path).endswith("mounted") else path, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(UserError):
        refuse_overlap(tmp_path / "mounted", pictures)


def test_figures_replace_figures_only(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"

    def is_own(found: dict[str, str]) -> bool:
        return found["schema"] == "own"

    refuse_other_json(path, is_own, option="--out")
    path.write_text('{"schema": "own"}')
    refuse_other_json(path, is_own, option="--out")
    for text in ("", "[]", '{"schema": "other"}', "notes"):
        path.write_text(text)
        with pytest.raises(UserError, match="something else"):
            refuse_other_json(path, is_own, option="--out")
