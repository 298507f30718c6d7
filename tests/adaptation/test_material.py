"""Which stretches of the recordings are looked at, and that frames of a window are frames of the recording."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.decode import decode_pictures, picture_size
from or_mv_anon.adaptation.material import Window, keep_hashes, plan_recordings, plan_windows, window_plan
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.results import camera_name
from or_mv_anon.core.config import load_config
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.pipeline.plan import SessionPlan
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.site import discover
from tests.clips import write_clip


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[SessionPlan]:
    folder = tmp_path_factory.mktemp("material")
    for name in ("cam1", "cam2"):
        (folder / "site").mkdir(exist_ok=True)
        write_clip(folder / "site" / f"{name}.mp4", frames=120, rate=10)
    return plan_recordings(
        discover(folder / "site"), folder / "out", RunSpec(config=load_config(), endoscopy=load_endoscopy_config())
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.5, 30), st.floats(0.5, 60))
def test_windows_are_apart_inside_and_not_too_much(
    recordings: list[SessionPlan], window_s: float, most_s: float
) -> None:
    windows = plan_windows(recordings, window_s=window_s, most_s=most_s)
    assert windows
    assert all(-1e-6 <= w.start < w.end <= 12 + 1e-6 for w in windows)
    assert all(a.end <= b.start + 1e-6 for a, b in pairwise(windows))
    assert sum(w.end - w.start for w in windows) <= max(most_s, 1e-6) + 1e-6
    assert [w.number for w in windows] == list(range(len(windows)))


def test_a_window_has_a_store_of_its_own_and_takes_over_the_hashes(
    recordings: list[SessionPlan], tmp_path: Path
) -> None:
    window = Window(recordings[0], 3, 2.0, 5.0)
    plan = window_plan(window, tmp_path / "one")
    assert [(c.first, c.stop) for c in plan.cameras] == [(20, 50), (20, 50)]
    camera = plan.cameras[0]
    plan.store.finish(camera.stage("hash"), "state", files=[], facts={"sha256": "x", "size": 1})
    keep_hashes(window, plan)
    other = window_plan(window, tmp_path / "two")
    assert other.store.facts(camera.stage("hash")) == {"sha256": "x", "size": 1}


def test_a_camera_that_did_not_run_then_is_left_out(recordings: list[SessionPlan], tmp_path: Path) -> None:
    assert window_plan(Window(recordings[0], 0, 100.0, 110.0), tmp_path / "none").cameras == []


def test_pictures_are_those_of_the_frames(recordings: list[SessionPlan]) -> None:
    cameras = {camera_name("site", plan): plan for plan in recordings[0].cameras}
    images = [
        LabelledImage(number=n, camera="site/cam1", frame=frame, time=0.0, size=(64, 48), labels=PseudoLabels.empty())
        for n, frame in enumerate((3, 50, 119))
    ]
    bank = decode_pictures(images, cameras, title="test")
    assert len(bank) == 3
    assert np.abs(bank[0].astype(int) - bank[1]).mean() > 5
    again = decode_pictures(images[1:2], cameras, title="test")
    np.testing.assert_array_equal(again[1], bank[1])


def test_pictures_are_never_enlarged() -> None:
    assert picture_size((1280, 720), 512) == (512, 288)
    assert picture_size((320, 240), 512) == (320, 240)
