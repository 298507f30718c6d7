"""The main job on the simulated session that ships, judged against its exact ground truth.

The figures depend on the networks and change with them; the limits below are what a release must keep.
"""

import json
from pathlib import Path

import pytest

from or_mv_anon.cli import tool
from or_mv_anon.core.resources import resource
from or_mv_anon.core.truth import load_truth

SESSION = resource("data/simulated_session")


@pytest.fixture(scope="module")
def figures(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What `evaluate` says of the anonymized session, by its regions and by its pixels."""
    out = tmp_path_factory.mktemp("simulated")
    recording, truth = SESSION / "recording", SESSION / "truth"
    run = ["--videos", str(recording), "--out", str(out / "run"), "--method", "solid", "--weights-dir", str(weights)]
    assert tool("or_mv_anon.pipeline.cli", run) == 0
    told = {"regions": ["--run", str(out / "run")]}
    told["pixels"] = ["--original", str(recording), "--video-only", str(out / "run")]
    for name, arguments in told.items():
        target = ["--truth", str(truth), "--out", str(out / f"{name}.json")]
        assert tool("or_mv_anon.evaluation.cli", [*arguments, *target]) == 0
    return {name: json.loads((out / f"{name}.json").read_text()) for name in told}


@pytest.mark.slow
@pytest.mark.sample
def test_hardly_a_face_of_the_simulated_session_is_exposed(figures):
    exposure = figures["regions"]["exposure"]
    assert exposure["faces"]["considered"] > 500
    assert exposure["faces"]["share"]["value"] < 0.08
    assert exposure["holistic_recall"]["value"] > 0.9
    assert exposure["covered"]["value"] < 0.15


@pytest.mark.slow
@pytest.mark.sample
def test_what_the_pixels_show_agrees_with_the_stored_regions(figures):
    by_regions, by_pixels = (figures[name]["exposure"] for name in ("regions", "pixels"))
    assert by_pixels["faces"]["considered"] == by_regions["faces"]["considered"]
    assert abs(by_pixels["faces"]["exposed"] - by_regions["faces"]["exposed"]) <= 2


@pytest.mark.slow
@pytest.mark.sample
def test_people_are_found_and_followed(figures):
    found = figures["regions"]
    assert found["detection"]["everyone"]["max_recall"] > 0.65
    assert found["tracking"]["overall"]["identity"]["idf1"] > 0.5
    assert [row["window"] for row in found["faceoff"]] == [1, 3, 5, 7]


@pytest.mark.slow
@pytest.mark.sample
def test_the_first_cases_show_what_is_exposed(figures):
    """The session lasts 10 s: 20 minutes per camera-hour are 13 s of review."""
    found = figures["regions"]
    frames = sum(stretch["face_frames"] for stretch in found["stretches"])
    assert frames == found["exposure"]["faces"]["exposed"]
    assert found["worklist"]["cases"] > 5
    (point,) = (point for point in found["worklist"]["curve"] if point["minutes"] == 20)
    assert point["stretches"] >= 0.5
    assert point["longest"]


def test_the_session_is_whole():
    truth = load_truth(SESSION / "truth")
    assert list(truth.cameras) == ["cam1", "cam2", "cam3", "cam4"]
    assert all((SESSION / "recording" / f"{name}.mp4").is_file() for name in truth.cameras)
    assert all(len(camera.faces) > 100 for camera in truth.cameras.values())
    assert sum(file.stat().st_size for file in SESSION.rglob("*") if file.is_file()) < 3_000_000
