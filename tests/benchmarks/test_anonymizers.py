"""The table of anonymizers: what counts as passed, and the baselines that it compares with."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.anonymizer_baselines import Baseline, Edge, Noise, SuperPixel
from benchmarks.anonymizer_report import chosen, failures, write_report


def row(name: str, *, ssim: float, adaptive: float, tracks: float) -> dict:
    """A row with one set of people; chance ends at 10 %."""

    def kind(rank1: float) -> dict:
        estimate = {"value": rank1, "low": rank1, "high": rank1}
        figures = {"people": 9, "rank1": estimate, "chance1": 0.05, "tar": {"0.01": estimate}}
        return {
            "best": "pixels of the face",
            "chance": {"value": 0.05, "low": 0.0, "high": 0.1},
            "attackers": {"pixels of the face": figures},
        }

    share = {"value": 0.5, "low": 0.4, "high": 0.6}
    return {
        "name": name,
        "attack": {"set": {"naive": kind(0.05), "adaptive": kind(adaptive), "several frames": kind(tracks)}},
        "bodies": {"people": 8, "chance": 0.125, "same_camera": share, "other_cameras": share},
        "action_map": 0.4,
        "ssim": ssim,
        "ms_per_face": 1.0,
        **dict.fromkeys(("gallery", "probes", "known_people", "known_pictures", "frames"), 10),
    }


ROWS = [
    row("none", ssim=1.0, adaptive=1.0, tracks=1.0),
    row("noise", ssim=0.9, adaptive=0.05, tracks=0.05),  # passes, but the product does not offer it
    row("pixelate 6", ssim=0.6, adaptive=0.05, tracks=0.5),
    row("pixelate 2", ssim=0.4, adaptive=0.09, tracks=0.1),
    row("solid", ssim=0.1, adaptive=0.05, tracks=0.05),
]


def test_the_mildest_that_withstands_every_attack_is_chosen() -> None:
    assert chosen(ROWS) == "pixelate 2"
    assert chosen(ROWS[:3]) is None
    assert failures(ROWS[2]) == ["set, several frames"]


def test_the_report_names_the_choice_and_every_row(tmp_path: Path) -> None:
    text = write_report(tmp_path / "table.md", ROWS)
    assert "**pixelate 2**" in text
    assert all(text.count(f"| {entry['name']} |") == 2 for entry in ROWS)
    assert (tmp_path / "table.md").read_text() == text


@pytest.mark.parametrize("baseline", [Noise(), SuperPixel(), Edge()], ids=lambda each: each.name)
def test_baselines_change_regions_alone_and_repeat_themselves(baseline: Baseline) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    before = picture.copy()
    region = np.array([[20, 12, 50, 44]], np.float32)
    covered = baseline(picture, region)
    assert np.array_equal(picture, before)
    outside = np.ones((60, 80), bool)
    outside[12:44, 20:52] = False
    assert np.array_equal(covered[outside], picture[outside])
    assert (covered[12:44, 20:50] != picture[12:44, 20:50]).mean() > 0.5
    assert np.array_equal(covered, baseline(picture, region))


def test_super_pixels_are_few() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    covered = SuperPixel()(picture, np.array([[0, 0, 80, 60]], np.float32))
    assert len(np.unique(covered.reshape(-1, 3), axis=0)) <= 36
