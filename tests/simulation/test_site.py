"""Whole recordings of marbles, and once of the real thing: resumed, deterministic, and readable as users' sites are."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.truth import load_truth
from or_mv_anon.simulation.cameras.placing import Recording, place_cameras
from or_mv_anon.simulation.chunks import Take, join_cameras, make_chunk, meter_camera
from or_mv_anon.simulation.output_folder import OutputFolder
from or_mv_anon.simulation.recorder import join_recording
from or_mv_anon.simulation.scene import MaskState
from or_mv_anon.simulation.simulate import simulate_site
from or_mv_anon.simulation.simulation_options import SimulationOptions
from or_mv_anon.simulation.site_writer import write_site_settings
from or_mv_anon.site.discovery import discover
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import open_source
from tests.simulation.marble_stage import PLAN, Marble, MarbleStage

TAKE = Take(seed=5, instants=14, rate=Fraction(5), crf=20)
TOOL = Path(__file__).resolve().parents[2] / "tools" / "simulate_site.py"


def marble_stage() -> MarbleStage:
    recording = Recording(width=160, height=90, rate=5.0, duration=2.8, nudge=True, mixed=True)
    cameras = place_cameras(PLAN, 3, np.random.default_rng(4), recording)
    marbles = [
        Marble(1, (0.2, 0.5, 1.4), speed=(0.2, 0, 0)),
        Marble(2, (-0.8, -0.4, 1.3), mask=MaskState.WORN, speed=(0, 0.3, 0)),
        Marble(3, (0.6, -0.6, 1.5), forward=(0, 1, 0)),
    ]
    return MarbleStage(marbles, cameras, descriptions=[{"person": n, "role": "marble"} for n in (1, 2, 3)])


def make_chunks(folder: Path, numbers: list[int]) -> None:
    stage = marble_stage()
    gains = [meter_camera(stage, TAKE, number) for number in range(len(stage.cameras))]
    for number in numbers:
        make_chunk(stage, TAKE, TAKE.chunks()[number], gains, folder / str(number))


def test_chunks_do_not_depend_on_what_was_made_before(tmp_path: Path) -> None:
    make_chunks(tmp_path / "forward", [0, 1, 2])
    make_chunks(tmp_path / "alone", [1])
    for path in sorted((tmp_path / "alone" / "1").iterdir()):
        assert path.read_bytes() == (tmp_path / "forward" / "1" / path.name).read_bytes(), path.name


def test_a_recording_is_a_site_whose_truth_fits_its_frames(tmp_path: Path) -> None:
    make_chunks(tmp_path / "work", [0, 1, 2])
    stage = marble_stage()
    cameras = join_cameras([load_truth(tmp_path / "work" / str(n)) for n in range(3)])
    site = tmp_path / "recording"
    site.mkdir()
    schedules = TAKE.schedules(stage.cameras)
    for camera, schedule in zip(stage.cameras, schedules, strict=True):
        size = camera.still.width, camera.still.height
        segments = [tmp_path / "work" / str(n) / f"{camera.name}.mp4" for n in range(3)]
        join_recording(site / f"{camera.name}.mp4", segments, schedule, size=size)
    write_site_settings(
        site, name="Marbles", offsets={c.name: s.offset for c, s in zip(stage.cameras, schedules, strict=True)}
    )
    found = discover(site).sessions[0]
    assert [camera.name for camera in found.cameras] == ["cam1", "cam2", "cam3"]
    for camera in found.cameras:
        truth = cameras[camera.name]
        source = open_source(camera.source)
        assert source.n_frames == len(truth.frames)
        np.testing.assert_allclose(source.times, truth.frames.time, atol=1e-9)
        np.testing.assert_allclose(source.times + camera.offset, truth.frames.instant / 5, atol=1e-4)
        assert source.upright_size == (truth.width, truth.height)
        assert truth.frames.frame.tolist() == list(range(source.n_frames))
    assert cameras["cam2"].fps == 2.5
    assert {len(camera.optics) for camera in cameras.values()} == {1, 2}
    _marbles_are_where_truth_says(site / "cam1.mp4", cameras["cam1"])


def _marbles_are_where_truth_says(video: Path, truth: object) -> None:
    """Orange pixels of the decoded video lie inside the visible boxes, and fill a good part of them."""
    source = open_source(video)
    for frame in source.frames(Segment(0, 0, source.n_frames)):
        bgr = frame.bgr().astype(int)
        orange = bgr[..., 2] - bgr[..., 0] > 40
        rows = truth.people[truth.people.frame == frame.index]  # type: ignore[attr-defined]
        inside = np.zeros_like(orange)
        for left, top, right, bottom in rows.visible_box.astype(int).tolist():
            inside[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1] = True
        assert (orange & ~inside).mean() < 0.002
        if inside.any():
            assert orange[inside].mean() > 0.4


def test_nothing_half_done_looks_finished(tmp_path: Path) -> None:
    stage = marble_stage()

    def fail(*_: object) -> None:
        raise RuntimeError

    stage.alone = fail  # type: ignore[method-assign,assignment]
    with pytest.raises(RuntimeError):
        make_chunk(stage, TAKE, TAKE.chunks()[0], [1.0] * 3, tmp_path / "0")
    assert not (tmp_path / "0").exists()
    make_chunks(tmp_path, [0])  # what was left behind is in nobody's way
    assert (tmp_path / "0" / "truth.json").exists()


def test_the_output_folder_knows_its_own(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "out")
    settings = {"seed": 1}
    assert not folder.is_finished(settings)
    folder.begin(settings)
    assert not folder.is_finished(settings)
    with pytest.raises(UserError, match=r"other settings \(seed\)"):
        folder.is_finished({"seed": 2})
    folder.clear()
    assert not folder.is_finished({"seed": 2})


def test_a_users_recording_is_never_removed(tmp_path: Path) -> None:
    video = tmp_path / "recording" / "cam1.mp4"
    video.parent.mkdir()
    video.write_bytes(b"precious")
    folder = OutputFolder(tmp_path)
    folder.clear()
    assert video.read_bytes() == b"precious"
    with pytest.raises(UserError, match="did not make"):
        folder.is_finished({"seed": 1})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cameras": 9}, "--cameras is 9; expected 1 to 8"),
        ({"people": 0}, "--people is 0"),
        ({"width": 641}, "even"),
        ({"seconds": 0.01}, "at least one picture"),
        ({"seconds": float("nan")}, "at least one picture"),
        ({"crf": 60}, "--crf is 60"),
        ({"workers": 0}, "--workers is 0"),
        ({"seed": -1}, "--seed is -1"),
        ({"position": "upright"}, "--position is upright; expected one of supine, prone"),
        ({"sensor": "broken"}, "--sensor is broken; expected one of usual, old, infrared"),
    ],
)
def test_impossible_options_are_refused_in_a_sentence(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        SimulationOptions(out=Path("x"), **changes)  # type: ignore[arg-type]


def test_a_missing_extra_is_named_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "moderngl" else object())
    with pytest.raises(UserError, match=r"moderngl.*or_mv_anon\[sim\]"):
        simulate_site(SimulationOptions(out=tmp_path / "site"))
    assert not (tmp_path / "site").exists()


def test_help_teaches_without_the_extra() -> None:
    result = subprocess.run([sys.executable, str(TOOL), "--help"], capture_output=True, text=True, check=True)
    assert "examples:" in result.stdout
    assert "truth" in result.stdout


def _tool(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(TOOL), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.slow
def test_a_theatre_is_simulated(tmp_path: Path) -> None:
    for name in ("anny", "moderngl"):
        pytest.importorskip(name)
    options = ("--cameras", 2, "--size", "160x90", "--seconds", 0.6, "--fps", 5, "--people", 3)
    result = _tool("--out", tmp_path / "site", *options, "--workers", 1)
    assert result.returncode == 0, result.stderr
    truth = load_truth(tmp_path / "site" / "truth")
    assert [person["role"] for person in truth.people] == ["patient", "surgeon", "anaesthetist"]
    assert discover(tmp_path / "site" / "recording").sessions[0].cameras[1].name == "cam2"
    for name, camera in truth.cameras.items():
        assert len(camera.frames) >= 1
        assert open_source(tmp_path / "site" / "recording" / f"{name}.mp4").n_frames == len(camera.frames)
    assert sum(int(camera.people.visible_fraction.sum() > 0) for camera in truth.cameras.values()) >= 1
    again = _tool("--out", tmp_path / "site", *options)
    assert "there already" in again.stdout
    other = _tool("--out", tmp_path / "site", *options, "--seed", 9)
    assert other.returncode == 2
    assert "--overwrite" in other.stderr
