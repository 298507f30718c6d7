"""The command, from folders on disk to a table, JSON and plots."""

import dataclasses
import json

import numpy as np
import pytest

from or_mv_anon.cli import tool
from tests.evaluation.exposure_scenes import RATE, Face, camera_truth, write_pair, write_run, write_truth

FACE = (8, 8, 20, 20)


@pytest.fixture
def session(tmp_path):
    """Two cameras over 2 s; the face of camera 2 is not covered in frame 7."""
    faces = [Face(frame) for frame in range(20)]
    write_truth(tmp_path / "truth", cam1=camera_truth(faces, frames=20), cam2=camera_truth(faces, frames=20))
    covered = {frame: [FACE] for frame in range(20)}
    lacking = {frame: [FACE] for frame in range(20) if frame != 7}
    times = np.arange(20) / RATE
    (tmp_path / "run").mkdir()
    write_run(tmp_path / "run", {"cam1": (times, covered), "cam2": (times, lacking)})
    return tmp_path


def test_a_run_becomes_table_and_json(session, capsys):
    arguments = ["--run", str(session / "run"), "--truth", str(session / "truth"), "--out", str(session / "r.json")]
    assert tool("or_mv_anon.evaluation.cli", [*arguments, "--block-s", "0.5"]) == 0
    printed = capsys.readouterr().out
    assert "1 of 40 (2.5 %)" in printed
    assert "camera: cam2" in printed
    figures = json.loads((session / "r.json").read_text())
    assert figures["schema"] == "or_mv_anon/evaluation/1"
    assert figures["exposure"]["faces"] == {
        "considered": 40,
        "exposed": 1,
        "share": figures["exposure"]["faces"]["share"],
    }
    assert figures["exposure"]["faces"]["share"]["value"] == pytest.approx(1 / 40)
    assert figures["exposure"]["blocks"] == 4
    assert figures["exposure"]["holistic_recall"]["value"] == pytest.approx(19 / 20)
    assert figures["exposure"]["longest_s"]["value"] == pytest.approx(0.1)
    assert figures["rules"]["exposure"]["max_angle"] == 90
    assert figures["source"]["coverage"] == "regions"
    assert [row["window"] for row in figures["faceoff"]] == [1, 3, 5, 7]
    assert figures["squares"]["pictures"] == 40
    assert figures["detection"]["pictures"] == 40
    assert "recording is short" in figures["notes"][0]


def test_videos_of_any_tool_are_judged_by_their_pixels(session, capsys):
    for name, bare in (("cam1", ()), ("cam2", (7, 8))):
        boxes = {frame: [FACE] for frame in range(20) if frame not in bare}
        write_pair(session / "in" / f"{name}.mp4", session / "other" / f"{name}_anonymized.mp4", boxes, frames=20)
    folders = ["--original", str(session / "in"), "--video-only", str(session / "other")]
    assert (
        tool(
            "or_mv_anon.evaluation.cli", [*folders, "--truth", str(session / "truth"), "--out", str(session / "r.json")]
        )
        == 0
    )
    assert "2 of 40 (5.0 %)" in capsys.readouterr().out
    figures = json.loads((session / "r.json").read_text())
    assert figures["exposure"]["faces"]["exposed"] == 2
    assert figures["source"]["coverage"] == "pixels"
    assert figures["detection"] is None


def test_plots(session):
    pytest.importorskip("matplotlib")
    arguments = ["--run", str(session / "run"), "--truth", str(session / "truth"), "--plots", str(session / "plots")]
    assert tool("or_mv_anon.evaluation.cli", arguments) == 0
    written = sorted(path.name for path in (session / "plots").iterdir())
    assert written == ["exposure_by_group.png", "exposure_over_time.png", "faceoff_smoothing.png"]
    assert all((session / "plots" / name).read_bytes().startswith(b"\x89PNG") for name in written)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "Give either --run"),
        (["--run", "run", "--original", "in"], "Give either --run"),
        (["--run", "run", "--original", "in", "--video-only", "out"], "Give either --run"),
        (["--original", "in"], "Give either --run"),
        (["--run", "nowhere"], "not the output of a finished run"),
        (["--run", "run", "--min-visible", "30"], "min_visible_share is 30"),
    ],
)
def test_mistakes_are_one_sentence(session, capsys, monkeypatch, options, words):
    monkeypatch.chdir(session)
    assert tool("or_mv_anon.evaluation.cli", [*options, "--truth", "truth"]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1


def test_a_camera_that_the_run_lacks_is_refused(session, capsys):
    one = camera_truth([Face(0)], frames=20)
    write_truth(session / "more", cam1=one, cam2=one, cam3=one)
    assert tool("or_mv_anon.evaluation.cli", ["--run", str(session / "run"), "--truth", str(session / "more")]) == 2
    assert "lacks cam3" in capsys.readouterr().err


def test_a_camera_without_truth_is_named(session, capsys):
    write_truth(session / "less", cam1=camera_truth([Face(0)], frames=20))
    assert tool("or_mv_anon.evaluation.cli", ["--run", str(session / "run"), "--truth", str(session / "less")]) == 0
    assert "Not evaluated, because there is no ground truth: cam2." in capsys.readouterr().out


def test_no_face_and_nothing_covered_are_said(session, capsys):
    turned = [dataclasses.replace(Face(frame), angle=170) for frame in range(20)]
    write_truth(session / "away", cam1=camera_truth(turned, frames=20))
    (session / "bare").mkdir()
    write_run(session / "bare", {"cam1": (np.arange(20) / RATE, {0: [FACE]})}, method="none")
    assert tool("or_mv_anon.evaluation.cli", ["--run", str(session / "bare"), "--truth", str(session / "away")]) == 0
    printed = capsys.readouterr().out
    assert "No face counts in this session" in printed
    assert "nothing is covered in its videos" in printed
